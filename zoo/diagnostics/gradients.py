"""The gradient of a loss at every step of a recurrent layer: where it vanishes or explodes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib.figure import Figure

from zoo.cells import RecurrentCell
from zoo.diagnostics import opening
from zoo.diagnostics.observation import Observed, directions_of, observing
from zoo.diagnostics.output import plots, tables
from zoo.diagnostics.synthetic import explosion, tasks, training
from zoo.errors import InputError
from zoo.recurrence.keras_cell import is_zoo_cell
from zoo.system.commas import listed

FADED = 0.01  # of the norm at the last step: the end of the effective memory
SATURATED = 0.05  # distance from 0 or 1
RATE = 0.003  # of Adam, in the trainings between the panels


@dataclass(frozen=True)
class GradientFlow:
    """The gradients at the steps of one recurrent layer in one direction.

    Attributes:
        name: Its path in the model.
        norms: (T,), the mean over the rows of the norm of d L / d h_t, all states of the cell
            taken as one vector, in the order of reading.
        memory: The number of steps from the first to the last norm that is at least a hundredth of
            the largest; T if all are.
        radius: The spectral radius of the recurrent matrix, the largest of several gates'; None
            for a cell without one.
        saturated: The share of each gate's values within 0.05 of 0 or 1, by the gate's name.
        kept: The mean share of the old state that a step keeps; None where no gate rules that.
    """

    name: str
    norms: np.ndarray
    memory: int
    radius: float | None
    saturated: dict[str, float]
    kept: float | None


def gradient_flow(
    model: keras.Model, inputs: Any, loss: Callable[[Any], Any]
) -> list[GradientFlow]:
    """Follows the gradient of a loss back through the steps of each recurrent layer.

    Args:
        model: Any model with recurrent layers of the zoo.
        inputs: What it takes, a batch.
        loss: The model's outputs -> a scalar.

    Returns:
        One for each layer and direction.

    Raises:
        InputError: The model has no such layer.
    """
    with tf.GradientTape() as tape, observing(model, tape) as seen:
        value = loss(model(inputs))
    probes = [probe for each in seen for probe in each.probes]
    gradients = iter(tape.gradient(value, probes, unconnected_gradients="zero"))
    return [_flow(each, [next(gradients) for _ in each.probes]) for each in seen]


def _flow(seen: Observed, gradients: list[Any]) -> GradientFlow:
    squares = sum(np.square(np.asarray(gradient, float)).sum(-1) for gradient in gradients)
    real = seen.real
    norms = np.where(real, np.sqrt(squares), 0).sum(0) / np.maximum(real.sum(0), 1)
    gates = {name: values[real] for name, values in seen.gates().items()}
    kept = gates.pop("kept", gates.get("forget"))
    return GradientFlow(
        seen.name,
        norms,
        memory_length(norms),
        spectral_radius(seen.layer.cell),
        {name: float(np.mean(np.abs(v - 0.5) > 0.5 - SATURATED)) for name, v in gates.items()},
        None if kept is None else float(np.mean(kept)),
    )


def memory_length(norms: np.ndarray) -> int:
    """The number of steps from the first to the last gradient that is at least a hundredth.

    The gradient of a loss at the last step is largest there, so it counts the steps back from it.

    Example:
        >>> memory_length(np.array([0.001, 0.1, 0.5, 1.0]))
        3
    """
    above = np.flatnonzero(norms >= FADED * np.max(norms))
    return int(above[-1] + 1 - above[0]) if len(above) and np.max(norms) > 0 else 0


def spectral_radius(cell: Any) -> float | None:
    """The largest absolute eigenvalue of the recurrent matrix, or of several gates' matrices.

    Of a cell whose units are connected with their own past alone it is the largest weight.
    """
    if not is_zoo_cell(cell):
        return None
    weights = getattr(cell, "recurrent_weights", None)
    if weights is not None:
        return float(np.max(np.abs(weights)))
    if cell.recurrent_kernel is None:
        return None
    matrices = np.split(np.asarray(cell.recurrent_kernel, float), cell.num_gates, axis=1)
    return float(max(np.max(np.abs(np.linalg.eigvals(each))) for each in matrices))


def open_gates(cell: RecurrentCell, steps: int, seed: int = 0) -> bool:
    """Sets the biases of a cell's gates so that it remembers for 1 to `steps` steps.

    Args:
        cell: The built cell.
        steps: The longest time to remember, T.
        seed: Of the random times, one for each unit.

    Returns:
        Whether the cell has such gates.

    Source: Tallec and Ollivier, Can recurrent neural networks warp time?, arXiv:1804.11188.
    """
    times = np.random.default_rng(seed).uniform(1, max(steps - 1, 2), cell.units)
    if not getattr(cell, "keeping_blocks", None):
        return False
    bias = np.array(ops.convert_to_numpy(cell.bias))
    for block, sign in cell.keeping_blocks.items():
        where: Any = (*[0] * (bias.ndim - 1), slice(block * cell.units, (block + 1) * cell.units))
        bias[where] = sign * np.log(times)
    cell.bias.assign(bias)
    return True


def show(options: Any, **model_options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `gradients`."""
    chosen = [f"--{name}" for name in ("run", "architecture", "explode") if getattr(options, name)]
    if len(chosen) > 1:
        raise InputError(f"give one of {' and '.join(chosen)}: each measures other models")
    if options.run:
        folders = listed("run", options.run)
        of_runs = [opening.batch_of(Path(folder)) for folder in folders]
        return _of_batches("a validation batch", of_runs)
    if options.architecture:
        batch = opening.untrained(
            options.architecture, model_options, options.units, options.length, options.seed
        )
        return _of_batches("one output of an untrained model", [batch])
    return _exploding(options) if options.explode else _vanishing(options)


