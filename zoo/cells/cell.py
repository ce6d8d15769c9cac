"""The base of all cells: weights for several gates, the input product apart from the step."""

from typing import Any, ClassVar

import keras
from keras import ops

from zoo.errors import InputError, require_positive_int

FORGET_GATES = ("sigmoid", "exponential")  # of the cells of xLSTM


class RecurrentCell(keras.layers.Layer):
    """A Keras RNN cell whose input products can be computed for all steps at once.

    One step is `combine(x W + b, h U + c, states)`. The input's part `project(x)` does not depend
    on the state, so the recurrent layer takes it for all T steps as one product and walks through
    time with `step` alone; with `combine` apart from both products, the layer can also take the
    gradients of W and U as one product each. `call` is the whole step, for `keras.layers.RNN`.
    Weights have the names, shapes and order of the stock Keras layers.

    A subclass sets `num_gates` and `num_states` and writes `combine`, or `step` if its recurrence
    is not of that form. `forward` and `backward` (see `LSTMCell`) may add a gradient by hand.

    Args:
        units: Hidden size K.
        kernel_initializer: Of the input matrices W, one (E, K) for each gate.
        recurrent_initializer: Of the recurrent matrices U, one (K, K) for each gate.
        bias_initializer: Of the biases b, one (K,) for each gate.
        **kwargs: The Keras layer's own arguments (`name`, `dtype`, `trainable`).
    """

    num_gates = 1
    num_states = 1
    has_input_kernel = True
    has_recurrent_kernel = True
    # blocks of the bias whose gates rule how much of the state is kept; -1 where open means less
    keeping_blocks: ClassVar[dict[int, int]] = {}
    additive = True  # `combine` sees its first two arguments only as their sum
    kernel: Any = None
    recurrent_kernel: Any = None
    recurrent_bias: Any = None  # c, added to the recurrent product
    bias: Any = None

    def __init__(
        self,
        units: int,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        require_positive_int("units", units)
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = initializer_of(kernel_initializer)
        self.recurrent_initializer = initializer_of(recurrent_initializer)
        self.bias_initializer = initializer_of(bias_initializer)
        self.state_size = units if self.num_states == 1 else [units] * self.num_states
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        width = self.num_gates * self.units
        if self.has_input_kernel:
            shape = (input_shape[-1], width)
            self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        if self.has_recurrent_kernel:
            self.recurrent_kernel = self.add_weight(
                self._recurrent_shape(width),
                self._initial_recurrent_kernel,
                name="recurrent_kernel",
            )
        if self.has_input_kernel:
            self.bias = self.add_weight(self._bias_shape(width), self._initial_bias, name="bias")

    def _initial_recurrent_kernel(self, shape: Any, dtype: Any = None) -> Any:
        """An orthogonal matrix cannot be made in bfloat16, so that it is made in float32."""
        return ops.cast(self.recurrent_initializer(shape, dtype="float32"), dtype)

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)

    def _recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (self.units, width)

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (width,)

    @property
    def input_kernel(self) -> Any:
        """The matrix W where the input's product is x W and no more, or None."""
        return self.kernel

    @property
    def input_bias(self) -> Any:
        """The bias b of the input's product, or None."""
        return self.bias

    def input_product(self, inputs: Any) -> Any:
        """The input's product x W without its bias: (..., E) -> (..., num_gates K)."""
        if len(inputs.shape) == 2:
            return ops.matmul(inputs, self.kernel)
        rows = ops.reshape(inputs, (-1, inputs.shape[-1]))  # one product, also in the gradient
        product = ops.matmul(rows, self.kernel)
        return ops.reshape(product, (*ops.shape(inputs)[:-1], product.shape[-1]))

    def project(self, inputs: Any) -> Any:
        """The part of the gates that does not depend on the state.

        Args:
            inputs: (..., E); any leading axes, so that all steps go in one product.

        Returns:
            (..., num_gates K).
        """
        product = self.input_product(inputs)
        return product if self.input_bias is None else product + self.input_bias

    @property
    def separable(self) -> bool:
        """Whether one step is `combine` of the two products, so that it can run the fast way."""
        own = type(self)
        return (
            own.combine is not RecurrentCell.combine
            and own.step is RecurrentCell.step
            and own.has_current_parts()
        )

    @classmethod
    def has_current_parts(cls) -> bool:
        """Whether what the fast way uses is written for this class's `combine` and `project`.

        A subclass that changes `combine` alone inherits a `forward` and `backward` for another.
        """
        return (
            cls.project is RecurrentCell.project
            and not is_newer(cls, "combine", "forward")
            and not is_newer(cls, "combine", "backward")
            and not (cls.has_input_kernel and is_newer(cls, "input_product", "input_kernel"))
        )

    def vectors(self) -> list[Any]:
        """The weights, besides the matrices and biases, that `combine` uses."""
        return []

    def step(
        self,
        projected: Any,
        states: list[Any],
        recurrent_kernel: Any = None,
        recurrent_mask: Any = None,
        recurrent_bias: Any = None,
        vectors: list[Any] | None = None,
    ) -> Any:
        """One step of the recurrence.

        Args:
            projected: (B, num_gates K) from `project`.
            states: The states before the step, (B, K) each; the first is the output h.
            recurrent_kernel: U, where it is not the cell's own (weight drop), or None.
            recurrent_mask: (B, K), multiplied into h on its way into the recurrent product
                (variational recurrent dropout), or None.
            recurrent_bias: c, read from its variable before the loop, or None.
            vectors: What `vectors` gives, read before the loop, or None.

        Returns:
            The output (B, K) and the list of states after the step.
        """
        recurrent: Any = 0.0
        if self.recurrent_kernel is not None:
            kernel = self.recurrent_kernel if recurrent_kernel is None else recurrent_kernel
            recurrent = ops.matmul(dropped(states[0], recurrent_mask), kernel)
            bias = self.recurrent_bias if recurrent_bias is None else recurrent_bias
            recurrent = recurrent if bias is None else recurrent + bias
        vectors = self.vectors() if vectors is None else vectors
        states = self.combine(projected, recurrent, states, vectors)
        return states[0], states

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        """The states after a step, from both products.

        Args:
            projected: x W + b, (B, num_gates K).
            recurrent: h U + c, (B, num_gates K), or 0.0 for a cell without a recurrent matrix.
            states: The states before the step, (B, K) each.
            vectors: What `vectors` gives.
        """
        raise NotImplementedError(f"{type(self).__name__} must write combine() or step()")

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """The values of the gates in a step by name, between 0 and 1, (..., K) each.

        The arguments are those of `combine`, with any leading axes. `kept` is the factor of the old
        state where that is no gate of its own. A cell without gates has none.
        """
        return {}

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        return self.step(self.project(inputs), list(states))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zero states, (B, size) each."""
        sizes = keras.tree.flatten(self.state_size)
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def bridged_state(self, values: list[Any]) -> list[Any]:
        """The states that a bridge's values stand for, between -1 and 1, (B, K) each."""
        return values

    def get_config(self) -> dict[str, Any]:
        serialize = keras.initializers.serialize
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": serialize(self.kernel_initializer),
            "recurrent_initializer": serialize(self.recurrent_initializer),
            "bias_initializer": serialize(self.bias_initializer),
        }


