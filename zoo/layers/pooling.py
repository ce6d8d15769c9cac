"""One vector for a whole sequence: states (B, T, D), mask -> (B, D). An empty row gives zeros.

The mask may have padding anywhere; without one all steps are real.
"""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import require_positive_int
from zoo.layers.configured import ConfiguredLayer


class _Pooling(masking.MaskedLayer):
    def compute_output_spec(self, states: Any, mask: Any = None) -> Any:
        return keras.KerasTensor((states.shape[0], states.shape[2]), self.compute_dtype)


@keras.saving.register_keras_serializable("zoo")
class MeanPooling(_Pooling):
    """The mean over the real tokens."""

    def call(self, states: Any, mask: Any = None) -> Any:
        return masking.masked_mean(states, _real(mask, states))


@keras.saving.register_keras_serializable("zoo")
class MaxPooling(_Pooling):
    """The maximum of each unit over the real tokens."""

    def call(self, states: Any, mask: Any = None) -> Any:
        mask = _real(mask, states)
        lowest = ops.full_like(states, -float("inf"))
        highest = masking.highest(ops.where(mask[:, :, None], states, lowest), axis=1)
        return ops.where(ops.any(mask, axis=1)[:, None], highest, 0)


@keras.saving.register_keras_serializable("zoo")
class AttentionPooling(ConfiguredLayer, _Pooling):
    """A learned weighted mean over the real tokens.

        u_t = tanh(W h_t + b)
        alpha_t = exp(u_t . v) / sum_t' exp(u_t' . v)
        s = sum_t alpha_t h_t

    Args:
        units: Size of u_t; by default that of the states.

    Source: Yang et al., Hierarchical Attention Networks (2016), equations 5 to 7.
    """

    def __init__(self, units: int | None = None, **kwargs: Any) -> None:
        if units is not None:
            require_positive_int("units", units)
        super().__init__(**kwargs)
        self.units = units

    def build(self, states_shape: Any, **_shapes: Any) -> None:
        width = states_shape[-1]
        units = self.units or width
        self.kernel = self.add_weight(name="kernel", shape=(width, units))
        self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")
        self.context = self.add_weight(name="context", shape=(units, 1))

    def call(self, states: Any, mask: Any = None) -> Any:
        real = _real(mask, states)
        alpha = self.weights_of(states, real)
        return ops.sum(alpha * ops.where(real[:, :, None], states, 0), axis=1)

    def weights_of(self, states: Any, real: Any) -> Any:
        """The weights alpha (B, T, 1) of states (B, T, D); 0 where `real`, bool (B, T), is not."""
        scores = ops.matmul(ops.tanh(ops.matmul(states, self.kernel) + self.bias), self.context)
        return masking.masked_softmax(scores, real[:, :, None], axis=1)


def _real(mask: Any, states: Any) -> Any:
    return masking.real_mask(mask, states, "the states", right_padded=False)
