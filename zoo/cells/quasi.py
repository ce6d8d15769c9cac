"""Quasi-recurrent cells: products of the inputs alone, then a recurrence of each unit by itself."""

import math
from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, initializer_of
from zoo.cells.read import ReadCell, Scans
from zoo.errors import InputError, require_bool
from zoo.registry import register


@register("qrnn")
@keras.saving.register_keras_serializable("zoo")
class QRNNCell(ReadCell):
    """The quasi-recurrent unit with fo-pooling: gates from a window over the inputs.

        z_t = tanh(x_(t-1) W1_z + x_t W2_z + b_z)
        f_t = sigma(x_(t-1) W1_f + x_t W2_f + b_f)
        o_t = sigma(x_(t-1) W1_o + x_t W2_o + b_o)
        c_t = f_t * c_(t-1) + (1 - f_t) * z_t
        h_t = o_t * c_t

    A `window` of 1 has no W1. The gates are in the matrices in the order z, f, o; W2 is beside W1
    in `kernel`, (E, 3 K or 6 K). The states are c, and with a window of 2 the products x_t W1,
    (B, 3 K), which the next step needs of this input; before the first step they are 0, as for the
    paper's padded convolution. The biases, which the paper leaves out, start at 0.

    The paper's zoneout is the option `zoneout` of the layers; with a window of 2 it acts on both
    states.

    Args:
        units: Hidden size K.
        window: Number of inputs that the gates of a step see, 1 or 2.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: The window is neither 1 nor 2.

    Source: Bradbury et al., arXiv:1611.01576, equations 1, 2 and 4.
    """

    num_gates = 3
    keeping_blocks = {1: 1}

    def __init__(self, units: int, window: int = 1, **kwargs: Any) -> None:
        if isinstance(window, bool) or window not in (1, 2):
            raise InputError(f"window must be 1 or 2 inputs, got {window!r}")
        super().__init__(units, **kwargs)
        self.window = window
        if window == 2:
            self.state_size = [units, 3 * units]

    def build(self, input_shape: Any) -> None:
        width = 3 * self.units
        shape = (input_shape[-1], width * self.window)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((width,), self._initial_bias, name="bias")

    def project(self, inputs: Any) -> Any:
        """Products x W2 + b, and with a window of 2 x W1 beside: (..., 3 K or 6 K)."""
        product = self.input_product(inputs)
        if self.window == 1:
            return product + self.bias
        own, handed = ops.split(product, 2, axis=-1)
        return ops.concatenate([own + self.bias, handed], axis=-1)

    def _parts(self, projected: Any, before: Any = None) -> list[Any]:
        """z, f, o and, with a window of 2, what the next step needs."""
        if self.window == 1:
            sums, handed = projected, []
        else:
            sums, later = ops.split(projected, 2, axis=-1)
            sums, handed = sums + before, [later]
        z, f, o = ops.split(sums, 3, axis=-1)
        return [ops.tanh(z), ops.sigmoid(f), ops.sigmoid(o), *handed]

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        z, f, _, *handed = self._parts(projected, states[-1])
        return [f * states[0] + (1 - f) * z, *handed]

    def through_time(self, projected: Any, start: list[Any], scans: Scans) -> list[Any]:
        before = None
        if self.window == 2:
            handed = ops.split(projected, 2, axis=-1)[1]
            before = ops.concatenate([start[1][:, None], handed[:, :-1]], axis=1)
        z, f, _, *handed = self._parts(projected, before)
        return [scans.linear(f, (1 - f) * z, start[0]), *handed]

    def read(self, projected: Any, before: list[Any], after: list[Any], vectors: list[Any]) -> Any:
        return self._parts(projected, before[-1])[2] * after[0]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        _, f, o, *_ = self._parts(projected, states[-1])
        return {"forget": f, "output": o}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window}


