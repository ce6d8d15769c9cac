"""SeriesForecaster: the history of series -> their next values."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.architectures.forecaster_model import Forecaster
from zoo.errors import InputError
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.onnx import series
from zoo.onnx.served import Served
from zoo.pipelines.pipeline import Answers, Signature, integers
from zoo.pipelines.series_input import SeriesPipeline

SAMPLES = 200
COVARIATES = ("future", "static")


class SeriesForecaster(SeriesPipeline):
    """Forecasts the next H values of series of numbers, in their own units.

    The signatures, of named tensors, all with the batch first:

    - `serving_default`: `values` float32 (B, T, F), raw numbers with any padding on the right, NaN
      = missing if the model takes it; `lengths` int32 (B,); `future` (B, H, G), `static` (B, S) if
      the model has them -> `forecast` float (B, H, D), the median; `quantiles` (B, H, D, Q);
      `levels` (B, Q); `valid` bool (B,): a series without a step, or with a number that the model
      refuses, has forecasts of 0.
    - `description`: `streams` int32 (B,), a number a row, of any value -> `description` string
      (B,), JSON of the columns.
    - Of a model that can stream, `score`: `values`, `lengths`, `static` -> `score` (B, T, D), the
      negative log-likelihood of each value given those before, in nats, and `valid`; `start`:
      `streams` -> the states before the first value; `step`: `value` (B, F), `next_future` (B, G),
      `static` and the states -> `score` (B, D), `valid`, and the states to go on with. A step that
      is not valid is skipped.

    Args:
        model: What `zoo.build("forecaster", ...)` returns, or a `ForecasterEnsemble`.
        description: What is known of the columns, for JSON.
        samples: Paths to draw, of a model that forecasts step by step.
        seed: Of these.

    Raises:
        InputError: The model is no forecaster.
    """

    option_names = ("description", "samples", "seed")

    def __init__(
        self,
        model: keras.Model,
        description: Mapping[str, Any] | None = None,
        samples: int = SAMPLES,
        seed: int = 0,
    ) -> None:
        own: Any = model if isinstance(model, ForecasterEnsemble) else Forecaster.of(model)
        super().__init__(own, others=(*COVARIATES, "targets"))
        if isinstance(own, ForecasterEnsemble):
            self.layers = own.members[0].layers_by_name()
        self.description = dict(description or {})
        self.samples, self.seed = samples, seed

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
            `forecast` (B, H, D), `quantiles` (B, H, D, Q), `levels` (B, Q), `valid` (B,).

        Raises:
            InputError: The series do not fit the model, or covariates are missing.
        """
        self._check(covariates, self.covariates)
        return self.answers_to(self._forecast, series, lengths, **covariates)

    def score(self, series: Any, lengths: Any = None, **covariates: Any) -> list[np.ndarray]:
        """The negative log-likelihood of each value given those before: (T, D) a series, in nats.

        Raises:
            InputError: The model cannot stream, or the series do not fit it.
        """
        self._check(covariates, [name for name in self.covariates if name != "future"])
        rows = self.rows_of(series, lengths)
        found = self.answers_to(self._score, rows, **covariates)["score"]
        return [each[: len(row)] for each, row in zip(found, rows, strict=True)]

    @property
    def covariates(self) -> list[str]:
        """Those of `future` and `static` that the model has."""
        return [name for name in COVARIATES if name in self.model.input]

    @staticmethod
    def _check(given: Mapping[str, Any], wanted: Any) -> None:
        if set(given) != set(wanted):
            raise InputError(
                f"the model takes {', '.join(wanted) or 'no covariates'}, got "
                f"{', '.join(sorted(given)) or 'none'}: give an array for each"
            )

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graph `model`; see `zoo.litert.architectures.forecaster`."""
        return litert.forecaster(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """The graph `model`; see `zoo.onnx.series.forecaster`."""
        return series.forecaster(self.model)

    def signatures(self) -> dict[str, Signature]:
        """Those that the class describes."""
        probe = self._probe()
        streams = {"streams": tf.range(3)}
        found = {
            "serving_default": Signature(self._forecast, probe),
            "description": Signature(self._describe, streams),
        }
        if getattr(self.model, "can_stream", False):
            whole = {name: value for name, value in probe.items() if name != "future"}
            start, step, values = self._stream(probe)
            found["score"] = Signature(self._score, whole)
            found["start"] = Signature(start, streams)
            found["step"] = Signature(step, values)
        return found

    @functools.cached_property
    def _forecast(self) -> Any:
        return self._graph(self._forecasted, self.covariates)

    @functools.cached_property
    def _score(self) -> Any:
        return self._graph(self._scored, [name for name in self.covariates if name == "static"])

    def _graph(self, method: Any, others: Any) -> Any:
        """The graph of a method of `values`, `lengths` and other inputs, by name."""
        specs = {name: self._spec(name) for name in ("values", *others)}
        return tf.function(method, autograph=False).get_concrete_function(
            **specs, lengths=integers("lengths")
        )

    @functools.cached_property
    def _describe(self) -> Any:
        def describe(streams: Any) -> dict[str, Any]:
            text = json.dumps(self.description)
            return {"description": tf.fill(tf.shape(streams), text)}

        return tf.function(describe, input_signature=[integers("streams")], autograph=False)

    def _spec(self, name: str) -> tf.TensorSpec:
        each = self.model.input[name]
        return tf.TensorSpec(each.shape, each.dtype, name=name)

    def _forecasted(self, values: Any, lengths: Any, **known: Any) -> dict[str, Any]:
        inputs, valid = self._checked(values, lengths, known)
        found = self.model.forecast(inputs, samples=self.samples, seed=self.seed)
        found = {
            name: tf.where(tf.reshape(valid, [-1, *[1] * (len(each.shape) - 1)]), each, 0.0)
            for name, each in found.items()
        }
        levels = tf.constant(self.model.head.quantiles, tf.float32)
        levels = tf.tile(levels[None], [tf.shape(values)[0], 1])
        return {**found, "levels": levels, "valid": valid}

    def _scored(self, values: Any, lengths: Any, **known: Any) -> dict[str, Any]:
        inputs, valid = self._checked(values, lengths, known)
        return {"score": self.model.score(inputs)[:, :-1], "valid": valid}

    def _checked(self, values: Any, lengths: Any, known: dict[str, Any]) -> Any:
        """The model's inputs, and which rows it can read."""
        inputs, valid = self.checked(values, lengths)
        for name, each in known.items():
            finite = tf.math.is_finite(each)
            valid &= tf.reduce_all(finite, axis=list(range(1, len(each.shape))))
            inputs[name] = tf.where(finite, each, 0.0)
        return inputs, valid

    def _stream(self, probe: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """The functions `start` and `step`, and inputs of the latter."""

        @tf.function(input_signature=[integers("streams")], autograph=False)
        def start(streams: Any) -> Any:
            return self.model.initial_states(tf.shape(streams)[0])

        states = start(tf.range(3))
        one = {"value": probe["values"][:3, 0]}
        specs = {"value": tf.TensorSpec([None, self.input_dim], tf.float32, name="value")}
        if "future" in probe:
            one["next_future"] = probe["future"][:3, 0]
            size = [None, probe["future"].shape[-1]]
            specs["next_future"] = tf.TensorSpec(size, tf.float32, name="next_future")
        if "static" in probe:
            one["static"] = probe["static"][:3]
            specs["static"] = self._spec("static")
        specs |= {
            name: tf.TensorSpec([None, *state.shape[1:]], state.dtype, name=name)
            for name, state in states.items()
        }

        @tf.function(autograph=False)
        def step(**given: Any) -> dict[str, Any]:
            own = {name: given[name] for name in states}
            others = ("next_future", "static")
            known: dict[str, Any] = {name: given[name] for name in others if name in given}
            count = tf.ones([tf.shape(given["value"])[0]], tf.int32)
            inputs, valid = self._checked(given["value"][:, None], count, known)
            losses, after = self.model.step(
                inputs["values"][:, 0], own, inputs.get("next_future"), inputs.get("static")
            )
            kept = {
                name: tf.where(tf.reshape(valid, [-1, *[1] * (len(s.shape) - 1)]), s, own[name])
                for name, s in after.items()
            }
            return {"score": tf.where(valid[:, None], losses, 0.0), "valid": valid, **kept}

        return start, step.get_concrete_function(**specs), {**one, **states}

    def _probe(self) -> dict[str, Any]:
        """Series of several lengths, some of them not valid, and their covariates."""
        rng = np.random.default_rng(2)
        inputs = self.series_probe()
        rows = len(inputs["lengths"])
        for name in self.covariates:
            shape = [rows, *self.model.input[name].shape[1:]]
            inputs[name] = tf.constant(rng.normal(size=shape), tf.float32)
        return inputs
