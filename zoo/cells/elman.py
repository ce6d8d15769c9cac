"""The unit of Elman (1990) with an input matrix, as the lectures draw the simple RNN."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, dropped
from zoo.registry import register


@register("simple_rnn")
@keras.saving.register_keras_serializable("zoo")
class SimpleRNNCell(RecurrentCell):
    """The simple recurrent cell.

        h_m = g(x_m Theta_x + h_(m-1) Theta_h + b)

    `kernel` is Theta_x (E, K), `recurrent_kernel` is Theta_h (K, K).

    Args:
        units: Hidden size K.
        activation: g, `tanh` or `relu` or any Keras activation.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: J. L. Elman, Finding Structure in Time, Cognitive Science 14 (1990).
    """

    def __init__(self, units: int, activation: Any = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def step(self, projected: Any, states: list[Any], recurrent_mask: Any = None) -> Any:
        h = dropped(states[0], recurrent_mask)
        h = self.activation(projected + ops.matmul(h, self.recurrent_kernel))
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation}