def _of_batches(
    title: str, batches: list[opening.LossOnBatch]
) -> tuple[str, Figure, dict[str, Any]]:
    """The layers of models, each with a batch and its loss."""
    flows = {each.name: gradient_flow(each.model, each.inputs, each.loss) for each in batches}
    rows = [
        [name, flow.name, len(flow.norms), *_row(flow, flow.norms / _largest(flow))[-4:]]
        for name, each in flows.items()
        for flow in each
    ]
    panels = [
        {
            "title": name,
            "x_label": "step, in the order of reading",
            "y_label": "norm of d L / d h_t",
            "curves": {f.name: _curve(f) for f in each},
            "log": True,
        }
        for name, each in flows.items()
    ]
    columns = ["model", "layer", "steps", *COLUMNS]
    numbers = {name: [_json(flow) for flow in each] for name, each in flows.items()}
    heading = f"d L / d h_t of {title}, as a share of the largest step's"
    table = f"{heading}\n{tables.text(columns, rows)}"
    return table, plots.lines(panels), {"runs": numbers}


def _curve(flow: GradientFlow) -> tuple[np.ndarray, np.ndarray]:
    """The steps with a gradient, and its share of the largest one there."""
    steps = np.flatnonzero(flow.norms)
    return steps, flow.norms[steps] / _largest(flow)


def _largest(flow: GradientFlow) -> float:
    return max(float(np.max(flow.norms)), 1e-30)


def _vanishing(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """Each cell at the start, with open gates, and after some training with open gates."""
    task, length = tasks.task(options.task), options.length
    generator = np.random.default_rng(options.seed)
    batch = task.batch(length, training.ROWS, generator)
    after = f"after {options.updates} training steps"
    titles = ("at the start, usual biases", "at the start, gates open", f"{after}, gates open")
    flows: dict[str, dict[str, GradientFlow]] = {title: {} for title in titles}
    for name in listed("cells", options.cells):
        keras.utils.set_random_seed(options.seed)
        model = training.model_for(task, name, options.units)
        loss = training.loss_of(task, batch)
        (layer,) = directions_of(model)
        flows[titles[0]][name] = gradient_flow(model, batch.inputs, loss)[0]
        open_gates(layer.cell, length, options.seed)
        flows[titles[1]][name] = gradient_flow(model, batch.inputs, loss)[0]
        data = training.batches(task, (length, length), training.ROWS, generator)
        training.train(model, task, data, options.updates, RATE, name)
        flows[titles[2]][name] = gradient_flow(model, batch.inputs, loss)[0]
    shares = {
        title: {name: flow.norms / flow.norms[-1] for name, flow in each.items()}
        for title, each in flows.items()
    }
    heading = f"{task.name}, T = {length}, K = {options.units}"
    rows = [
        [title, name, *_row(flow, shares[title][name])]
        for title, each in flows.items()
        for name, flow in each.items()
    ]
    columns = ["", "cell", *(f"{back} back" for back in _distances(length)), *COLUMNS]
    numbers = {
        title: {name: _json(flow) for name, flow in each.items()} for title, each in flows.items()
    }
    table = f"d L / d h_t, as a share of the last step's; {heading}\n" + tables.text(columns, rows)
    return table, plots.shares_by_distance(shares, f"d L / d h_t: {heading}"), {"panels": numbers}


COLUMNS = ("memory, steps", "spectral radius", "kept", "saturated gates")


def _distances(length: int) -> list[int]:
    return sorted({min(back, length - 1) for back in (10, 50, length - 1)})


def _row(flow: GradientFlow, shares: np.ndarray) -> list[str]:
    back = [f"{shares[len(shares) - 1 - steps]:.0e}" for steps in _distances(len(shares))]
    radius = "-" if flow.radius is None else f"{flow.radius:.2f}"
    kept = "-" if flow.kept is None else f"{flow.kept:.3f}"
    saturated = ", ".join(f"{name} {share:.0%}" for name, share in flow.saturated.items()) or "-"
    return [*back, str(flow.memory), radius, kept, saturated]


def _json(flow: GradientFlow) -> dict[str, Any]:
    return {**vars(flow), "norms": flow.norms.tolist()}


def _exploding(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The adding task by a rectified RNN whose gradient explodes, for each way of clipping."""
    found = {
        clip: explosion.explode(
            clip, options.radius, options.length, options.updates, options.units, options.seed
        )
        for clip in explosion.CLIPS
    }
    heading = f"simple_rnn with relu, spectral radius {options.radius}, T = {options.length}"
    rows = [
        [clip, f"{e.norms[0]:.1e}", f"{e.losses[0]:.1e}", f"{e.losses[-1]:.1e}", len(e.losses),
         e.failure or "-"]
        for clip, e in found.items()
    ]  # fmt: skip
    columns = ["clipping", "first norm", "first loss", "last loss", "updates", "not finite"]
    panels = {
        "loss": {clip: each.losses for clip, each in found.items()},
        "norm of the gradient before clipping": {c: each.norms for c, each in found.items()},
    }
    numbers = {
        clip: {"losses": e.losses, "norms": e.norms, "failure": e.failure and str(e.failure)}
        for clip, e in found.items()
    }
    table = heading + "\n" + tables.text(columns, rows)
    return table, plots.training_curves(panels, heading), numbers
