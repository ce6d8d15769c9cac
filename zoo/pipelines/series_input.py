"""`SeriesPipeline`: what pipelines that read series of numbers share."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import InputError
from zoo.layers.numeric import pad_series
from zoo.layers.numeric.observed import INFINITE, NOT_FINITE
from zoo.onnx import series
from zoo.pipelines.pipeline import Answers, Pipeline, Signature, integers, joined
from zoo.system.bounded_batches import batches

NUMBERS = 2**22  # of a batch at most when series are answered in Python, padding counted


class Checked(NamedTuple):
    """Served series after their check.

    Attributes:
        inputs: The model's inputs: those that it refuses are replaced by 0.
        valid: Bool (B,), which rows the model can read.
    """

    inputs: dict[str, Any]
    valid: Any


class SeriesPipeline(Pipeline):
    """A pipeline whose model reads `values` float (B, T, F) and `lengths` int (B,).

    A served series with a number that the model refuses, or without a step, is not `valid`; it
    changes no other row's answer. A length is set to the nearest value from 0 to T.

    Raises:
        InputError: The model reads no series.
    """

    path_names = ()

    def __init__(self, model: keras.Model, others: Sequence[str] = ()) -> None:
        inputs = model.input if isinstance(model.input, dict) else {}
        if set(inputs) - set(others) != {"values", "lengths"}:
            raise InputError(
                f"{model.name!r} reads no series of numbers: build it with input_dim, such as "
                "zoo.build('many_to_one', input_dim=3, num_classes=2)"
            )
        self.model = model
        self.layers: dict[str, Any] = {layer.name: layer for layer in model.layers}

    @property
    def input_dim(self) -> int:
        """F, the numbers of each step."""
        return int(self.model.input["values"].shape[-1])

    def onnx_content(self) -> dict[str, Any]:
        """What a caller must know of the numbers."""
        return {"numbers": series.numbers(self.model)}

    @property
    def sample_rate(self) -> int:
        """Samples per second of the waveforms that the model reads; 0 for other series."""
        log_mel = self.layers.get("log_mel")
        return log_mel.sample_rate if log_mel else 0

    @property
    def allows_missing(self) -> bool:
        """Whether NaN is a missing value, and not an error."""
        return bool(self.layers["observed"].missing == "indicator")

    def on_series(self, method: Callable[..., Any], *specs: tf.TensorSpec) -> Any:
        """A `tf.function` of `values`, `lengths` and further inputs."""
        values = tf.TensorSpec([None, None, self.input_dim], tf.float32, name="values")
        signature = [values, integers("lengths"), *specs]
        return tf.function(method, input_signature=signature, autograph=False)

    def checked(self, values: Any, lengths: Any) -> Checked:
        """The model's inputs, with a step of padding at least, and which rows are valid."""
        values = tf.pad(values, [(0, 0), (0, 1), (0, 0)])
        lengths = tf.clip_by_value(lengths, 0, tf.shape(values)[1] - 1)
        own = tf.sequence_mask(lengths, tf.shape(values)[1])[:, :, None]
        valid = tf.reduce_all(self._is_known(values) | ~own, axis=[1, 2]) & (lengths > 0)
        values = tf.where(valid[:, None, None], values, 0.0)
        return Checked({"values": values, "lengths": lengths}, valid)

    def _is_known(self, values: Any) -> Any:
        known = tf.math.is_finite(values)
        return known | tf.math.is_nan(values) if self.allows_missing else known

    def answers_to(
        self, function: Callable[..., Any], series: Any, lengths: Any = None, **options: Any
    ) -> Answers:
        """Calls a function of `on_series` on series in Python, in batches of like lengths.

        Args:
            function: What is called.
            series: A list of series (T, F), or one of them, or an array (B, T, F).
            lengths: Of an array (B, T, F): int (B,), by default T each.
            **options: Further inputs, an array (B, ...) or one value for all.

        Returns:
            Name -> array, a row for each series.

        Raises:
            InputError: The series do not fit the model.
        """
        rows = self.rows_of(series, lengths)
        columns = {name: _column(name, value, len(rows)) for name, value in options.items()}
        sizes = [row.size for row in rows]
        parts, order = [], []
        for members in batches(sizes, self.rows, NUMBERS) if rows else []:
            inputs = pad_series([rows[member] for member in members])
            inputs |= {name: column[members] for name, column in columns.items()}
            tensors = {name: tf.constant(value) for name, value in inputs.items()}
            found = self.called(function, tensors)
            parts.append({name: value.numpy() for name, value in found.items()})
            order += members
        if not parts:
            raise InputError("there is no series to answer: give one or more")
        back = np.argsort(np.array(order))
        return {name: joined([part[name] for part in parts])[back] for name in parts[0]}

    def rows_of(self, series: Any, lengths: Any = None) -> list[np.ndarray]:
        """Series as a list of float32 (T, F); see `answers_to`.

        Raises:
            InputError: They do not fit the model.
        """
        one = not isinstance(series, list | tuple) and np.ndim(series) < 3
        rows = [np.asarray(row, np.float32) for row in ([series] if one else series)]
        if lengths is not None:
            rows = [row[:length] for row, length in zip(rows, lengths, strict=True)]
        if self.input_dim == 1:
            rows = [row[:, None] if row.ndim == 1 else row for row in rows]
        for place, row in enumerate(rows):
            if row.ndim != 2 or row.shape[1] != self.input_dim or not len(row):
                raise InputError(
                    f"series {place} has the shape {row.shape}, expected one step or more of "
                    f"{self.input_dim} numbers, (T, {self.input_dim}): reshape it"
                )
            if np.isinf(row).any() or (not self.allows_missing and np.isnan(row).any()):
                raise InputError(
                    f"series {place}: {INFINITE if self.allows_missing else NOT_FINITE}"
                )
        return rows

    def series_probe(self) -> dict[str, Any]:
        """Inputs on which an export is compared: several lengths, one row that is not valid."""
        rng = np.random.default_rng(0)
        lengths = np.array([40, 7, 1, 0, 99, -3], np.int32)
        values = rng.normal(size=(len(lengths), 40, self.input_dim)).astype(np.float32)
        normalization = self.layers["normalization"]
        if not self.sample_rate:  # in the range of the data
            mean, variance = (np.asarray(normalization.get_weights()[n]) for n in (0, 1))
            values = values * np.sqrt(variance) + mean
        values[1, 3] = np.nan
        return {"values": tf.constant(values, tf.float32), "lengths": tf.constant(lengths)}

    def rate_signature(self) -> dict[str, Signature]:
        """Of a model of waveforms the signature `sample_rate`.

        It takes `streams` int32 (B,), a number a row, of any value, and returns `sample_rate` int32
        (B,), the samples per second that the model expects.
        """
        if not self.sample_rate:
            return {}
        return {"sample_rate": Signature(self._rate, {"streams": tf.range(2)})}

    @functools.cached_property
    def _rate(self) -> Any:
        def rate(streams: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"sample_rate": tf.fill(tf.shape(streams), self.sample_rate)}

        return tf.function(rate, input_signature=[integers("streams")], autograph=False)


def _column(name: str, value: Any, rows: int) -> np.ndarray:
    """A value for each row; fractions are float32."""
    column = np.asarray(value)
    column = column.astype(np.float32) if column.dtype.kind == "f" else column
    if column.ndim and len(column) != rows:
        raise InputError(
            f"{name} has the shape {column.shape}, expected an entry for each of {rows} series"
        )
    return np.broadcast_to(column, [rows, *column.shape[1:]])


def require_names(size: int, names: Sequence[str], what: str) -> None:
    """Raises unless there is a name for each of a model's outputs.

    Raises:
        InputError: There are more or fewer.
    """
    if size != len(names):
        raise InputError(
            f"the model returns {size} logits, but {what} has {len(names)} names: give one for "
            "each, in the order of the ids"
        )
