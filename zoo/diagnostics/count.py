"""Which cell can count: accuracy against length on small tasks, for cells, n-grams and windows.

Each cell learns each task from short sequences, whose longest length grows in the first half of the
training, and is then tested on ever longer ones. A cell that found the rule is right at any length;
one that found an approximation fails beyond what it saw.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.diagnostics.output import tables
from zoo.diagnostics.synthetic import baselines, tasks, training
from zoo.diagnostics.synthetic.tasks import Batch, Task
from zoo.errors import InputError, require_positive_int
from zoo.plots import plot_label
from zoo.registry import cell_class, cell_names
from zoo.system import durable
from zoo.system.commas import listed
from zoo.system.journal import Journal

NGRAM = 6  # tokens
WINDOW = 12  # tokens
COUNTED_BATCHES = 200  # of training data for the baselines
PASS = 2**17  # tokens of one forward pass at most
DIAGONAL = "no matrix connects the units"


@dataclass(frozen=True)
class Recipe:
    """How each cell is trained on each task and tested.

    Attributes:
        units: Hidden size K.
        length: Steps of the longest sequences of the training.
        lengths: Steps of the test sequences.
        steps: Training steps.
        rate: Adam's learning rate at the start, which falls to 0 along a cosine.
        rows: Sequences of a training batch, and twice as many of each length in a test.
    """

    units: int
    length: int
    lengths: tuple[int, ...]
    steps: int
    rate: float
    rows: int

    def batches(self, task: Task, seed: int, growth: int = 0) -> Iterator[Batch]:
        """Endless training batches of all lengths; see `training.batches`."""
        generator = np.random.default_rng([seed, 0])
        return training.batches(task, (1, self.length), self.rows, generator, growth)


Predict = Callable[[np.ndarray], np.ndarray]  # token ids (B, T) -> classes (B, T)


def accuracies(task: Task, predict: Predict, recipe: Recipe, seed: int) -> list[float]:
    """The accuracy, 0 to 1, at each length: over the last quarter of the steps.

    Tasks with an answer at the end are scored on its steps alone. The test data depend on the seed
    and the length, not on who predicts.
    """
    found = []
    for length in recipe.lengths:
        batch = task.batch(length, 2 * recipe.rows, np.random.default_rng([seed, 1, length]))
        rows = max(1, PASS // length)
        parts = [predict(batch.inputs[i : i + rows]) for i in range(0, len(batch.inputs), rows)]
        right = np.concatenate(parts) == batch.targets
        found.append(float(right[:, -(task.scored or max(1, length // 4)) :].mean()))
    return found


def train_and_test(
    task: Task, cell: str, recipe: Recipe, seed: int, title: str = ""
) -> dict[str, Any]:
    """Trains a cell on a task; returns `accuracies`, mean `losses` (nats) and `seconds`."""
    start = time.monotonic()
    keras.utils.set_random_seed(seed)
    model = training.model_for(task, cell, recipe.units)
    rate = keras.optimizers.schedules.CosineDecay(recipe.rate, recipe.steps)
    data = recipe.batches(task, seed, growth=max(1, recipe.steps // 2))
    losses = training.train(model, task, data, recipe.steps, rate, title or f"{task.name} {cell}")

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)])
    def classes(token_ids: tf.Tensor) -> tf.Tensor:
        return tf.argmax(model(token_ids, training=False), axis=-1)

    found = accuracies(task, lambda ids: np.asarray(classes(ids.astype("int32"))), recipe, seed)
    every = max(1, recipe.steps // 40)
    means = [float(np.mean(losses[i : i + every])) for i in range(0, len(losses), every)]
    seconds = round(time.monotonic() - start, 1)
    return {"accuracies": found, "losses": means, "seconds": seconds}


def without_training(task: Task, recipe: Recipe, seed: int) -> dict[str, list[float]]:
    """The accuracies of the baselines by name, counted on the data that the cells learn from."""
    stream = recipe.batches(task, seed)
    data = [next(stream) for _ in range(min(recipe.steps, COUNTED_BATCHES))]
    contexts = {
        "most frequent": [],
        f"{NGRAM}-gram": [baselines.last_tokens(n) for n in range(NGRAM, 0, -1)],
        f"window of {WINDOW}": [baselines.window(WINDOW)],
    }
    return {
        name: accuracies(task, baselines.Counted(task, each, data).predict, recipe, seed)
        for name, each in contexts.items()
    }


def count(
    names: Sequence[str],
    cells: Sequence[str],
    recipe: Recipe,
    seeds: Sequence[int] = (0,),
    journal: Journal | None = None,
) -> list[dict[str, Any]]:
    """Trains and tests each cell on each task with each seed.

    Args:
        names: Of tasks.
        cells: Names of cells.
        recipe: How they are trained and tested.
        seeds: Of the weights and the data.
        journal: Keeps what is finished. What it has already is not run again.

    Returns:
        An entry for each task, cell and seed, with these three and what `train_and_test` returns.

    Raises:
        InputError: A name is unknown, a task takes no such length, or the journal is of another
            recipe.
    """
    for task in map(_counting_task, names):
        for length in (recipe.length, *recipe.lengths):
            task.require(length)
    for cell in cells:
        cell_class(cell)
    events = journal.events if journal else []
    own = {"recipe": {**asdict(recipe), "lengths": list(recipe.lengths)}}
    if events and events[0] != own:
        raise InputError(
            f"{journal and journal.path} is of a run with {_words(events[0])}, expected "
            f"{_words(own)}: take these options or another folder by --out"
        )
    if journal and not events:
        journal.append(own)
    done = {(each["task"], each["cell"], each["seed"]): each for each in events[1:]}
    wanted = [(name, cell, seed) for seed in seeds for name in names for cell in cells]
    for number, key in enumerate(wanted, 1):
        if key not in done:
            name, cell, seed = key
            title = f"{number}/{len(wanted)} {name} {cell}"
            result = train_and_test(tasks.task(name), cell, recipe, seed, title)
            done[key] = {"task": name, "cell": cell, "seed": seed, **result}
            if journal:
                journal.append(done[key])
    return [done[key] for key in wanted]


def _counting_task(name: str) -> Task:
    task = tasks.task(name)
    if not (task.tokens and task.classes):
        raise InputError(f"{name} has no classes to count right: take parity or another task")
    return task


def _words(event: dict[str, Any]) -> str:
    return " ".join(f"{name} {value}" for name, value in event.get("recipe", event).items())


def has_full_matrix(cell: str) -> bool:
    """Whether a unit's next state depends on the other units' states, by a matrix U or by keys."""
    known = cell_class(cell)
    return bool(getattr(known, "has_full_matrix", getattr(known, "has_recurrent_kernel", True)))


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `count`."""
    names, chosen = listed("tasks", options.tasks), listed("cells", options.cells) or cell_names()
    cells = sorted(chosen, key=lambda name: not has_full_matrix(name))
    values = {field.name: getattr(options, field.name) for field in fields(Recipe)}
    recipe = Recipe(**{**values, "lengths": _lengths(options.lengths)})
    seeds = range(options.seed, options.seed + options.seeds)
    folder = Path(options.out or "diagnostics/count")
    durable.make_folder(folder)
    results = count(names, cells, recipe, seeds, Journal(folder / "journal.jsonl"))
    panels: dict[str, dict[str, np.ndarray]] = {name: {} for name in names}  # (seeds, lengths)
    for name in names:
        for cell in cells:
            label = cell if has_full_matrix(cell) else f"{cell} *"
            panels[name][label] = np.array(
                [e["accuracies"] for e in results if (e["task"], e["cell"]) == (name, cell)]
            )
        each = [without_training(tasks.task(name), recipe, seed) for seed in seeds]
        panels[name] |= {label: np.array([one[label] for one in each]) for label in each[0]}
    best = ", the best seed" if options.seeds > 1 else ""
    heading = (
        f"Accuracy in percent{best}; trained on up to {recipe.length} steps, K = {recipe.units}, "
        f"{recipe.steps} training steps; * {DIAGONAL}"
    )
    figure = picture(panels, recipe.lengths, heading)
    baseline = {
        name: {label: found.tolist() for label, found in list(each.items())[len(cells) :]}
        for name, each in panels.items()
    }
    numbers = {"lengths": list(recipe.lengths), "results": results, "baselines": baseline}
    return _table(panels, recipe, options.seeds), figure, numbers