def is_newer(cell_class: type, name: str, other: str) -> bool:
    """Whether a class defines `name` further down than `other`, if it has both."""
    places = [
        [number for number, each in enumerate(cell_class.__mro__) if part in vars(each)]
        for part in (name, other)
    ]
    return all(places) and places[0][0] < places[1][0]


def dropped(state: Any, recurrent_mask: Any) -> Any:
    """The state as the recurrent product sees it: (B, K), times the mask if there is one."""
    return state if recurrent_mask is None else state * recurrent_mask


def require_heads(units: int, num_heads: Any) -> None:
    """Raises unless `num_heads` is a positive int that divides `units`."""
    require_positive_int("num_heads", num_heads)
    if units % num_heads:
        raise InputError(
            f"units must be a multiple of num_heads, got units {units} and num_heads {num_heads}: "
            "change one of them"
        )


def activation_of(activation: Any) -> Any:
    """The Keras activation of that name, or an error that says which there are."""
    try:
        return keras.activations.get(activation)
    except (ValueError, TypeError):
        raise InputError(
            f"unknown activation {activation!r}: take a Keras activation such as 'tanh' or 'relu'"
        ) from None


def initializer_of(initializer: Any) -> Any:
    """The Keras initializer of that name, or an error that says what it should be."""
    try:
        return keras.initializers.get(initializer)
    except (ValueError, TypeError):
        raise InputError(
            f"unknown initializer {initializer!r}: take a Keras initializer such as 'orthogonal'"
        ) from None
