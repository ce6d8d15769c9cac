"""The cells with a matrix-valued state: mLSTM, Gated DeltaNet, HGRN2."""

import math
from typing import Any

import keras
from keras import ops

from zoo.cells.cell import FORGET_GATES
from zoo.cells.matrix import MatrixCell, Writes
from zoo.cells.read import precise
from zoo.errors import InputError, require_choice
from zoo.registry import register

TINY = 1e-6


@register("mlstm")
@keras.saving.register_keras_serializable("zoo")
class MLSTMCell(MatrixCell):
    """The matrix LSTM of xLSTM: a memory of keys and values, with an exponential input gate.

        q_t = x_t W_q + b_q
        k_t = (x_t W_k + b_k) / sqrt(d)                     d = K / H
        v_t = x_t W_v + b_v
        i_t = exp(i~_t), i~_t = x_t w_i + b_i               one a head
        f_t = sigma(f~_t) or exp(f~_t), f~_t = x_t w_f + b_f
        o_t = sigma(x_t W_o + b_o)
        m_t = max(log f_t + m_(t-1), i~_t)
        C_t = exp(log f_t + m_(t-1) - m_t) C_(t-1) + exp(i~_t - m_t) v_t k_t'
        n_t = exp(log f_t + m_(t-1) - m_t) n_(t-1) + exp(i~_t - m_t) k_t
        h_t = o_t * (C_t q_t) / max(|n_t' q_t|, exp(-m_t))

    for each of H heads. The stabiliser m prevents overflow and does not change h: the paper's
    bound 1 of |n' q| becomes exp(-m), as in its authors' code. q, k, v, o, i, f are in the matrix
    in this order. The states are C, transposed and flat, (B, K^2 / H), n, (B, K), and m, (B, H),
    which all start at 0. The block around the cell (convolution, norms) is left out.

    Args:
        units: Hidden size K.
        num_heads: H, number of heads; K must be a multiple of it. C has K^2 / H numbers.
        forget_gate: Either `sigmoid` or `exponential`; the paper allows both.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: `num_heads` does not divide K, or `forget_gate` is another word.

    Source: Beck et al., xLSTM, arXiv:2405.04517, equations 19 to 27, and 15 for the stabiliser.
    """

    num_gates = 4
    normalizes = True

    def __init__(
        self, units: int, num_heads: int = 1, forget_gate: str = "sigmoid", **kwargs: Any
    ) -> None:
        require_choice("forget_gate", forget_gate, FORGET_GATES)
        super().__init__(units, num_heads, **kwargs)
        self.forget_gate = forget_gate

    def build(self, input_shape: Any) -> None:
        width = 4 * self.units + 2 * self.num_heads
        shape = (input_shape[-1], width)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((width,), self._initial_bias, name="bias")

    def _parts(self, projected: Any) -> list[Any]:
        """q, k, v, o (..., K) and i~, f~ (..., H)."""
        units, heads = self.units, self.num_heads
        ends = [units, 2 * units, 3 * units, 4 * units, 4 * units + heads]
        return list(ops.split(projected, ends, axis=-1))

    def _log_forget(self, f: Any) -> Any:
        return f if self.forget_gate == "exponential" else ops.log_sigmoid(f)

    def writes(self, projected: Any, vectors: list[Any]) -> Writes:
        q, k, v, _, i, f = self._parts(projected)
        return Writes(
            queries=self.by_head(q),
            keys=self.by_head(k) / math.sqrt(self.head_size),
            values=self.by_head(v),
            log_decay=self._log_forget(precise(f))[..., None],
            log_input=precise(i)[..., None],
        )

    def shown(self, read: Any, projected: Any) -> Any:
        return ops.sigmoid(self._parts(projected)[3]) * read

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """o, and the stabilised factors: `kept` of the old sum, `input` of the new value."""
        _, _, _, o, i, f = self._parts(projected)
        remembered = self._log_forget(f) + states[2]
        m = ops.maximum(remembered, i)
        spread = [ops.repeat(each, self.head_size, axis=-1) for each in (remembered - m, i - m)]
        kept, enter = (ops.exp(each) for each in spread)
        return {"kept": kept, "input": enter, "output": ops.sigmoid(o)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "forget_gate": self.forget_gate}


