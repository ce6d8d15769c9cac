"""Relatives of the LSTM: with peepholes, with layer normalisation, with exponential gates."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import FORGET_GATES, RecurrentCell, require_heads
from zoo.cells.lstm import FourGateCell
from zoo.errors import require_choice
from zoo.registry import register

EPSILON = 1e-5
# a log weight that leaves nothing of the state before the first step, below every gate
EMPTY = -(2.0**100)
EMPTY_HALF = -(2.0**15)  # in float16


@register("lstm_peephole")
@keras.saving.register_keras_serializable("zoo")
class PeepholeLSTMCell(FourGateCell):
    """The LSTM with peepholes: its gates also depend on the cell state.

        i_t = sigma(x_t W_i + h_(t-1) U_i + p_i * c_(t-1) + b_i)
        f_t = sigma(x_t W_f + h_(t-1) U_f + p_f * c_(t-1) + b_f)
        g_t = tanh(x_t W_g + h_(t-1) U_g + b_g)
        c_t = f_t * c_(t-1) + i_t * g_t
        o_t = sigma(x_t W_o + h_(t-1) U_o + p_o * c_t + b_o)
        h_t = o_t * tanh(c_t)

    `peepholes` is p, (3, K), in the order i, f, o.

    Args:
        units: Hidden size K.
        **kwargs: The other arguments of `LSTMCell`.

    Source: Gers, Schraudolph and Schmidhuber, Learning Precise Timing with LSTM Recurrent Networks,
    JMLR 3 (2002).
    """

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.peepholes = self.add_weight((3, self.units), "glorot_uniform", name="peepholes")

    def vectors(self) -> list[Any]:
        return [self.peepholes]

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        c = states[1]
        i, f, g, o = ops.split(projected + recurrent, 4, axis=-1)
        p_i, p_f, p_o = vectors[0][0], vectors[0][1], vectors[0][2]
        i = ops.sigmoid(i + p_i * c)
        f = ops.sigmoid(f + p_f * c)
        c = self._clipped(f * c + i * ops.tanh(g))
        return [ops.sigmoid(o + p_o * c) * ops.tanh(c), c]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        c, peepholes = states[1], vectors[0]
        i, f, g, o = ops.split(projected + recurrent, 4, axis=-1)
        i, f = ops.sigmoid(i + peepholes[0] * c), ops.sigmoid(f + peepholes[1] * c)
        c = self._clipped(f * c + i * ops.tanh(g))
        return {"input": i, "forget": f, "output": ops.sigmoid(o + peepholes[2] * c)}


@register("lstm_layer_norm")
@keras.saving.register_keras_serializable("zoo")
class LayerNormLSTMCell(FourGateCell):
    """The LSTM with layer normalisation of both products and the cell state.

        (i_t; f_t; g_t; o_t) = LN(h_(t-1) U; alpha_1) + LN(x_t W; alpha_2) + b
        c_t = sigma(f_t) * c_(t-1) + sigma(i_t) * tanh(g_t)
        h_t = sigma(o_t) * tanh(LN(c_t; alpha_3, beta_3))
        LN(z; alpha, beta) = (z - mean(z)) / sqrt(variance(z) + 1e-5) * alpha + beta

    Mean and variance are over the 4 K values of a product, or the K values of c. b is the sum of
    the paper's beta_1 and beta_2.

    Args:
        units: Hidden size K.
        **kwargs: The other arguments of `LSTMCell`.

    Source: Ba, Kiros and Hinton, arXiv:1607.06450, equations 20 to 22.
    """

    additive = False

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        width = 4 * self.units
        self.recurrent_gain = self.add_weight((width,), "ones", name="recurrent_gain")
        self.input_gain = self.add_weight((width,), "ones", name="input_gain")
        self.state_gain = self.add_weight((self.units,), "ones", name="state_gain")
        self.state_bias = self.add_weight((self.units,), "zeros", name="state_bias")

    @property
    def input_kernel(self) -> Any:
        return None

    def vectors(self) -> list[Any]:
        return [self.recurrent_gain, self.state_gain, self.state_bias]

    def input_product(self, inputs: Any) -> Any:
        return _normalized(super().input_product(inputs)) * self.input_gain

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        recurrent_gain, state_gain, state_bias = vectors
        z = projected + _normalized(recurrent) * recurrent_gain
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = self._clipped(ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g))
        shown = _normalized(c) * state_gain + state_bias
        return [ops.sigmoid(o) * ops.tanh(shown), c]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        return super().gates(projected, _normalized(recurrent) * vectors[0], states, vectors)


def _normalized(values: Any) -> Any:
    centred = values - ops.mean(values, axis=-1, keepdims=True)
    variance = ops.mean(centred * centred, axis=-1, keepdims=True)
    return centred * ops.rsqrt(variance + EPSILON)


@register("slstm")
@keras.saving.register_keras_serializable("zoo")
class SLSTMCell(RecurrentCell):
    """The scalar LSTM of xLSTM: an exponential input gate, a normaliser and a stabiliser.

        z_t = tanh(x_t W_z + h_(t-1) U_z + b_z)
        i_t = exp(i~_t), i~_t = x_t W_i + h_(t-1) U_i + b_i
        f_t = sigma(f~_t) or exp(f~_t), f~_t = x_t W_f + h_(t-1) U_f + b_f
        o_t = sigma(x_t W_o + h_(t-1) U_o + b_o)
        m_t = max(log f_t + m_(t-1), i~_t)
        c_t = exp(log f_t + m_(t-1) - m_t) * c_(t-1) + exp(i~_t - m_t) * z_t
        n_t = exp(log f_t + m_(t-1) - m_t) * n_(t-1) + exp(i~_t - m_t)
        h_t = o_t * c_t / n_t

    The stabiliser m prevents overflow of the exponentials and does not change h. The gates are in
    the matrices in the order i, f, z, o. The states are h, c, n, m. With several heads the matrices
    U are block-diagonal: units are mixed within their head alone. `recurrent_kernel` then has the
    blocks, (H, K / H, 4 K / H).

    Args:
        units: Hidden size K.
        num_heads: H, number of heads; K must be a multiple of it.
        forget_gate: Either `sigmoid` or `exponential`; the paper allows both.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: `num_heads` does not divide K, or `forget_gate` is another word.

    Source: Beck et al., xLSTM, arXiv:2405.04517, equations 8 to 17; heads in section 2.2.
    """

    num_gates = 4
    num_states = 4
    keeping_blocks = {1: 1, 0: -1}

    def __init__(
        self,
        units: int,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        num_heads: int = 1,
        forget_gate: str = "sigmoid",
        **kwargs: Any,
    ) -> None:
        require_choice("forget_gate", forget_gate, FORGET_GATES)
        super().__init__(
            units,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            **kwargs,
        )
        require_heads(units, num_heads)
        self.num_heads, self.forget_gate = num_heads, forget_gate

    def _recurrent_shape(self, width: int) -> tuple[int, ...]:
        if self.num_heads == 1:
            return super()._recurrent_shape(width)
        return (self.num_heads, self.units // self.num_heads, width // self.num_heads)

    @property
    def recurrent_kernel(self) -> Any:
        """U, (K, 4 K), block-diagonal for each gate; None before the cell is built."""
        blocks = getattr(self, "_recurrent_blocks", None)
        if blocks is None or self.num_heads == 1:
            return blocks
        heads, size = self.num_heads, self.units // self.num_heads
        apart = ops.reshape(blocks, (heads, size, self.num_gates, 1, size))
        own = ops.reshape(ops.eye(heads, dtype=apart.dtype), (heads, 1, 1, heads, 1))
        return ops.reshape(apart * own, (self.units, self.num_gates * self.units))

    @recurrent_kernel.setter
    def recurrent_kernel(self, weight: Any) -> None:
        self._recurrent_blocks = weight

    def _log_forget(self, f: Any) -> Any:
        return f if self.forget_gate == "exponential" else ops.log_sigmoid(f)

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        _, c, n, m = states
        i, f, z, o = ops.split(projected + recurrent, 4, axis=-1)
        remembered = self._log_forget(f) + m
        m = ops.maximum(remembered, i)
        forget, enter = ops.exp(remembered - m), ops.exp(i - m)
        c = forget * c + enter * ops.tanh(z)
        n = forget * n + enter
        return [ops.sigmoid(o) * c / n, c, n, m]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """The stabilised factors: `kept` of the old sum, `input` of the new value.

        An exponential forget gate has no value between 0 and 1 but `kept`.
        """
        i, f, _, o = ops.split(projected + recurrent, 4, axis=-1)
        remembered = self._log_forget(f) + states[3]
        m = ops.maximum(remembered, i)
        kept, enter = ops.exp(remembered - m), ops.exp(i - m)
        found = {"input": enter, "output": ops.sigmoid(o), "kept": kept}
        return found if self.forget_gate == "exponential" else {**found, "forget": ops.sigmoid(f)}

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros, and an m so small that the first input is all there is."""
        *zeros, m = super().get_initial_state(batch_size)
        return [*zeros, m + (EMPTY_HALF if self.compute_dtype == "float16" else EMPTY)]

    def bridged_state(self, values: list[Any]) -> list[Any]:
        """What is handed over weighs about as much as an input; the normaliser is positive."""
        h, c, n, m = values
        return [h, c, ops.exp(n), m]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "num_heads": self.num_heads, "forget_gate": self.forget_gate}
