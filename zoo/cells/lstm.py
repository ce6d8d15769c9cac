"""The long short-term memory."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, dropped
from zoo.errors import InputError
from zoo.registry import register


@register("lstm")
@keras.saving.register_keras_serializable("zoo")
class LSTMCell(RecurrentCell):
    """The long short-term memory with a forget gate.

        i_t = sigma(x_t W_i + h_(t-1) U_i + b_i)          input gate (the lectures' update gate)
        f_t = sigma(x_t W_f + h_(t-1) U_f + b_f)          forget gate
        g_t = tanh(x_t W_g + h_(t-1) U_g + b_g)           candidate
        o_t = sigma(x_t W_o + h_(t-1) U_o + b_o)          output gate
        c_t = f_t * c_(t-1) + i_t * g_t
        h_t = o_t * tanh(c_t)

    `*` is the product of elements. The gates stand in the matrices in the order i, f, g, o, as in
    stock Keras; the states are h, c.

    Args:
        units: Hidden size K.
        forget_bias: What b_f starts from; 1 lets the gradient through at the start
            (Jozefowicz et al., 2015).
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Gers, Schmidhuber and Cummins, Learning to Forget (2000), without peepholes.
    """

    num_gates = 4
    num_states = 2

    def __init__(self, units: int, forget_bias: float = 1.0, **kwargs: Any) -> None:
        if isinstance(forget_bias, bool) or not isinstance(forget_bias, int | float):
            raise InputError(f"forget_bias must be a number, got {forget_bias!r}")
        super().__init__(units, **kwargs)
        self.forget_bias = forget_bias

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        is_forget = ops.arange(4 * self.units) // self.units == 1
        self.bias.assign_add(ops.cast(is_forget, self.bias.dtype) * self.forget_bias)

    def step(self, projected: Any, states: list[Any], recurrent_mask: Any = None) -> Any:
        h, c = states
        z = projected + ops.matmul(dropped(h, recurrent_mask), self.recurrent_kernel)
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "forget_bias": self.forget_bias}
