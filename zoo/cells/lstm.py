"""The long short-term memory."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell
from zoo.errors import InputError, require_bound
from zoo.registry import register


class FourGateCell(RecurrentCell):
    """The common part of the LSTMs: four gates, states h and c, the forget bias, the bound of c.

    Args:
        units: Hidden size K.
        forget_bias: Initial value of b_f; `bias_initializer` sets the other biases.
        cell_clip: Bound of |c|, or None for no bound.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.
    """

    num_gates = 4
    num_states = 2
    keeping_blocks = {1: 1, 0: -1}

    def __init__(
        self,
        units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(forget_bias, bool) or not isinstance(forget_bias, int | float):
            raise InputError(f"forget_bias must be a number, got {forget_bias!r}")
        super().__init__(units, **kwargs)
        require_bound("cell_clip", cell_clip)
        self.forget_bias = forget_bias
        self.cell_clip = cell_clip

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        is_forget = ops.arange(4 * self.units) // self.units == 1
        values = super()._initial_bias(shape, dtype)
        return ops.where(is_forget, ops.cast(self.forget_bias, values.dtype), values)

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        i, f, _, o = ops.split(ops.sigmoid(projected + recurrent), 4, axis=-1)
        return {"input": i, "forget": f, "output": o}

    def _clipped(self, c: Any) -> Any:
        return c if self.cell_clip is None else ops.clip(c, -self.cell_clip, self.cell_clip)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "forget_bias": self.forget_bias, "cell_clip": self.cell_clip}


@register("lstm")
@keras.saving.register_keras_serializable("zoo")
class LSTMCell(FourGateCell):
    """The long short-term memory with a forget gate.

        i_t = sigma(x_t W_i + h_(t-1) U_i + b_i)          input gate
        f_t = sigma(x_t W_f + h_(t-1) U_f + b_f)          forget gate
        g_t = tanh(x_t W_g + h_(t-1) U_g + b_g)           candidate
        o_t = sigma(x_t W_o + h_(t-1) U_o + b_o)          output gate
        c_t = f_t * c_(t-1) + i_t * g_t                   bounded by cell_clip, if given
        h_t = o_t * tanh(c_t)

    The gates are in the matrices in the order i, f, g, o, as in stock Keras. The states are h, c.

    Args:
        units: Hidden size K.
        forget_bias: Initial value of b_f; `bias_initializer` sets the other biases. With 1 the
            state is remembered from the start of training (Jozefowicz et al., 2015).
        cell_clip: Bound of |c|, or None for no bound.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Gers, Schmidhuber and Cummins, Learning to Forget (2000), without peepholes.
    """

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        i, f, g, o = ops.split(projected + recurrent, 4, axis=-1)
        c = self._clipped(ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g))
        return [ops.sigmoid(o) * ops.tanh(c), c]

    def forward(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """`combine` that also hands out the four gates for `backward`.

        sigma(z) = (1 + tanh(z / 2)) / 2 makes all gates one tanh.
        """
        scale = ops.repeat(ops.convert_to_tensor([0.5, 0.5, 1.0, 0.5]), self.units)
        gates = ops.tanh((projected + recurrent) * scale) * scale + (1 - scale)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        c = self._clipped(f * states[1] + i * g)
        return [o * ops.tanh(c), c], [gates]

    def backward(
        self, saved: list[Any], previous: list[Any], states: list[Any], d_states: list[Any]
    ) -> tuple[Any, Any, list[Any]]:
        """The gradients of x W + b, of h U and of the previous states.

        Args:
            saved: From `forward`: the gates (B, 4 K).
            previous: h_(t-1), c_(t-1).
            states: h_t, c_t.
            d_states: The gradients of h_t and c_t.

        Returns:
            Both gradients (B, 4 K), and those of the previous states without the way through h U.
        """
        i, f, g, o = ops.split(saved[0], 4, axis=-1)
        d_h, d_c = d_states
        tanh_c = ops.tanh(states[1])
        d_c = d_c + d_h * o * (1 - tanh_c * tanh_c)
        if self.cell_clip is not None:
            d_c = ops.where(ops.abs(states[1]) < self.cell_clip, d_c, 0)
        d_z = ops.concatenate(
            [
                d_c * g * i * (1 - i),
                d_c * previous[1] * f * (1 - f),
                d_c * i * (1 - g * g),
                d_h * tanh_c * o * (1 - o),
            ],
            axis=-1,
        )
        return d_z, d_z, [ops.zeros_like(d_h), d_c * f]
