"""Scaling by each window's own values: instance normalisation and its inverse."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import require_choice
from zoo.layers.configured import ConfiguredLayer

KINDS = ("none", "last", "mean_std", "mean")
RELATIVE = 1e-5  # a deviation below this share of the mean is rounding


@keras.saving.register_keras_serializable("zoo")
class WindowScale(ConfiguredLayer, masking.MaskedLayer):
    """Shift and scale of each window, (B, 1, F) each, from its own observed values.

    values float (B, T, F), NaN = missing, mask (B, T) -> shift, scale; a window is read as
    (x - shift) / scale, and what is forecast for it is y scale + shift.

    - `none`: 0 and 1.
    - `last`: the last observed value and 1 (SegRNN, arXiv:2308.11200, section 3).
    - `mean_std`: mean and standard deviation (RevIN, Kim et al., ICLR 2022, without its learned
      affine map).
    - `mean`: 0 and the mean absolute value (DeepAR, arXiv:1704.04110, section 3.3, without the 1
      that it adds), for counts and other numbers that are not negative.

    A constant window has the scale 1.

    Args:
        kind: One of these.
        targets: The first columns, to which it applies; the others have 0 and 1. 0 = all.

    Raises:
        InputError: The kind is unknown.
    """

    def __init__(self, kind: str = "none", targets: int = 0, **kwargs: Any) -> None:
        require_choice("instance_norm", kind, KINDS)
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.kind, self.targets = kind, targets

    def call(self, values: Any, mask: Any) -> Any:
        known = ops.logical_and(mask[:, :, None], ops.isfinite(values))
        if self.targets:
            first = ops.arange(values.shape[2]) < self.targets
            known = ops.logical_and(known, first[None, None])
        filled = ops.where(known, values, 0.0)
        zeros = ops.sum(filled[:, :0], axis=1, keepdims=True)  # (B, 1, F)
        if self.kind == "none":
            return zeros, zeros + 1.0
        if self.kind == "last":
            return self._last(filled, known), zeros + 1.0
        count = ops.maximum(ops.sum(ops.cast(known, "float32"), axis=1, keepdims=True), 1.0)
        if self.kind == "mean":
            size = ops.sum(ops.abs(filled), axis=1, keepdims=True) / count
            return zeros, ops.where(size > 0, size, 1.0)
        mean = ops.sum(filled, axis=1, keepdims=True) / count
        rest = ops.where(known, filled - mean, 0.0)
        deviation = ops.sqrt(ops.sum(ops.square(rest), axis=1, keepdims=True) / count)
        return mean, ops.where(deviation > RELATIVE * ops.abs(mean), deviation, 1.0)

    @staticmethod
    def _last(filled: Any, known: Any) -> Any:
        """The last observed value of each column; 0 where there is none: (B, 1, F)."""
        places = ops.arange(ops.shape(filled)[1], dtype="int32")[None, :, None]
        last = masking.highest(ops.where(known, places, -1), axis=1, keepdims=True)
        return ops.sum(ops.where(places == last, filled, 0.0), axis=1, keepdims=True)

    def compute_output_spec(self, values: Any, mask: Any) -> Any:
        spec = keras.KerasTensor((values.shape[0], 1, values.shape[2]), "float32")
        return spec, keras.KerasTensor(spec.shape, "float32")


@keras.saving.register_keras_serializable("zoo")
class TargetScale(ConfiguredLayer):
    """The whole scaling of a forecaster's targets: that of the window and that of the training.

    shift, scale (B, 1, F) -> those of the first D columns, (B, 1, D) each, with the mean and the
    deviation of the training data that `set` takes: shift + scale mean, scale deviation.

    Args:
        targets: D.
    """

    def __init__(self, targets: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.targets = targets

    def build(self, *_shapes: Any, **_named: Any) -> None:
        size = (self.targets,)
        self.mean = self.add_weight(name="mean", shape=size, initializer="zeros", trainable=False)
        self.deviation = self.add_weight(
            name="deviation", shape=size, initializer="ones", trainable=False
        )

    def set(self, mean: Any, variance: Any) -> None:
        """Sets the statistics of the training data, (F,) each."""
        self.mean.assign(mean[: self.targets])
        self.deviation.assign(ops.sqrt(variance[: self.targets]))

    def call(self, shift: Any, scale: Any) -> Any:
        shift, scale = shift[..., : self.targets], scale[..., : self.targets]
        return shift + scale * self.mean, scale * self.deviation

    def compute_output_spec(self, shift: Any, scale: Any) -> Any:
        spec = keras.KerasTensor((*shift.shape[:-1], self.targets), "float32")
        return spec, keras.KerasTensor(spec.shape, "float32")
