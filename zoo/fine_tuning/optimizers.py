"""Optimizers whose variables begin to train in an epoch of their own, at a rate of their own."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from zoo.errors import InputError


class Gradual:
    """What is added to a Keras optimizer.

    A variable that is frozen in an epoch does not change, bit for bit, nor does its average. Its
    moments are kept up to date, so that its first steps are as large as later ones. The gradients'
    global norm is that of the variables that train.

    Args:
        firsts: The epoch, from 0, in which each variable begins to train, in the order of the
            model's trainable variables.
        shares: The share of the learning rate of each variable.
        **options: Those of the optimizer.

    Attributes:
        epoch: The number of the epoch, from 0; set it before each epoch.
    """

    def __init__(self, *, firsts: Sequence[int], shares: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self.firsts, self.shares = tuple(firsts), tuple(shares)
        self.epoch = self.add_variable((), dtype="int32", name="epoch")  # type: ignore[attr-defined]
        self._stepped: Callable[[], Any] = tuple  # a function: Keras would track variables

    def get_config(self) -> dict[str, Any]:
        """The options, for `from_config`."""
        own = {"firsts": list(self.firsts), "shares": list(self.shares)}
        return {**super().get_config(), **own}  # type: ignore[misc]

    def _share(self, variable: Any) -> Any:
        """The share of the learning rate that a variable has in this epoch; 0 if it is frozen."""
        place = self._get_variable_index(variable)  # type: ignore[attr-defined]
        trains = ops.cast(ops.greater_equal(self.epoch, self.firsts[place]), "float32")
        return trains * self.shares[place]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of a variable."""
        own = learning_rate * self._share(variable)
        super().update_step(gradient, variable, own)  # type: ignore[misc]

    def _backend_apply_gradients(self, grads: Any, trainable_variables: Any) -> None:
        self._stepped = lambda: trainable_variables
        super()._backend_apply_gradients(grads, trainable_variables)  # type: ignore[misc]

    def _clip_gradients(self, grads: Any) -> Any:
        bound = self.global_clipnorm  # type: ignore[attr-defined]
        if not bound:
            return super()._clip_gradients(grads)  # type: ignore[misc]
        squares = [
            ops.where(self._share(variable) > 0, ops.sum(ops.square(gradient)), 0.0)
            for gradient, variable in zip(grads, self._stepped(), strict=True)
        ]
        norm = ops.sqrt(sum(squares))
        # not a number if the norm is not finite, as in Keras
        scale = bound * ops.minimum(1 / norm, 1 / bound) + (norm - norm)
        return [gradient * scale for gradient in grads]

    def _apply_weight_decay(self, variables: Any) -> None:
        if self.weight_decay is None:  # type: ignore[attr-defined]
            return
        for variable in variables:
            if self._use_weight_decay(variable):  # type: ignore[attr-defined]
                rate = self.weight_decay * self.learning_rate * self._share(variable)  # type: ignore[attr-defined]
                variable.assign_sub(variable * ops.cast(rate, variable.dtype))

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        averages = self._model_variables_moving_average  # type: ignore[attr-defined]
        moving = ops.cast(ops.not_equal(self.iterations, 0), "float32")  # type: ignore[attr-defined]
        for variable, average in zip(trainable_variables, averages, strict=True):
            momentum = ops.cast(moving * self.ema_momentum, variable.dtype)  # type: ignore[attr-defined]
            average.assign(variable + momentum * (average - variable))  # exact while both are equal


@keras.saving.register_keras_serializable("zoo")
class GradualAdam(Gradual, keras.optimizers.Adam):
    """Adam, one variable after the other; see `Gradual`."""


@keras.saving.register_keras_serializable("zoo")
class GradualSGD(Gradual, keras.optimizers.SGD):
    """SGD, one variable after the other; see `Gradual`."""


KINDS: dict[Any, Any] = {keras.optimizers.Adam: GradualAdam, keras.optimizers.SGD: GradualSGD}


def gradual(
    optimizer: keras.optimizers.Optimizer, firsts: Sequence[int], shares: Sequence[float]
) -> Any:
    """The same optimizer, not built, whose variables train as `firsts` and `shares` say.

    Raises:
        InputError: It is neither Adam nor SGD.
    """
    kind = KINDS.get(type(optimizer))
    if kind is None:
        raise InputError(
            f"layers are unfrozen, or trained at rates of their own, by Adam or SGD, got "
            f"{type(optimizer).__name__}: use one of them"
        )
    return kind.from_config({**optimizer.get_config(), "firsts": firsts, "shares": shares})
