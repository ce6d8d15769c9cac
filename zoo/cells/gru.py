"""The gated recurrent unit."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, dropped
from zoo.errors import require_bool
from zoo.registry import register


@register("gru")
@keras.saving.register_keras_serializable("zoo")
class GRUCell(RecurrentCell):
    """The gated recurrent unit.

        z_t = sigma(x_t W_z + h_(t-1) U_z + b_z)                        update gate
        r_t = sigma(x_t W_r + h_(t-1) U_r + b_r)                        reset gate
        h~_t = tanh(x_t W_h + r_t * (h_(t-1) U_h + c_h) + b_h)          reset_after=True
        h~_t = tanh(x_t W_h + (r_t * h_(t-1)) U_h + b_h)                reset_after=False
        h_t = z_t * h_(t-1) + (1 - z_t) * h~_t

    `*` is the product of elements. The gates stand in the matrices in the order z, r, h, as in
    stock Keras. The paper's first version writes z where its later one writes 1 - z; this is the
    latter, the one of stock Keras and cuDNN.

    Args:
        units: Hidden size K.
        reset_after: Reset gate after the recurrent product (with a bias c of its own) or before it.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Cho et al., arXiv:1406.1078, equations 5 to 8 (`reset_after=False`); the other form is
    that of the first version of that paper and of cuDNN.
    """

    num_gates = 3

    def __init__(self, units: int, reset_after: bool = True, **kwargs: Any) -> None:
        require_bool("reset_after", reset_after)
        super().__init__(units, **kwargs)
        self.reset_after = reset_after

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (2, width) if self.reset_after else (width,)

    def project(self, inputs: Any) -> Any:
        bias = self.bias[0] if self.reset_after else self.bias
        return ops.matmul(inputs, self.kernel) + bias

    def step(self, projected: Any, states: list[Any], recurrent_mask: Any = None) -> Any:
        h = states[0]
        seen = dropped(h, recurrent_mask)
        x_z, x_r, x_h = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            recurrent = ops.matmul(seen, self.recurrent_kernel) + self.bias[1]
            h_z, h_r, h_h = ops.split(recurrent, 3, axis=-1)
        else:
            gates = ops.matmul(seen, self.recurrent_kernel[:, : 2 * self.units])
            h_z, h_r = ops.split(gates, 2, axis=-1)
        z = ops.sigmoid(x_z + h_z)
        r = ops.sigmoid(x_r + h_r)
        if self.reset_after:
            reset = r * h_h
        else:
            reset = ops.matmul(r * seen, self.recurrent_kernel[:, 2 * self.units :])
        h = z * h + (1 - z) * ops.tanh(x_h + reset)
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reset_after": self.reset_after}
