"""Linear recurrences h_t = a_t * h_(t-1) + b_t: all gates come from the input alone."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell
from zoo.errors import require_bool
from zoo.registry import register

TINY = 1e-12  # the square root has no gradient at 0


class LinearCell(RecurrentCell):
    """A cell whose state is a linear recurrence, so that no step needs a product.

        h_t = a_t * h_(t-1) + b_t

    A subclass writes `coefficients`, from x W + b to a and b, for all steps at once; the recurrent
    layer then needs a scan over elements alone.
    """

    has_recurrent_kernel = False

    def coefficients(self, projected: Any, vectors: list[Any]) -> tuple[Any, Any]:
        """From x W + b, (..., num_gates K), and `vectors()` to a and b, (..., K) each."""
        raise NotImplementedError(f"{type(self).__name__} must write coefficients()")

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        a, b = self.coefficients(projected, vectors)
        return [a * states[0] + b]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """The factor a of the old state."""
        return {"kept": self.coefficients(projected, vectors)[0]}


class _MinimalCell(LinearCell):
    """The common part of the minimal units: the candidate, in its plain or its log-space form."""

    def __init__(
        self,
        units: int,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        log_space: bool = False,
        **kwargs: Any,
    ) -> None:
        require_bool("log_space", log_space)
        super().__init__(
            units,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            **kwargs,
        )
        self.log_space = log_space

    def _candidate(self, values: Any) -> Any:
        if not self.log_space:
            return values
        return ops.where(values >= 0, values + 0.5, ops.sigmoid(values))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "log_space": self.log_space}


@register("min_gru")
@keras.saving.register_keras_serializable("zoo")
class MinGRUCell(_MinimalCell):
    """The minimal gated recurrent unit: a GRU whose gate depends only on the input.

        z_t = sigma(x_t W_z + b_z)
        h~_t = x_t W_h + b_h, or g(x_t W_h + b_h) with log_space
        h_t = (1 - z_t) * h_(t-1) + z_t * h~_t

    The gates are in the matrix in the order z, h. The candidate of the paper's log-space form keeps
    states that start above 0 above 0:

        g(y) = y + 0.5 for y >= 0, sigma(y) otherwise

    Args:
        units: Hidden size K.
        log_space: Use the candidate g. The states are computed as without it, not as logarithms.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Feng et al., arXiv:2410.01201, section 3.1; appendix B for g.
    """

    num_gates = 2
    keeping_blocks = {0: -1}

    def coefficients(self, projected: Any, vectors: list[Any]) -> tuple[Any, Any]:
        z, candidate = ops.split(projected, 2, axis=-1)
        z = ops.sigmoid(z)
        return 1 - z, z * self._candidate(candidate)


@register("min_lstm")
@keras.saving.register_keras_serializable("zoo")
class MinLSTMCell(_MinimalCell):
    """The minimal LSTM: gates that depend only on the input, normalised to sum to one.

        f_t = sigma(x_t W_f + b_f)
        i_t = sigma(x_t W_i + b_i)
        h~_t = x_t W_h + b_h, or g(x_t W_h + b_h) with log_space
        h_t = f_t / (f_t + i_t) * h_(t-1) + i_t / (f_t + i_t) * h~_t

    The gates are in the matrix in the order f, i, h. The candidate of the paper's log-space form
    keeps states that start above 0 above 0:

        g(y) = y + 0.5 for y >= 0, sigma(y) otherwise

    Args:
        units: Hidden size K.
        log_space: Use the candidate g. The states are computed as without it, not as logarithms.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Feng et al., arXiv:2410.01201, section 3.2; appendix B for g.
    """

    num_gates = 3
    keeping_blocks = {0: 1, 1: -1}

    def coefficients(self, projected: Any, vectors: list[Any]) -> tuple[Any, Any]:
        f, i, candidate = ops.split(projected, 3, axis=-1)
        odds = ops.log_sigmoid(f) - ops.log_sigmoid(i)  # log f - log i, which cannot overflow
        forget = ops.sigmoid(odds)  # f / (f + i)
        return forget, (1 - forget) * self._candidate(candidate)


@register("rg_lru")
@keras.saving.register_keras_serializable("zoo")
class RGLRUCell(LinearCell):
    """The real-gated linear recurrent unit (RG-LRU) of Griffin.

        r_t = sigma(x_t W_a + b_a)                          recurrence gate
        i_t = sigma(x_t W_x + b_x)                          input gate
        a_t = sigma(Lambda) ^ (8 r_t)
        h_t = a_t * h_(t-1) + sqrt(1 - a_t^2) * (i_t * v_t)
        v_t = x_t W_v + b_v

    In the paper E = K and v = x, after a linear layer. Here W_v is that layer, so that E and K can
    differ. The gates are in the matrix in the order r, i, v.

    Args:
        units: Hidden size K.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`. The initial
            Lambda makes sigma(Lambda)^8 uniform between 0.9 and 0.999.

    Source: De et al., Griffin, arXiv:2402.19427, equations 1 to 4 and section 2.4.
    """

    num_gates = 3
    power = 8.0

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.decay = self.add_weight((self.units,), self._initial_decay, name="decay")

    def _initial_decay(self, shape: Any, dtype: Any = None) -> Any:
        decay = keras.random.uniform(shape, 0.9, 0.999, dtype) ** (1 / self.power)
        return ops.log(decay / (1 - decay))

    def vectors(self) -> list[Any]:
        return [self.decay]

    def coefficients(self, projected: Any, vectors: list[Any]) -> tuple[Any, Any]:
        r, i, v = ops.split(projected, 3, axis=-1)
        log_a = self.power * ops.sigmoid(r) * ops.log_sigmoid(vectors[0])
        return ops.exp(log_a), ops.sqrt(ops.maximum(-ops.expm1(2 * log_a), TINY)) * ops.sigmoid(
            i
        ) * v
