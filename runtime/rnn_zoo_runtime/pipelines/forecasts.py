"""SeriesForecaster: the history of series -> their next values."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding.distributions import DISTRIBUTIONS, Distribution
from rnn_zoo_runtime.decoding.philox import uniform
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph, States
from rnn_zoo_runtime.pipelines.series import SeriesPipeline
from rnn_zoo_runtime.pipelines.stream import Stream

COVARIATES = ("future", "static")
SAMPLES = 200
LEAST = 1e-7  # of a uniform number
SEEN = "seen"  # whether a stream has had a value


class SeriesForecaster(SeriesPipeline):
    """Forecasts the next H values of series of numbers, in their own units.

    Args:
        graphs: `model`: `values` (B, T, F), `lengths` (B,), and `future`, `static` where it has
            them -> `quantiles` (B, H, D, Q), or `parameters` of a distribution (B, H, D, P); or
            `read` and `step` of a model that forecasts step by step; `start` and `step` of one that
            can stream.
        numbers: What is known of the numbers; `levels` (Q,) and the distribution's name, `output`.
        description: What is known of the columns.
        samples: Paths to draw, of a model that forecasts step by step.
        seed: Of these.
    """

    def __init__(
        self,
        graphs: Mapping[str, Graph],
        numbers: Mapping[str, Any],
        description: Mapping[str, Any] | None = None,
        samples: int = SAMPLES,
        seed: int = 0,
    ) -> None:
        super().__init__(graphs, numbers)
        self.description, self.samples, self.seed = dict(description or {}), samples, seed

    def __call__(self, series: Any, **covariates: Any) -> list[np.ndarray]:
        """The median forecast (H, D) of each series; see `forecast`."""
        return list(self.forecast(series, **covariates)["forecast"])

    def forecast(self, series: Any, lengths: Any = None, **covariates: Any) -> Answers:
        """Forecasts series of any lengths.

        Args:
            series: A list of series (T, F), or one of them, or an array (B, T, F). Of series of
                one number each, (T,) is (T, 1).
            lengths: Of an array (B, T, F): int (B,), by default T each.
            **covariates: `future` (B, H, G) and `static` (B, S), if the model has them.

        Returns:
            `forecast` (B, H, D), `quantiles` (B, H, D, Q), `levels` (B, Q), float32; `valid` bool
            (B,): a row with a covariate that is not finite has forecasts of 0.

        Raises:
            InputError: The series do not fit the model, or covariates are missing.
        """
        wanted = self.covariates
        if set(covariates) != set(wanted):
            raise InputError(
                f"the model takes {', '.join(wanted) or 'no covariates'}, got "
                f"{', '.join(sorted(covariates)) or 'none'}: give an array for each"
            )
        return self.answers_to(self._forecast, series, lengths, **covariates)

    @property
    def covariates(self) -> list[str]:
        """Those of `future` and `static` that the model has."""
        inputs = self.graph("read" if "read" in self.graphs else "model").inputs
        names = {"future" if name == "next_future" else name for name in inputs}
        return [name for name in COVARIATES if name in names]

    def score(self, series: Any, lengths: Any = None, **covariates: Any) -> list[np.ndarray]:
        """The negative log-likelihood of each value given those before: (T, D) a series, in nats.

        Args:
            series: As for `forecast`; covariates are read from the columns behind the targets.
            lengths: As for `forecast`.
            **covariates: `static` (B, S), if the model has it.

        Raises:
            InputError: The model cannot stream, or the series do not fit it.
        """
        rows = self.rows_of(series, lengths)
        found = self.answers_to(self._scores, rows, **covariates)["score"]
        return [each[: len(row)] for each, row in zip(found, rows, strict=True)]

    def stream(self, rows: int = 1) -> Stream:
        """Reads B series a step at a time; `step` takes numbers (B, F).

        With covariates it also takes `next_future` (B, G), those of the step after it, and `static`
        (B, S). Each step answers `score` (B, D), the negative log-likelihood of its values, in
        nats, and `valid` (B,): a step with a number that the model refuses is skipped.

        Raises:
            InputError: The model cannot stream.
        """
        states = self.graph("start")({"streams": np.zeros(rows, np.int32)})
        return Stream(self.step, {**states, SEEN: np.zeros(rows, bool)})

    def step(self, values: Any, states: States, **known: Any) -> tuple[Answers, States]:
        """The answers to a step (B, F) of each stream, and the states after it."""
        values = np.asarray(values, np.float32)
        covariates = {name: np.asarray(each, np.float32) for name, each in known.items()}
        valid = np.asarray(self.is_known(values).all(axis=1))
        for each in covariates.values():
            valid = valid & np.isfinite(each).all(axis=1)
        read = {
            name: np.where(valid[:, None], each, np.float32(0))
            for name, each in {**covariates, "value": values}.items()
        }
        own = {name: state for name, state in states.items() if name != SEEN}
        _, after = self.graph("step").step(read, own)
        score = self._likelihoods(states, read["value"])
        kept = {
            name: np.where(valid.reshape([-1, *[1] * (state.ndim - 1)]), state, states[name])
            for name, state in {**after, SEEN: np.ones_like(states[SEEN])}.items()
        }
        return {"score": np.where(valid[:, None], score, np.float32(0)), "valid": valid}, kept

    def _likelihoods(self, states: States, values: np.ndarray) -> np.ndarray:
        """Negative log-likelihoods (B, D); 0 where a value is missing or the first."""
        parameters = states["parameters"]
        values = values[:, : parameters.shape[1]]
        known = np.isfinite(values) & states[SEEN][:, None]
        found = self.distribution.negative_log_likelihood(
            parameters, np.where(known, values, np.float32(0))
        )
        return np.where(known, found, np.float32(0))

    def _scores(self, values: np.ndarray, lengths: np.ndarray, **known: np.ndarray) -> Answers:
        """The scores of series (B, T, F): (B, T, D)."""
        stream, graph = self.stream(len(values)), self.graph("step")
        targets = stream.states["parameters"].shape[1]
        found = []
        for place in range(values.shape[1]):
            if "next_future" in graph.inputs:
                after = values[:, min(place + 1, values.shape[1] - 1), targets:]
                known = {**known, "next_future": after}
            here = np.where(place < lengths[:, None], values[:, place], np.float32(0))
            found.append(stream.step(here, **known)["score"])
        return {"score": np.stack(found, axis=1)}

    @property
    def distribution(self) -> Distribution:
        """The distribution that the model predicts."""
        return DISTRIBUTIONS[self.numbers["output"]]

    def _forecast(self, values: np.ndarray, lengths: np.ndarray, **known: np.ndarray) -> Answers:
        valid = np.ones(len(values), bool)
        inputs = {"values": values, "lengths": lengths}
        for name, each in known.items():
            finite = np.isfinite(each)
            valid &= finite.reshape(len(values), -1).all(axis=1)
            inputs[name] = np.where(finite, each, np.float32(0)).astype(np.float32)
        levels = self.numbers["levels"]
        quantiles = self._drawn(inputs) if "read" in self.graphs else self._quantiles(inputs)
        quantiles = np.where(valid[:, None, None, None], quantiles, np.float32(0))
        return {
            "forecast": quantiles[..., levels.index(0.5)],
            "quantiles": quantiles,
            "levels": np.tile(np.array(levels, np.float32)[None], [len(values), 1]),
            "valid": valid,
        }

    def _quantiles(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Quantiles (B, H, D, Q) of a model that forecasts all steps at once."""
        outputs = self.graph("model")(inputs)
        if "quantiles" in outputs:
            return outputs["quantiles"]
        return self.distribution.quantile(outputs["parameters"], self.numbers["levels"])

    def _drawn(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Quantiles (B, H, D, Q) of paths, which are drawn step by step."""
        future, horizon = inputs.get("future"), self.numbers["horizon"]
        known = {name: each for name, each in inputs.items() if name == "static"}
        first = {} if future is None else {"next_future": future[:, 0]}
        states = self.graph("read")({**inputs, **first})
        repeated, known = (
            {name: np.repeat(each, self.samples, axis=0) for name, each in part.items()}
            for part in (states, known)
        )
        targets = repeated["parameters"].shape[1]
        numbers = uniform((horizon, self.samples, targets, 2), LEAST, 1 - LEAST, self.seed)
        paths = []
        for place in range(horizon):
            own = np.tile(numbers[place], [len(inputs["values"]), 1, 1])
            paths.append(self.distribution.transformed(repeated["parameters"], own))
            if place + 1 < horizon:
                value = paths[-1]
                if future is not None:
                    both = (
                        np.repeat(future[:, at], self.samples, axis=0) for at in (place, place + 1)
                    )
                    here, known["next_future"] = both
                    value = np.concatenate([value, here], axis=1)
                _, repeated = self.graph("step").step({"value": value, **known}, repeated)
        drawn = np.stack(paths, axis=1).reshape(-1, self.samples, horizon, targets)
        quantiles = np.quantile(drawn, self.numbers["levels"], axis=1)
        return np.moveaxis(quantiles, 0, -1).astype(np.float32)
