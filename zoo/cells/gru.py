"""Gated recurrent units: with the update gate alone, and with the reset gate as well."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, dropped
from zoo.errors import require_bool
from zoo.registry import register


def cut(values: Any, size: int) -> list[Any]:
    """The first `size` columns, and the others.

    `ops.split` does this with a dozen TensorFlow operations that work out the sizes: without a
    graph they take longer than the rest of a step.
    """
    if keras.backend.backend() == "tensorflow" and not isinstance(values, keras.KerasTensor):
        import tensorflow as tf

        return list(tf.split(values, [size, -1], axis=-1))
    return list(ops.split(values, [size], axis=-1))


@register("gru_simple")
@keras.saving.register_keras_serializable("zoo")
class SimpleGRUCell(RecurrentCell):
    """The simplified GRU: an update gate and no reset gate.

        u_t = sigma(x_t W_u + h_(t-1) U_u + b_u)            update gate
        h~_t = tanh(x_t W_h + h_(t-1) U_h + b_h)
        h_t = u_t * h~_t + (1 - u_t) * h_(t-1)

    The gates are in the matrices in the order u, h. Note that u weights the new value, whereas the
    z of `GRUCell` weights the old one.

    Args:
        units: Hidden size K.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: A. Ng, Sequence Models (2018), "Gated Recurrent Unit", simplified form; Cho et al.,
    arXiv:1406.1078, with r = 1.
    """

    num_gates = 2
    keeping_blocks = {0: -1}

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        u, candidate = ops.split(projected + recurrent, 2, axis=-1)
        h = states[0]
        return [h + ops.sigmoid(u) * (ops.tanh(candidate) - h)]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        u = ops.sigmoid((projected + recurrent)[..., : self.units])
        return {"update": u, "kept": 1 - u}


@register("gru")
@keras.saving.register_keras_serializable("zoo")
class GRUCell(RecurrentCell):
    """The gated recurrent unit, with update and reset gates.

        z_t = sigma(x_t W_z + h_(t-1) U_z + b_z)                        update gate
        r_t = sigma(x_t W_r + h_(t-1) U_r + b_r)                        reset gate
        h~_t = tanh(x_t W_h + r_t * (h_(t-1) U_h + c_h) + b_h)          reset_after=True
        h~_t = tanh(x_t W_h + (r_t * h_(t-1)) U_h + b_h)                reset_after=False
        h_t = z_t * h_(t-1) + (1 - z_t) * h~_t

    The gates are in the matrices in the order z, r, h, as in stock Keras. The paper's first version
    has z and 1 - z the other way round; these are the equations of stock Keras and cuDNN.

    Args:
        units: Hidden size K.
        reset_after: Whether the reset gate is applied after the recurrent product, which then has
            a bias c, or before it.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Cho et al., arXiv:1406.1078, equations 5 to 8 (`reset_after=False`); the other form is
    in the first version of that paper and in cuDNN.
    """

    num_gates = 3
    keeping_blocks = {0: 1}
    additive = False

    def __init__(self, units: int, reset_after: bool = True, **kwargs: Any) -> None:
        require_bool("reset_after", reset_after)
        super().__init__(units, **kwargs)
        self.reset_after = reset_after

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (2, width) if self.reset_after else (width,)

    @property
    def recurrent_bias(self) -> Any:
        return self.bias[1] if self.reset_after else None

    @property
    def input_bias(self) -> Any:
        return self.bias[0] if self.reset_after else self.bias

    @property
    def separable(self) -> bool:
        own = type(self)
        return self.reset_after and own.step is GRUCell.step and own.has_current_parts()

    def step(
        self,
        projected: Any,
        states: list[Any],
        recurrent_kernel: Any = None,
        recurrent_mask: Any = None,
        recurrent_bias: Any = None,
        vectors: list[Any] | None = None,
    ) -> Any:
        if self.reset_after:
            return super().step(
                projected, states, recurrent_kernel, recurrent_mask, recurrent_bias, vectors
            )
        kernel = self.recurrent_kernel if recurrent_kernel is None else recurrent_kernel
        h = states[0]
        seen = dropped(h, recurrent_mask)
        x_gates, x_h = cut(projected, 2 * self.units)
        u_gates, u_h = cut(kernel, 2 * self.units)
        z, r = ops.split(ops.sigmoid(x_gates + ops.matmul(seen, u_gates)), 2, axis=-1)
        candidate = ops.tanh(x_h + ops.matmul(r * seen, u_h))
        h = candidate + z * (h - candidate)
        return h, [h]

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        return self.forward(projected, recurrent, states, vectors)[0]

    def forward(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """`combine` that also hands out the gates, h~ and the product for `backward`."""
        x_gates, x_h = cut(projected, 2 * self.units)
        h_gates, product = cut(recurrent, 2 * self.units)
        gates = ops.sigmoid(x_gates + h_gates)
        z, r = ops.split(gates, 2, axis=-1)
        candidate = ops.tanh(x_h + r * product)
        return [candidate + z * (states[0] - candidate)], [gates, candidate, product]

    def backward(
        self, saved: list[Any], previous: list[Any], states: list[Any], d_states: list[Any]
    ) -> tuple[Any, Any, list[Any]]:
        """The gradients of x W + b, of h U + c and of the previous state; see `LSTMCell`."""
        gates, candidate, product = saved
        z, r = ops.split(gates, 2, axis=-1)
        d_candidate = d_states[0] * (1 - z) * (1 - candidate * candidate)
        d_z = d_states[0] * (previous[0] - candidate) * z * (1 - z)
        d_r = d_candidate * product * r * (1 - r)
        d_projected = ops.concatenate([d_z, d_r, d_candidate], axis=-1)
        d_recurrent = ops.concatenate([d_z, d_r, d_candidate * r], axis=-1)
        return d_projected, d_recurrent, [d_states[0] * z]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """z, which is the share of the old state as well, and r."""
        both = 2 * self.units
        z, r = ops.split(ops.sigmoid(projected[..., :both] + recurrent[..., :both]), 2, axis=-1)
        return {"update": z, "reset": r, "kept": z}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reset_after": self.reset_after}
