"""What all cells share: weights for several gates, the input's product apart from the step."""

from typing import Any

import keras
from keras import ops

from zoo.errors import require_positive_int


class RecurrentCell(keras.layers.Layer):
    """A Keras RNN cell whose work on the input can be done for all steps at once.

    A subclass sets `num_gates` and `num_states` and writes `step`. The input's product
    `project(x) = x W + b` does not depend on the state, so the recurrent layer takes it for all T
    steps as one product and walks through time with `step` alone. `call` is both, one step for
    `keras.layers.RNN`. Weights have the names, shapes and order of the stock Keras layers.

    Args:
        units: Hidden size K.
        kernel_initializer: Of the input matrix W (E, num_gates K).
        recurrent_initializer: Of the recurrent matrix U (K, num_gates K).
        bias_initializer: Of the bias b (num_gates K,).
        **kwargs: The Keras layer's own arguments (`name`, `dtype`, `trainable`).
    """

    num_gates = 1
    num_states = 1

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
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.state_size = units if self.num_states == 1 else [units] * self.num_states
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        width = self.num_gates * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
        )
        self.bias = self.add_weight(
            name="bias", shape=self._bias_shape(width), initializer=self.bias_initializer
        )

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (width,)

    def project(self, inputs: Any) -> Any:
        """The part of the gates that does not depend on the state.

        Args:
            inputs: (..., E); any leading axes, so that all steps go in one product.

        Returns:
            (..., num_gates K).
        """
        return ops.matmul(inputs, self.kernel) + self.bias

    def step(self, projected: Any, states: list[Any], recurrent_mask: Any = None) -> Any:
        """One step of the recurrence.

        Args:
            projected: (B, num_gates K) from `project`.
            states: The states before the step, (B, K) each; the first is the output h.
            recurrent_mask: (B, K), multiplied into h on its way into the recurrent product
                (variational recurrent dropout), or None.

        Returns:
            The output (B, K) and the list of states after the step.
        """
        raise NotImplementedError(f"{type(self).__name__} must write step()")

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        return self.step(self.project(inputs), list(states))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zero states, (B, K) each."""
        shape = (batch_size, self.units)
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(self.num_states)]

    def get_config(self) -> dict[str, Any]:
        serialize = keras.initializers.serialize
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": serialize(self.kernel_initializer),
            "recurrent_initializer": serialize(self.recurrent_initializer),
            "bias_initializer": serialize(self.bias_initializer),
        }


def dropped(state: Any, recurrent_mask: Any) -> Any:
    """The state as the recurrent product sees it: (B, K), times the mask if there is one."""
    return state if recurrent_mask is None else state * recurrent_mask
