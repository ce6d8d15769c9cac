"""Cells with one activation and no gate: Elman's, the simple RNN, IndRNN."""

from functools import partial
from typing import Any

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, activation_of, initializer_of
from zoo.errors import InputError, require_bound
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
    """The simplest recurrent unit: the input itself is added to the recurrent product.

        h_m = g(Theta h_(m-1) + x_m)

    There is no input matrix and no bias, so the input size E must equal the hidden size K.
    `recurrent_kernel` is Theta transposed, (K, K), since states are rows here.

    Args:
        units: Hidden size K, which is also E.
        activation: g, `tanh`, `relu` or any other Keras activation.
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
    """The simple recurrent cell: one activation of the input, the state and a bias.

        h_m = g(Theta_h h_(m-1) + Theta_x x_m + b)

    Many texts use one matrix, W_a = [Theta_h, Theta_x], and one vector [h; x], the state above the
    input, which gives the same sum:

        W_a [h; x] = Theta_h h + Theta_x x

    `kernel` is Theta_x transposed, (E, K), and `recurrent_kernel` is Theta_h transposed, (K, K),
    since states and inputs are rows here.

    Args:
        units: Hidden size K.
        activation: g, `tanh`, `relu` or any other Keras activation.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: J. L. Elman, Finding Structure in Time, Cognitive Science 14 (1990).
    """


@register("ind_rnn")
@keras.saving.register_keras_serializable("zoo")
class IndRNNCell(_ActivatedCell):
    """The independently recurrent unit: each unit is connected only to its own past.

        h_t = g(W x_t + u * h_(t-1) + b)

    u is the weight vector `recurrent_weights`, (K,). Units are combined by the next layer only.
    With `relu` and |u| > 1 a state can grow without limit, so each step of an optimizer clips u.
    For sequences of T steps the paper's bound is 2 ** (1 / T); a language model that passes its
    state from window to window needs 1.

    Args:
        units: Hidden size K.
        activation: g, `relu` in the paper.
        recurrent_initializer: Of u. By default uniform from 0 to 1, or to `recurrent_max_abs` if
            that is less, so that some units forget at once and others remember for long.
        recurrent_max_abs: Bound of |u| in training, or None for no bound.
        **kwargs: Initialisers and the Keras layer's arguments; see `RecurrentCell`.

    Source: Li et al., arXiv:1803.04831, equation 2.
    """

    has_recurrent_kernel = False

    def __init__(
        self,
        units: int,
        activation: Any = "relu",
        recurrent_initializer: Any = None,
        recurrent_max_abs: float | None = 1.0,
        **kwargs: Any,
    ) -> None:
        require_bound("recurrent_max_abs", recurrent_max_abs)
        most = min(1.0, recurrent_max_abs or 1.0)
        chosen = recurrent_initializer or keras.initializers.RandomUniform(0.0, most)
        initializer = initializer_of(chosen)
        super().__init__(units, activation, recurrent_initializer=initializer, **kwargs)
        self.recurrent_max_abs = recurrent_max_abs

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        most = self.recurrent_max_abs
        bound = None if most is None else partial(ops.clip, x_min=-most, x_max=most)
        self.recurrent_weights = self.add_weight(
            (self.units,), self.recurrent_initializer, constraint=bound, name="recurrent_weights"
        )

    def vectors(self) -> list[Any]:
        return [self.recurrent_weights]

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        return [self.activation(projected + ops.multiply(vectors[0], states[0]))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "recurrent_max_abs": self.recurrent_max_abs}
