"""Adam or SGD as the options ask: its rate over all steps, clipping, the average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from recipes.config import TrainingConfig
from zoo.errors import InputError, require_choice
from zoo.recurrence.tracing import on_tensorflow

OPTIMIZERS = ("adam", "sgd")


def optimizer(
    config: TrainingConfig, steps_per_epoch: int, warmup: float = 0.0, kind: str = "adam"
) -> keras.optimizers.Optimizer:
    """Adam or SGD, the gradient's global norm clipped, with a running average of the weights.

    The average's momentum is 1 - 1 / n with n the steps in `config.average` epochs. With a decay
    the learning rate ends at 0 with the last of `config.epochs`, or of the recipe's least number of
    epochs where none is chosen yet. Weight decay is apart from the
    gradient and its scaling: w <- (1 - rate decay) w, then the step.

    Args:
        config: Rate, decay, weight decay, clipping, average.
        steps_per_epoch: Batches or windows of an epoch.
        warmup: Share of all steps in which the rate rises from 0 to its height, 0 to 1.
        kind: `adam` or `sgd`. Adam moves a row of a large table at its first gradient by some 30
            times the rate, which rare words do not bear; plain SGD moves it by the gradient.

    Source: Loshchilov and Hutter, arXiv:1711.05101, for the weight decay.
    """
    require_choice("optimizer", kind, OPTIMIZERS)
    steps = (config.epochs or config.RULE.least) * steps_per_epoch
    window = max(1.0, config.average * steps_per_epoch)
    make = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[kind]
    return make(
        _rate(config, steps, int(warmup * steps)),
        weight_decay=config.weight_decay or None,
        global_clipnorm=config.clip_norm or None,
        use_ema=window > 1,
        ema_momentum=1 - 1 / window if window > 1 else 0.99,
    )


def _rate(config: TrainingConfig, steps: int, rising: int) -> Any:
    """The learning rate over all steps."""
    height = config.learning_rate
    if config.decay == "cosine":
        rise = {"warmup_target": height, "warmup_steps": rising} if rising else {}
        start = 0.0 if rising else height
        return keras.optimizers.schedules.CosineDecay(start, steps - rising, **rise)
    if rising:
        raise InputError(
            f"warmup goes with --decay cosine, got --decay {config.decay}: set --warmup 0"
        )
    if config.decay == "linear":
        return keras.optimizers.schedules.PolynomialDecay(height, steps, 0.0)
    return height


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Puts the averaged weights into the model for the length of a `with` block.

    The weights' constraints are applied to the averages too: Keras averages the updated weights
    before it constrains them. Whatever the block does to the weights is undone at its end.
    """
    weights = _copies(model)
    if model.optimizer.use_ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        if not on_tensorflow():  # they would share memory with the averages, which a step frees
            _assign(model, _copies(model))
        for variable in model.trainable_variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
    try:
        yield
    finally:
        _assign(model, weights)


def _copies(model: keras.Model) -> list[Any]:
    return [np.array(keras.ops.convert_to_numpy(each)) for each in model.trainable_variables]


def _assign(model: keras.Model, values: list[Any]) -> None:
    for variable, value in zip(model.trainable_variables, values, strict=True):
        variable.assign(value)
