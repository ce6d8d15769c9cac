"""Units with one nonlinearity and no gate: Elman's, the simple RNN of the lectures, IndRNN."""

from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, activation_of, initializer_of
from zoo.errors import InputError
from zoo.registry import register


class _ActivatedCell(RecurrentCell):
    """A cell of one activation g over the sum of both products."""

    def __init__(self, units: int, activation: Any = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = activation_of(activation)

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        return [self.activation(projected + recurrent)]

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation}


@register("elman")
@keras.saving.register_keras_serializable("zoo")
class ElmanCell(_ActivatedCell):
    """The unit of the lectures' first drawing: the input is added to the state as it is.

        h_m = g(Theta h_(m-1) + x_m)

    There is no input matrix and no bias, so the input's size E must be the hidden size K.
    `recurrent_kernel` is Theta transposed, (K, K): states are rows here.

    Args:
        units: Hidden size K, which is also E.
        activation: g, `tanh` or `relu` or any Keras activation.
        **kwargs: `recurrent_initializer` and the Keras layer's arguments; see `RecurrentCell`.

    Raises:
        InputError: When built on inputs with E != K.

    Source: J. L. Elman, Finding Structure in Time, Cognitive Science 14 (1990).
    """

    has_input_kernel = False

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] != self.units:
            raise InputError(
                f"elman has no input matrix, so the input's size must be units = {self.units}, got "
                f"{input_shape[-1]}: set both to the same number or take the cell 'simple_rnn'"
            )
        super().build(input_shape)

    def input_product(self, inputs: Any) -> Any:
        return inputs


@register("simple_rnn")
@keras.saving.register_keras_serializable("zoo")
class SimpleRNNCell(_ActivatedCell):
    """The simple recurrent cell.

        h_m = g(Theta_h h_(m-1) + Theta_x x_m + b)

    The lectures also write it with one stacked matrix: with W_a = [Theta_h, Theta_x] side by side
    and the vector [a; x] of the state above the input,

        W_a [a; x] = Theta_h a + Theta_x x

    which is the same sum. `kernel` is Theta_x transposed, (E, K), `recurrent_kernel` is Theta_h
    transposed, (K, K): states and inputs are rows here.

    Args:
        units: Hidden size K.
        activation: g, `tanh` or `relu` or any Keras activation.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: J. L. Elman, Finding Structure in Time, Cognitive Science 14 (1990).
    """


@register("ind_rnn")
@keras.saving.register_keras_serializable("zoo")
class IndRNNCell(_ActivatedCell):
    """The independently recurrent unit: each unit sees its own past alone.

        h_t = g(W x_t + u * h_(t-1) + b)

    `*` is the product of elements, u is `recurrent_weights` (K,). Units meet in the next layer.

    Args:
        units: Hidden size K.
        activation: g, `relu` in the paper.
        recurrent_initializer: Of u; by default uniform between 0 and 1, so that some units forget
            at once and some remember for long.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Li et al., arXiv:1803.04831, equation 2.
    """

    has_recurrent_kernel = False

    def __init__(
        self,
        units: int,
        activation: Any = "relu",
        recurrent_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        chosen = recurrent_initializer or keras.initializers.RandomUniform(0.0, 1.0)
        initializer = initializer_of(chosen)
        super().__init__(units, activation, recurrent_initializer=initializer, **kwargs)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.recurrent_weights = self.add_weight(
            (self.units,), self.recurrent_initializer, name="recurrent_weights"
        )

    def vectors(self) -> list[Any]:
        return [self.recurrent_weights]

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        return [self.activation(projected + ops.multiply(vectors[0], states[0]))]
