"""Small models for the made-up tasks, and their training."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.diagnostics.synthetic.tasks import Batch, Task
from zoo.layers import Recurrent
from zoo.registry import cell_class
from zoo.system.progress import Progress

ROWS = 32


def model_for(task: Task, cell: str, units: int, **options: Any) -> keras.Model:
    """Recurrent layers between an embedding, if there are tokens, and a dense layer.

    Args:
        task: What it will learn: classes at each step (B, T, C), or a value at the end (B, 1).
        cell: A registered cell's name.
        units: Hidden size K.
        **options: Of `zoo.layers.Recurrent`.
    """
    if task.tokens:
        inputs = keras.Input((None,), dtype="int32", name="token_ids")
        values = keras.layers.Embedding(task.tokens, units, name="embedding")(inputs)
    else:
        inputs = values = keras.Input((None, task.width), name="values")
        if not getattr(cell_class(cell), "has_input_kernel", True):
            values = keras.layers.Dense(units, use_bias=False, name="input_matrix")(values)
    each_step = task.classes > 0
    body = Recurrent(
        cell,
        units,
        return_sequences=each_step,
        return_state=False,
        name="body",
        **options,
    )
    outputs = keras.layers.Dense(task.classes or 1, name="outputs")(body(values))
    return keras.Model(inputs, outputs, name=f"{task.name}_{cell}")


def loss_of(task: Task, batch: Batch) -> Callable[[Any], Any]:
    """The mean loss over what counts in a batch: cross-entropy in nats, or the squared error."""

    def loss(outputs: Any) -> Any:
        if task.classes:
            each = keras.losses.sparse_categorical_crossentropy(
                batch.targets, outputs, from_logits=True
            )
        else:
            each = ops.square(outputs[:, 0] - batch.targets)
        return ops.sum(each * batch.weights) / ops.sum(batch.weights)

    return loss


def train(
    model: keras.Model, task: Task, batches: Iterator[Batch], steps: int, rate: Any, title: str
) -> list[float]:
    """Trains with Adam and gradients of norm 1 at most; returns the loss of each step.

    `rate` is a learning rate or a Keras schedule of it.
    """
    loss = (
        keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        if task.classes
        else keras.losses.MeanSquaredError()
    )
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), loss, jit_compile=False)
    progress = Progress(title, steps, compiling=True)
    losses = []
    for step in range(1, steps + 1):
        batch = next(batches)
        losses.append(float(model.train_on_batch(batch.inputs, batch.targets, batch.weights)))
        progress.update(step, f"loss {losses[-1]:.4f}")
    progress.done()
    return losses


def batches(
    task: Task,
    lengths: tuple[int, int],
    rows: int,
    generator: np.random.Generator,
    growth: int = 0,
) -> Iterator[Batch]:
    """Endless batches, each of one length, drawn from the first to the second.

    With classes at each step, the batches are padded to the second length on the right, where
    nothing counts: XLA then compiles one size.

    Args:
        task: The task.
        lengths: The shortest and the longest.
        rows: Sequences B of a batch.
        generator: The source of randomness.
        growth: The number of batches in which the longest length grows from the first to the
            second.
    """
    shortest, longest = max(lengths[0], task.shortest), lengths[1]
    for number in itertools.count(1):
        part = min(1.0, number / growth) if growth else 1.0
        top = shortest + math.ceil(part * (longest - shortest))
        length = int(generator.integers(shortest, top + 1))
        batch = task.batch(length, rows, generator)
        added = longest - length if task.classes else 0
        yield Batch(*(_padded(each, added) for each in batch)) if added else batch


def _padded(values: np.ndarray, added: int) -> np.ndarray:
    return np.pad(values, [(0, 0), (0, added), *[(0, 0)] * (values.ndim - 2)])
