"""SeriesForecaster: the history of series -> their next values."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.architectures.forecaster_model import Forecaster
from zoo.errors import InputError
from zoo.layers import States
from zoo.pipelines.pipeline import Pipeline, Signature, input_errors

SAMPLES = 200
PROBE_STEPS = 7


class SeriesForecaster(Pipeline):
    """Forecasts the next H values of series of numbers, in their own units.

    Signatures, all with the batch first:

    - `serving_default`: `values` float (B, T, F), NaN = missing if the model takes it, `lengths`
      int (B,), and `future` (B, H, G), `static` (B, S) if the model has them -> `forecast`
      (B, H, D), the median; `quantiles` (B, H, D, Q); `levels` (B, Q).
    - `description`: `values`, of which only the number of rows counts -> `description` string
      (B,), JSON of the columns.
    - Of a model that can stream, `score`: `values`, `lengths`, `static` -> `score` (B, T, D), the
      negative log-likelihood of each value given those before, in nats; `start`: `rows` int (B,)
      -> the states before the first value; `step`: `value` (B, F), `next_future` (B, G), `static`
      and the states -> `score` (B, D) and the states after it.

    Args:
        model: A `forecaster`, or an ensemble of them.
        description: What is known of the columns, for JSON.
        samples: Paths to draw, of a model that forecasts step by step.
        seed: Of these.
    """

    path_names, option_names = (), ("description", "samples", "seed")

    def __init__(
        self,
        model: keras.Model,
        description: Mapping[str, Any] | None = None,
        samples: int = SAMPLES,
        seed: int = 0,
    ) -> None:
        self.model: Any = Forecaster.of(model) if not hasattr(model, "forecast") else model
        self.description = dict(description or {})
        self.samples, self.seed = samples, seed
        self._forecast = self._traced(self._forecast_of, self._specs(("targets",)))

    def __call__(self, series: Any, **covariates: Any) -> list[np.ndarray]:
        """The median forecast (H, D) of each series; see `forecast`."""
        return list(self.forecast(series, **covariates)["forecast"])

    def forecast(self, series: Sequence[Any], **covariates: Any) -> dict[str, np.ndarray]:
        """Forecasts series of any lengths.

        Args:
            series: Arrays (T, F), or (T,) of one column.
            **covariates: `future` (B, H, G) and `static` (B, S), if the model has them.

        Returns:
            `forecast` (B, H, D), `quantiles` (B, H, D, Q), `levels` (B, Q).

        Raises:
            InputError: The arrays have other columns than the model, or it lacks covariates.
        """
        inputs = self.inputs_of(series, **covariates)
        with input_errors():
            found = self._forecast(**inputs)
        return {name: value.numpy() for name, value in found.items()}

    def score(self, series: Sequence[Any], **covariates: Any) -> list[np.ndarray]:
        """The negative log-likelihood of each value given those before: (T, D) a series, in nats.

        Raises:
            InputError: The model cannot stream, or the arrays have other columns.
        """
        inputs = self.inputs_of(series, **covariates)
        with input_errors():
            found = np.asarray(self.model.score(inputs))
        return [row[:length] for row, length in zip(found, inputs["lengths"], strict=True)]

    def inputs_of(self, series: Sequence[Any], **covariates: Any) -> dict[str, np.ndarray]:
        """Puts series of any lengths into one array.

        Raises:
            InputError: The arrays have other columns than the model, or it lacks covariates.
        """
        columns = self.model.input["values"].shape[-1]
        rows = [np.asarray(each, "float32") for each in series]
        rows = [row[:, None] if row.ndim == 1 else row for row in rows]
        for number, row in enumerate(rows):
            if row.ndim != 2 or row.shape[1] != columns:
                raise InputError(
                    f"series {number} (from 0) has the shape {row.shape}, expected (steps, "
                    f"{columns}): give an array with the model's {columns} columns"
                )
        lengths = np.array([len(row) for row in rows], "int32")
        values = np.zeros((len(rows), max(lengths, default=0), columns), "float32")
        for place, row in enumerate(rows):
            values[place, : len(row)] = row
        wanted = {name for name in self.model.input if name in ("future", "static")}
        if set(covariates) != wanted:
            raise InputError(
                f"the model takes {', '.join(sorted(wanted)) or 'no covariates'}, got "
                f"{', '.join(sorted(covariates)) or 'none'}: give an array for each"
            )
        others = {name: np.asarray(value, "float32") for name, value in covariates.items()}
        return {"values": values, "lengths": lengths, **others}

    def signatures(self) -> dict[str, Signature]:
        """Those that the class describes."""
        probe = self._probe()
        values = {"values": probe["values"]}
        describe = self._traced(self._description_of, {"values": self._specs()["values"]})
        found = {
            "serving_default": Signature(self._forecast, probe),
            "description": Signature(describe, values),
        }
        if getattr(self.model, "can_stream", False):
            found |= self._stream(probe)
        return found

    def _stream(self, probe: dict[str, Any]) -> dict[str, Signature]:
        whole = {name: value for name, value in probe.items() if name != "future"}
        score = self._traced(self._score_of, self._specs(("targets", "future")))

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.int32, name="rows")], autograph=False
        )
        def start(rows: Any) -> Any:
            return self.model.initial_states(tf.shape(rows)[0])

        states = start(tf.range(3))
        columns = self.model.input["values"].shape[-1]
        specs = {"value": tf.TensorSpec([None, columns], tf.float32, name="value")}
        one = {"value": probe["values"][:, 0]}
        if "future" in probe:
            size = probe["future"].shape[-1]
            specs["next_future"] = tf.TensorSpec([None, size], tf.float32, name="next_future")
            one["next_future"] = probe["future"][:, 0]
        if "static" in probe:
            specs["static"] = self._specs()["static"]
            one["static"] = probe["static"]
        specs |= {
            name: tf.TensorSpec([None, *state.shape[1:]], state.dtype, name=name)
            for name, state in states.items()
        }

        @tf.function(autograph=False)
        def step(**given: Any) -> dict[str, Any]:
            own: States = {name: given[name] for name in states}
            losses, after = self.model.step(
                given["value"], own, given.get("next_future"), given.get("static")
            )
            return {"score": losses, **after}

        return {
            "score": Signature(score, whole),
            "start": Signature(start, {"rows": tf.range(3)}),
            "step": Signature(step.get_concrete_function(**specs), {**one, **states}),
        }

    def _forecast_of(self, **inputs: Any) -> dict[str, Any]:
        found = self.model.forecast(inputs, samples=self.samples, seed=self.seed)
        levels = tf.constant(self.model.head.quantiles, tf.float32)
        rows = tf.shape(inputs["values"])[0]
        return {**found, "levels": tf.tile(levels[None], [rows, 1])}

    def _score_of(self, **inputs: Any) -> dict[str, Any]:
        return {"score": self.model.score(inputs)}

    def _description_of(self, values: Any) -> dict[str, Any]:
        return {"description": tf.fill([tf.shape(values)[0]], json.dumps(self.description))}

    def _specs(self, without: Sequence[str] = ()) -> dict[str, tf.TensorSpec]:
        return {
            name: tf.TensorSpec(each.shape, each.dtype, name=name)
            for name, each in self.model.input.items()
            if name not in without
        }

    @staticmethod
    def _traced(function: Any, specs: Mapping[str, tf.TensorSpec]) -> Any:
        return tf.function(function, autograph=False).get_concrete_function(**specs)

    def _probe(self) -> dict[str, Any]:
        """Three series, one of them without values, around the training data's mean."""
        rng = np.random.default_rng(0)
        inputs = {"lengths": tf.constant([PROBE_STEPS, 3, 0], tf.int32)}
        for name, spec in self._specs(("targets", "lengths")).items():
            shape = [3, *(PROBE_STEPS if size is None else size for size in spec.shape[1:])]
            inputs[name] = tf.constant(1 + np.abs(rng.normal(size=shape)), tf.float32)
        return inputs
