"""Sequences of numbers: the mask of their lengths, and missing values."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_choice
from zoo.layers.configured import ConfiguredLayer
from zoo.layers.numeric.options import MISSING

NOT_FINITE = (
    "values have a NaN or an infinite number within a sequence, expected finite numbers: replace "
    "it, or build the model with missing='indicator' for NaN"
)
INFINITE = "values have an infinite number within a sequence, expected finite numbers or NaN"
BAD_LENGTHS = "lengths must be 0 to the number of steps, with one for each row of the values"


@keras.saving.register_keras_serializable("zoo")
class LengthMask(keras.layers.Layer):
    """The mask of sequences of numbers.

    values float (B, T, F), lengths int (B,) -> mask bool (B, T), True = a step of the sequence.

    Raises:
        InputError: When called: a length is below 0 or above T, or there is not one for each row.
    """

    def call(self, values: Any, lengths: Any) -> Any:
        masking.require_alike("lengths", lengths, "the values", values, axes=1)
        time = ops.shape(values)[1]
        lengths = ops.cast(lengths, "int32")
        fits = ops.all(ops.logical_and(lengths >= 0, lengths <= time))
        return masking.from_lengths(masking.require(fits, BAD_LENGTHS, lengths), time)

    def compute_output_spec(self, values: Any, lengths: Any) -> Any:
        return keras.KerasTensor(values.shape[:2], "bool")


@keras.saving.register_keras_serializable("zoo")
class ObservedValues(ConfiguredLayer, masking.MaskedLayer):
    """Fills padding and missing values of standardised sequences with 0, the training mean.

    values float (B, T, F), mask (B, T) -> (B, T, F), or (B, T, 2 F) followed by the indicators.

    Args:
        missing: A NaN within a sequence: an `error`, or 0 with an `indicator`, a second number for
            each that is 1 where it is missing. An infinite number is an error either way.

    Raises:
        InputError: `missing` has another value. When called: a number is missing or infinite.
    """

    def __init__(self, missing: str = "error", **kwargs: Any) -> None:
        require_choice("missing", missing, MISSING)
        super().__init__(**kwargs)
        self.missing = missing

    def call(self, values: Any, mask: Any) -> Any:
        real = mask[:, :, None]
        known = ops.isfinite(values)
        absent = ops.logical_and(ops.logical_not(known), real)
        if self.missing == "error":
            bad, sentence = absent, NOT_FINITE
        else:
            bad, sentence = ops.logical_and(absent, ops.logical_not(ops.isnan(values))), INFINITE
        filled = ops.where(ops.logical_and(known, real), values, 0.0)
        filled = masking.require(ops.logical_not(ops.any(bad)), sentence, filled)
        if self.missing == "error":
            return filled
        return ops.concatenate([filled, ops.cast(absent, filled.dtype)], axis=-1)

    def compute_output_spec(self, values: Any, mask: Any) -> Any:
        *outer, size = values.shape
        size = size * 2 if self.missing == "indicator" else size
        return keras.KerasTensor((*outer, size), self.compute_dtype)


def set_statistics(layer: keras.layers.Normalization, mean: Any, variance: Any) -> tuple[Any, Any]:
    """Sets mean and variance (F,) of a `Normalization` and returns them; a variance of 0 becomes 1.

    Raises:
        InputError: A mean or a variance is not finite: a column has no value at all.
    """
    mean, variance = np.asarray(mean), np.asarray(variance)
    for column in range(len(mean)):
        if not (mean[column] - mean[column] == 0 and variance[column] >= 0):
            raise InputError(
                f"column {column} (from 0) of the training data has no finite value: leave it out"
            )
    layer.adapt_mean.assign(mean)
    variance = np.where(variance > 0, variance, 1.0)
    layer.adapt_variance.assign(variance)
    layer.finalize_state()
    return mean, variance
