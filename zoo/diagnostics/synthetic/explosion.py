"""A gradient that explodes, with and without clipping; the first number that is not finite."""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.diagnostics.observation import directions_of, observing
from zoo.diagnostics.synthetic import training
from zoo.diagnostics.synthetic.tasks import TASKS
from zoo.errors import require_choice

CLIPS = {  # how the gradient is bounded -> the optimizer's argument
    "none": {},
    "norm": {"global_clipnorm": 1.0},
    "value": {"clipvalue": 0.01},
}
RATE = 0.01


class NotFinite(NamedTuple):
    """The first number that is not finite.

    Attributes:
        update: The training step, from 1.
        layer: The path of the layer whose states, or whose weights' gradient, it is among.
        step: The time step of the states, from 0; None if all states are finite.
        parameter: The path of the weight; "" if a state is not finite already.
    """

    update: int
    layer: str
    step: int | None
    parameter: str

    def __str__(self) -> str:
        where = f"the states of {self.layer} from step {self.step} on"
        if self.step is None:
            where = f"the gradient of {self.parameter}"
        return f"NaN or infinity in update {self.update}: {where}"


class Explosion(NamedTuple):
    """A training with one kind of clipping.

    Attributes:
        clip: `none`, `norm` or `value`.
        losses: The loss before each update.
        norms: The norm of the gradient before clipping, of each update.
        failure: What was not finite first; None if nothing was.
    """

    clip: str
    losses: list[float]
    norms: list[float]
    failure: NotFinite | None


def first_not_finite(
    model: keras.Model, inputs: Any, gradients: list[Any], update: int
) -> NotFinite | None:
    """Names the first state, or else the first gradient, that is NaN or infinite.

    Args:
        model: A model with recurrent layers.
        inputs: The batch.
        gradients: Of the model's trainable weights, in their order.
        update: The number of the training step.
    """
    with observing(model) as seen:
        model(inputs)
    for each in seen:
        finite = np.all([np.isfinite(state).all((0, 2)) for state in each.states], axis=0)
        if not finite.all():
            return NotFinite(update, each.name, int(np.argmin(finite)), "")
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        if not np.isfinite(gradient).all():
            return NotFinite(update, weight.path.rpartition("/")[0], None, weight.path)
    return None


def explode(
    clip: str,
    radius: float = 1.1,
    length: int = 100,
    updates: int = 60,
    units: int = 64,
    seed: int = 0,
) -> Explosion:
    """Trains a rectified simple RNN on the adding task, whose recurrent matrix is radius times 1.

    The gradient at the first step is about radius^length times that at the last one. Training is
    plain gradient descent and ends at the first number that is not finite.

    Args:
        clip: `none`; `norm`, the whole gradient's norm is at most 1; `value`, each number is at
            most 0.01.
        radius: The spectral radius of the recurrent matrix at the start.
        length: Steps T.
        updates: Training steps at most.
        units: Hidden size K.
        seed: Of the weights and the data.

    Source: Pascanu, Mikolov and Bengio, arXiv:1211.5063, for clipping by norm; Mikolov's thesis
    (2012) for clipping by value.
    """
    require_choice("clip", clip, tuple(CLIPS))
    keras.utils.set_random_seed(seed)
    task = TASKS["adding"]
    model = training.model_for(task, "simple_rnn", units, cell_options={"activation": "relu"})
    (layer,) = directions_of(model)
    layer.cell.recurrent_kernel.assign(radius * np.eye(units))
    optimizer = keras.optimizers.SGD(RATE, **CLIPS[clip])
    generator = np.random.default_rng(seed)
    losses, norms = [], []
    step = tf.function(_gradients, reduce_retracing=True)
    for update in range(1, updates + 1):
        batch = task.batch(length, training.ROWS, generator)
        loss, gradients = step(model, batch.inputs, batch.targets)
        losses.append(float(loss))
        norms.append(
            float(np.sqrt(sum(np.sum(np.square(each, dtype=float)) for each in gradients)))
        )
        failure = first_not_finite(model, batch.inputs, gradients, update)
        if failure:
            return Explosion(clip, losses, norms, failure)
        optimizer.apply(gradients, model.trainable_weights)
    return Explosion(clip, losses, norms, None)


def _gradients(model: keras.Model, inputs: Any, targets: Any) -> tuple[Any, list[Any]]:
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = tf.reduce_mean(tf.square(outputs[:, 0] - targets))
    return loss, tape.gradient(loss, [weight.value for weight in model.trainable_weights])