class _SRUMemory(RecurrentCell):
    """The recurrence of an SRU alone: (x W, x W_f + b_f) and c -> c. It has no weights."""

    num_gates = 2
    has_input_kernel = False
    has_recurrent_kernel = False

    def __init__(self, units: int, state_weights: Any = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self._state_weights = state_weights

    def vectors(self) -> list[Any]:
        return [self._state_weights]

    def input_product(self, inputs: Any) -> Any:
        return inputs

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        candidate, f = ops.split(projected, 2, axis=-1)
        f = ops.sigmoid(f + vectors[0] * states[0])
        return [candidate + f * (states[0] - candidate)]


@register("sru")
@keras.saving.register_keras_serializable("zoo")
class SRUCell(ReadCell):
    """The simple recurrent unit: gates that see a unit's own state, and a highway for the input.

        f_t = sigma(x_t W_f + v_f * c_(t-1) + b_f)
        c_t = f_t * c_(t-1) + (1 - f_t) * (x_t W)
        r_t = sigma(x_t W_r + v_r * c_(t-1) + b_r)
        h_t = r_t * c_t + (1 - r_t) * x_t               E = K
        h_t = r_t * c_t + (1 - r_t) * (x_t W_x)         otherwise

    The matrices are in `kernel` in the order W, W_f, W_r, W_x, (E, 3 K or 4 K), and the biases in
    the order f, r. `state_weights` is v_f above v_r, (2, K). The state is c. These are the
    equations of the paper's final version; its first one has no v.

    Args:
        units: Hidden size K.
        highway_bias: Initial value of b_r; below 0 the input passes at first.
        rescale: Multiply the input of the highway by alpha = sqrt(1 + 2 exp(highway_bias)), which
            keeps the variance through many layers (section 3.2 of the paper; not in its equations 1
            to 4).
        state_initializer: Of v. By default uniform with variance 1/2.
        kernel_initializer: Of the matrices. By default uniform with variance 1 / E, as in the
            paper.
        **kwargs: `bias_initializer` of b_f and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: `highway_bias` is no number or `rescale` is no bool.

    Source: Lei et al., arXiv:1709.02755 (version 5), equations 1 to 4 and section 3.2.
    """

    num_gates = 4
    keeping_blocks = {0: 1}

    def __init__(
        self,
        units: int,
        highway_bias: float = 0.0,
        rescale: bool = False,
        state_initializer: Any = None,
        kernel_initializer: Any = "lecun_uniform",
        **kwargs: Any,
    ) -> None:
        if isinstance(highway_bias, bool) or not isinstance(highway_bias, int | float):
            raise InputError(f"highway_bias must be a number, got {highway_bias!r}")
        require_bool("rescale", rescale)
        super().__init__(units, kernel_initializer=kernel_initializer, **kwargs)
        self.highway_bias, self.rescale = highway_bias, rescale
        bound = math.sqrt(1.5)
        chosen = state_initializer or keras.initializers.RandomUniform(-bound, bound)
        self.state_initializer = initializer_of(chosen)
        self.state_weights: Any = None

    def build(self, input_shape: Any) -> None:
        count = 3 if input_shape[-1] == self.units else 4
        shape = (input_shape[-1], count * self.units)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.state_weights = self.add_weight(
            (2, self.units), self.state_initializer, name="state_weights"
        )
        self.bias = self.add_weight((2 * self.units,), self._initial_bias, name="bias")

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        values = super()._initial_bias(shape, dtype)
        is_highway = ops.arange(2 * self.units) >= self.units
        return ops.where(is_highway, ops.cast(self.highway_bias, values.dtype), values)

    def vectors(self) -> list[Any]:
        return [self.state_weights]

    def project(self, inputs: Any) -> Any:
        """The products x W, x W_f + b_f, x W_r + b_r and what the highway takes: (..., 4 K)."""
        products = self.input_product(inputs)
        by_gate = ops.split(products, products.shape[-1] // self.units, axis=-1)
        b_f, b_r = ops.split(ops.convert_to_tensor(self.bias), 2)
        candidate, f, r = by_gate[:3]
        passed = by_gate[3] if len(by_gate) == 4 else inputs
        if self.rescale:
            passed = passed * math.sqrt(1 + 2 * math.exp(self.highway_bias))
        return ops.concatenate([candidate, f + b_f, r + b_r, passed], axis=-1)

    def memory(self) -> RecurrentCell:
        """The recurrence of c, which reads the first half of x W + b."""
        weights = None if self.state_weights is None else self.state_weights[0]
        return _SRUMemory(self.units, weights, dtype=self.dtype_policy)

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        candidate, f, _, _ = ops.split(projected, 4, axis=-1)
        f = ops.sigmoid(f + vectors[0][0] * states[0])
        return [candidate + f * (states[0] - candidate)]

    def read(self, projected: Any, before: list[Any], after: list[Any], vectors: list[Any]) -> Any:
        _, _, r, passed = ops.split(projected, 4, axis=-1)
        r = ops.sigmoid(r + vectors[0][1] * before[0])
        return passed + r * (after[0] - passed)

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        _, f, r, _ = ops.split(projected, 4, axis=-1)
        return {
            "forget": ops.sigmoid(f + vectors[0][0] * states[0]),
            "reset": ops.sigmoid(r + vectors[0][1] * states[0]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "highway_bias": self.highway_bias,
            "rescale": self.rescale,
            "state_initializer": keras.initializers.serialize(self.state_initializer),
        }
