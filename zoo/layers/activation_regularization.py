"""Penalties on the states of the last recurrent layer."""

from typing import Any

import keras
from keras import ops

from zoo.errors import InputError
from zoo.layers.configured import ConfiguredLayer
from zoo.masking import MaskedLayer, real_mask


@keras.saving.register_keras_serializable("zoo")
class ActivationRegularization(ConfiguredLayer, MaskedLayer):
    """Adds to the loss, in training, what keeps states small and slow.

    states (B, T, K), dropped states (B, T, K) and mask (B, T), all real by default -> the dropped
    states, unchanged.

        loss += ar mean(dropped^2) + tar mean((h_t - h_(t-1))^2)

    The means are over the elements at real tokens (of the second: at pairs of them).

    Args:
        ar: Weight of the states after dropout.
        tar: Weight of the change from step to step, before dropout.

    Raises:
        InputError: A weight is negative.

    Source: Merity, McCann and Socher, arXiv:1708.01009.
    """

    def __init__(self, ar: float = 0.0, tar: float = 0.0, **kwargs: Any) -> None:
        for name, weight in (("ar", ar), ("tar", tar)):
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
                raise InputError(f"{name} must be a number of at least 0, got {weight!r}")
        super().__init__(**kwargs)
        self.ar, self.tar = ar, tar

    def call(self, states: Any, dropped: Any, mask: Any = None, training: bool = False) -> Any:
        if training:
            mask = real_mask(mask, states, "the states", right_padded=False)
            pairs = ops.logical_and(mask[:, 1:], mask[:, :-1])
            changes = states[:, 1:] - states[:, :-1]
            penalty = self.ar * _mean_square(dropped, mask)
            self.add_loss(penalty + self.tar * _mean_square(changes, pairs))
        return dropped

    def compute_output_spec(
        self, states: Any, dropped: Any, mask: Any = None, **_named: Any
    ) -> Any:
        return keras.KerasTensor(dropped.shape, dropped.dtype)


def _mean_square(values: Any, mask: Any) -> Any:
    values = ops.where(mask[:, :, None], ops.cast(values, "float32"), 0)
    count = ops.sum(ops.cast(mask, "float32")) * values.shape[-1]
    return ops.sum(ops.square(values)) / ops.maximum(count, 1.0)