def best_seed(accuracies: np.ndarray) -> np.ndarray:
    """The accuracies (lengths,) of the seed with the highest mean, from (seeds, lengths)."""
    return np.asarray(accuracies[accuracies.mean(1).argmax()])


def picture(
    panels: Mapping[str, Mapping[str, np.ndarray]], lengths: Sequence[int], title: str
) -> Figure:
    """Draws a table of accuracies for each task; the colour is what exceeds chance.

    Args:
        panels: The task's name -> the row's name -> accuracies, (seeds, lengths), 0 to 1. The row
            `most frequent` is chance.
        lengths: Steps of the test sequences.
        title: Of the whole picture.
    """
    names = list(next(iter(panels.values())))
    width = 1.0 + len(panels) * (0.34 * len(lengths) + 0.15)
    figure = Figure(figsize=(max(width, 4.0), 1.3 + 0.25 * len(names)), layout="constrained")
    figure.suptitle(plot_label(title, longest=160), fontsize=11)
    for number, (heading, rows) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        best = np.array([best_seed(values) for values in rows.values()])
        chance = rows["most frequent"].mean(0)
        share = np.clip((best - chance) / np.maximum(1 - chance, 1e-9), 0, 1)
        axes.imshow(share, cmap="YlGn", vmin=0, vmax=1, aspect="auto")
        for row, column in np.ndindex(best.shape):
            axes.text(
                column,
                row,
                f"{100 * best[row, column]:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share[row, column] > 0.6 else "black",
            )
        axes.set_title(plot_label(heading), fontsize=10)
        axes.set_xticks(range(len(lengths)), [str(length) for length in lengths], fontsize=7)
        axes.tick_params(axis="x", rotation=60)
        labels = [plot_label(name) for name in names] if number == 1 else []
        axes.set_yticks(range(len(labels)), labels, fontsize=8)
    figure.supxlabel("steps of the test sequences", fontsize=9)
    return figure


def _table(panels: dict[str, dict[str, np.ndarray]], recipe: Recipe, seeds: int) -> str:
    """Accuracies at the shortest and the longest test length, the best (and the mean)."""
    ends = {0: recipe.lengths[0], len(recipe.lengths) - 1: recipe.lengths[-1]}
    columns = ["cell", *(f"{name} {length}" for name in panels for length in ends.values())]
    rows = [
        [label, *(_percent(panel[label], place) for panel in panels.values() for place in ends)]
        for label in next(iter(panels.values()))
    ]
    note = "best seed (mean of all); " if seeds > 1 else ""
    return f"accuracy in percent at two lengths; {note}* {DIAGONAL}\n" + tables.text(columns, rows)


def _percent(panel: np.ndarray, place: int) -> str:
    best = f"{100 * best_seed(panel)[place]:.0f}"
    return best if len(panel) == 1 else f"{best} ({100 * panel[:, place].mean():.0f})"


def _lengths(text: str) -> tuple[int, ...]:
    words = listed("lengths", text)
    for word in words:
        require_positive_int("lengths", int(word) if word.isdigit() else word)
    if not words:
        raise InputError(f"lengths must be positive ints with commas between them, got {text!r}")
    return tuple(sorted(map(int, words)))
