"""Deep stacks of recurrent layers, without and with residual connections.

The gradient of the loss at each layer before any training, and the loss while the stack learns.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure

from zoo.diagnostics.gradients import gradient_flow
from zoo.diagnostics.output import plots, tables
from zoo.diagnostics.synthetic import tasks, training

STACKS = {"plain": False, "residual": True}  # -> residual
RATE = 0.003  # of Adam
MEAN = 10  # training steps of a point of the curves


class Stack(NamedTuple):
    """A stack of layers.

    Attributes:
        norms: (L,), of each layer, from the lowest up: the mean over the steps of the norm of
            d L / d h_t before any training.
        losses: The loss of each training step, in nats.
    """

    norms: np.ndarray
    losses: np.ndarray


def stack(
    task: tasks.Task,
    cell: str,
    residual: bool,
    layers: int,
    units: int = 32,
    length: int = 20,
    updates: int = 200,
    seed: int = 0,
) -> Stack:
    """Measures the gradients of a stack, then trains it.

    Args:
        task: What it learns: classes at each step.
        cell: A registered cell's name.
        residual: Whether each layer's input is added to its output, from the second on.
        layers: L.
        units: Hidden size K.
        length: Steps T.
        updates: Training steps; 0 = none.
        seed: Of the weights and the data.
    """
    keras.utils.set_random_seed(seed)
    options = {"num_layers": layers, "residual": residual and layers > 1}
    model = training.model_for(task, cell, units, **options)
    generator = np.random.default_rng(seed)
    batch = task.batch(length, training.ROWS, generator)
    flows = gradient_flow(model, batch.inputs, training.loss_of(task, batch))
    data = training.batches(task, (length, length), training.ROWS, generator)
    title = f"{cell}, {layers} layers{', residual' if residual else ''}"
    losses = training.train(model, task, data, updates, RATE, title) if updates else []
    return Stack(np.array([flow.norms.mean() for flow in flows]), np.array(losses))


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `deep`."""
    task = tasks.task(options.task)
    task.require(options.length)
    found = {
        name: stack(
            task,
            options.cell,
            residual,
            options.layers,
            options.units,
            options.length,
            options.updates,
            options.seed,
        )
        for name, residual in STACKS.items()
    }
    heading = (
        f"{options.layers} layers of {options.cell}, K = {options.units}; {task.name}, "
        f"T = {options.length}"
    )
    layers = np.arange(1, options.layers + 1)
    rows = [
        [name, *(f"{share:.4f}" for share in (each.norms[0] / each.norms[-1],)),
         f"{each.losses[:MEAN].mean():.3f}", f"{each.losses[-MEAN:].mean():.3f}"]
        for name, each in found.items()
    ]  # fmt: skip
    columns = ["stack", "gradient, lowest over highest layer", "first loss", "last loss"]
    panels: list[dict[str, Any]] = [
        {
            "title": "before training",
            "x_label": "layer, 1 = lowest",
            "y_label": "norm of d L / d h_t, share of the highest layer's",
            "curves": {name: (layers, e.norms / e.norms[-1]) for name, e in found.items()},
            "log": True,
        },
        {
            "title": "training",
            "x_label": "training step",
            "y_label": "loss, nats",
            "curves": {name: _means(each.losses) for name, each in found.items()},
        },
    ]
    figure = plots.lines(panels)
    figure.suptitle(heading, fontsize=10)
    numbers = {
        name: {"norms": each.norms.tolist(), "losses": each.losses.tolist()}
        for name, each in found.items()
    }
    return f"{heading}\n{tables.text(columns, rows)}", figure, {"stacks": numbers}


def _means(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last step and the mean of each ten losses; of fewer, of all."""
    every = min(MEAN, len(losses))
    count = len(losses) // every
    return every * np.arange(1, count + 1), losses[: every * count].reshape(count, every).mean(1)