@register("gated_delta_net")
@keras.saving.register_keras_serializable("zoo")
class GatedDeltaNetCell(MatrixCell):
    """Gated DeltaNet: a memory that decays and replaces the value of a key.

        q_t = L2(silu(x_t W_q)), k_t = L2(silu(x_t W_k)), v_t = silu(x_t W_v)
        beta_t = sigma(x_t w_beta)                          writing strength, one a head
        alpha_t = exp(-exp(a) softplus(x_t w_alpha + b))    decay, one a head
        S_t = S_(t-1) (alpha_t (I - beta_t k_t k_t')) + beta_t v_t k_t'
        h_t = S_t q_t

    for each of H heads; L2(z) = z / sqrt(|z|^2 + 1e-6). q, k, v, alpha, beta are in the matrix in
    this order. `decay` is a and `decay_bias` is b, (H,) each; they start as in Mamba-2, whose form
    of alpha this is: exp(a) from 1 to 16, softplus(b) from 0.001 to 0.1. The state is S, transposed
    and flat, (B, K^2 / H). The block around the recurrence is left out: the short convolution
    before q, k and v, and the norm and gate of the output.

    Args:
        units: Hidden size K.
        num_heads: H, number of heads; K must be a multiple of it. S has K^2 / H numbers.
        **kwargs: `kernel_initializer` and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: `num_heads` does not divide K.

    Source: Yang, Kautz and Hatamizadeh, arXiv:2412.06464, equation 10 and section 3.4.
    """

    num_gates = 3
    has_full_matrix = True  # a key mixes the units of its head

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1], 3 * self.units + 2 * self.num_heads)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        heads = (self.num_heads,)
        self.decay = self.add_weight(heads, self._initial_decay, name="decay")
        self.decay_bias = self.add_weight(heads, self._initial_decay_bias, name="decay_bias")

    def _initial_decay(self, shape: Any, dtype: Any = None) -> Any:
        return ops.cast(ops.log(keras.random.uniform(shape, 1.0, 16.0, "float32")), dtype)

    def _initial_decay_bias(self, shape: Any, dtype: Any = None) -> Any:
        """The inverse of softplus at times between 0.001 and 0.1, uniform in their logarithm."""
        times = ops.exp(keras.random.uniform(shape, math.log(0.001), math.log(0.1), "float32"))
        return ops.cast(times + ops.log(-ops.expm1(-times)), dtype)

    def vectors(self) -> list[Any]:
        return [self.decay, self.decay_bias]

    def writes(self, projected: Any, vectors: list[Any]) -> Writes:
        units = self.units
        ends = [units, 2 * units, 3 * units, 3 * units + self.num_heads]
        q, k, v, alpha, beta = ops.split(projected, ends, axis=-1)
        decay, bias = (precise(ops.convert_to_tensor(each)) for each in vectors)
        log_decay = -ops.exp(decay) * ops.softplus(precise(alpha) + bias)
        return Writes(
            queries=_unit_length(ops.silu(self.by_head(q))),
            keys=_unit_length(ops.silu(self.by_head(k))),
            values=ops.silu(self.by_head(v)),
            log_decay=log_decay[..., None],
            strength=ops.sigmoid(precise(beta))[..., None],
        )

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """alpha, the factor of the old state, and beta, the share of a key's value that is new."""
        writes = self.writes(projected, vectors)
        wide = [
            ops.repeat(each[..., 0], self.head_size, axis=-1)
            for each in (ops.exp(writes.log_decay), writes.strength)
        ]
        return {"kept": wide[0], "input": wide[1]}


@register("hgrn2")
@keras.saving.register_keras_serializable("zoo")
class HGRN2Cell(MatrixCell):
    """The gated linear recurrence HGRN2, whose state is expanded by an outer product.

        g_t = sigma(x_t W_g + b_g)                          output gate
        f_t = lower_bound + (1 - lower_bound) sigma(x_t W_f + b_f)
        i_t = silu(x_t W_i + b_i)
        S_t = Diag(f_t) S_(t-1) + (1 - f_t) i_t'
        h_t = S_t' g_t

    for each of H heads. The key is the complement of the forget gate, so that the larger state has
    no more parameters than HGRN's; the output gate is the query (the paper calls it o, and y what
    is h here). The functions of g and i are those of its first author's code. g, f, i are in the
    matrix in this order. The state is S, flat, (B, K^2 / H). The paper's lower bound is learned and
    grows from layer to layer; here it is an option, the same for all units. The norm after the cell
    is left out.

    Args:
        units: Hidden size K.
        num_heads: H, number of heads; K must be a multiple of it. S has K^2 / H numbers.
        lower_bound: Least value of the forget gate, from 0 up to, but not including, 1.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: `num_heads` does not divide K, or the bound is out of its range.

    Source: Qin et al., arXiv:2404.07904, section 3.
    """

    num_gates = 3
    keeping_blocks = {1: 1}

    def __init__(
        self, units: int, num_heads: int = 1, lower_bound: float = 0.0, **kwargs: Any
    ) -> None:
        if isinstance(lower_bound, bool) or not isinstance(lower_bound, int | float):
            raise InputError(f"lower_bound must be a number from 0 to 1, got {lower_bound!r}")
        if not 0 <= lower_bound < 1:
            raise InputError(
                f"lower_bound must be from 0 up to, but not including, 1, got {lower_bound!r}"
            )
        super().__init__(units, num_heads, **kwargs)
        self.lower_bound = lower_bound

    def writes(self, projected: Any, vectors: list[Any]) -> Writes:
        g, f, i = ops.split(projected, 3, axis=-1)
        f = self.by_head(f)
        if self.lower_bound:
            low = self.lower_bound
            log_decay = ops.log(low + (1 - low) * ops.sigmoid(f))
        else:
            log_decay = ops.log_sigmoid(f)
        return Writes(
            queries=ops.sigmoid(self.by_head(g)),
            keys=(1 - self.lower_bound) * ops.sigmoid(-f),
            values=ops.silu(self.by_head(i)),
            log_decay=log_decay,
        )

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """The forget gate f."""
        f = ops.sigmoid(ops.split(projected, 3, axis=-1)[1])
        return {"forget": self.lower_bound + (1 - self.lower_bound) * f}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "lower_bound": self.lower_bound}


def _unit_length(values: Any) -> Any:
    """L2, over the last axis."""
    return values * ops.rsqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + TINY)
