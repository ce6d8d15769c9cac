"""Every cell at the same number of parameters: quality, time per epoch, memory, latency of a step.

    python -m benchmarks.cells --tasks imdb ewt shakespeare counting --out runs/cells

The hidden size of each cell is the one whose built model is nearest to the number of parameters of
the reference cell's model at `--units`; embeddings keep their size (but for `elman`, whose inputs
have the size of its state). Each training runs in a process of its own, whose largest resident
memory is measured. What is finished is in `cells.jsonl` in the folder, and is not run again; a
training that was killed or failed starts again.
`--record` stores the tables for `benchmarks/results/cells.md`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.scoreboard import commits, measurements  # noqa: E402
from benchmarks.scoreboard.tables import METRICS, markdown  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from recipes import registry  # noqa: E402
from recipes.run import Run, free_path  # noqa: E402
from zoo.diagnostics.synthetic import tasks, training  # noqa: E402
from zoo.errors import Failure, InputError, nearest  # noqa: E402
from zoo.layers import Recurrent  # noqa: E402
from zoo.registry import cell_class, cell_names  # noqa: E402
from zoo.system.journal import Journal  # noqa: E402

COUNTED = "parity"  # the counting task
WARM, STEPS = 20, 200  # calls of a step, not measured and measured
MOST_UNITS = 4096
DIGITS = [4, 1, 0, 3, 0]


class Task(NamedTuple):
    """A data set and the recipe that learns it.

    Attributes:
        recipe: Its name; "" for the counting task.
        options: The recipe's options that are not its defaults.
        metric: Of the test split in `metrics.json`.
        beside: Numbers that the body reads beside the embedding: of letters and of casing.
    """

    recipe: str
    options: Mapping[str, Any]
    metric: str
    beside: int = 0


TASKS = {
    "imdb": Task(
        "sentiment",
        {"data": "tfds:imdb_reviews", "embedding_dim": 128, "bidirectional": False, "epochs": 1},
        "accuracy",
    ),
    "ewt": Task("pos", {"data": "tfds:universal_dependencies/en_ewt"}, "accuracy", beside=108),
    "shakespeare": Task("generation", {"data": "tfds:tiny_shakespeare", "epochs": 5}, "loss"),
    "counting": Task("", {}, "accuracy"),
}


def reads_any_width(cell: str) -> bool:
    """Whether a cell has an input matrix, so that its inputs may have any width."""
    return getattr(cell_class(cell), "has_input_kernel", True)


def options_of(task: Task, cell: str, units: int) -> dict[str, Any]:
    """The options of a recipe's model with a cell."""
    found = {**task.options, "cell": cell, "units": units}
    if not reads_any_width(cell):
        found["embedding_dim"] = units - task.beside
        if found.get("bidirectional", True) and task.recipe == "pos":
            found["merge_mode"] = "sum"
    return found


def counter(name: str) -> Callable[[str, int], int]:
    """A function that builds a task's model with a cell of K units and counts its parameters."""
    task = TASKS[name]
    if not task.recipe:
        counted = tasks.task(COUNTED)
        return lambda cell, units: training.model_for(counted, cell, units).count_params()
    recipe = registry.find(task.recipe)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Run.begin(recipe, dict(task.options), Path(folder) / "run").load_data()

    def count(cell: str, units: int) -> int:
        config = recipe.configured(options_of(task, cell, units))
        model = recipe.build(config, prepared)
        keras.backend.clear_session()
        return int(model.count_params())

    return count


def units_for(parameters: int, count: Callable[[int], int], least: int = 1) -> int:
    """The units, `least` or more, whose number of parameters, which grows with them, is nearest.

    Example:
        >>> units_for(100, lambda units: units * units)
        10
        >>> units_for(91, lambda units: units * units)
        10
        >>> units_for(91, lambda units: units * units, least=20)
        20
    """
    count = cache(count)
    low, high = least, 2 * least
    while count(high) < parameters and high < MOST_UNITS:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < parameters else (low, middle)
    return min((low, high), key=lambda units: abs(count(units) - parameters))


def latency(cell: str, units: int) -> float:
    """Milliseconds of one compiled step of one row of K values: the median."""
    body = Recurrent(cell, units)
    inputs = tf.ones((1, units))
    body.build((None, None, units))
    step = tf.function(lambda values, states: body.step(values, states), autograph=False)
    states, seconds = body.get_initial_states(1), []
    for _ in range(WARM + STEPS):
        start = time.perf_counter()
        output, states = step(inputs, states)
        np.asarray(output)
        seconds.append(time.perf_counter() - start)
    return round(1000 * float(np.median(seconds[WARM:])), 4)


def measured(words: Sequence[str]) -> float:
    """Runs a command of the project; returns the most memory it had, in MiB.

    Raises:
        Failure: It did not end with status 0.
    """
    process = subprocess.Popen([sys.executable, "-m", "recipes", *words])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failure(f"`rnn-zoo {' '.join(words)}` ended with status {process.returncode}")
    return round(usage.ru_maxrss / 1024, 1)


def trained(name: str, cell: str, units: int, seed: int, folder: Path, more: list[str]) -> Any:
    """Trains and tests: quality, seconds per epoch, MiB."""
    task = TASKS[name]
    if not task.recipe:
        given = ["--tasks", COUNTED, "--cells", cell, "--units", str(units), "--seed", str(seed)]
        memory = measured(["count", *given, "--out", str(folder), *more])
        (result,) = json.loads((folder / "count.json").read_text())["results"]
        quality, seconds, epochs = np.mean(result["accuracies"]), result["seconds"], 1
    else:
        given = []
        for key, value in {**options_of(task, cell, units), "seed": seed}.items():
            flag = key.replace("_", "-")
            switch = isinstance(value, bool)
            given += [f"--{'' if value else 'no-'}{flag}"] if switch else [f"--{flag}", str(value)]
        memory = measured(["train", task.recipe, *given, "--run-dir", str(folder), *more])
        measured(["evaluate", task.recipe, "--run-dir", str(folder)])
        metrics = json.loads((folder / "metrics.json").read_text())
        quality, seconds = metrics["test"][task.metric], metrics["seconds"]
        epochs = metrics["epochs"]
    return {
        task.metric: round(float(quality), 4),
        "seconds_per_epoch": round(seconds / epochs, 1),
        "memory_mib": memory,
    }


def columns(name: str) -> list[str]:
    """The headings of a task's table."""
    time_of = "seconds per epoch" if TASKS[name].recipe else "seconds"
    label = METRICS[TASKS[name].metric][0]
    return ["cell", "units", "parameters", label, time_of, "memory, MiB", "step, ms", "seeds"]


def lines(name: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[list[str], list[Any]]]:
    """Labels and values, the means over the seeds, of each cell of a table; the best cell first."""
    metric = TASKS[name].metric
    found = []
    for cell in sorted({row["cell"] for row in rows}):
        own = [row for row in rows if row["cell"] == cell]
        names = (metric, "seconds_per_epoch", "memory_mib", "step_ms")
        means = [float(np.mean([row[each] for row in own])) for each in names]
        labels = [f"`{cell}`", str(own[0]["units"]), f"{own[0]['parameters']:,}"]
        found.append((labels, [*means, len(own)]))
    lower_is_better = METRICS[metric][2]
    return sorted(found, key=lambda line: line[1][0] if lower_is_better else -line[1][0])


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The results of a task as Markdown."""
    shown = [
        [*labels, *map(measurements.formatted, values, DIGITS)]
        for labels, values in lines(name, rows)
    ]
    return f"## {name}\n\n{markdown(columns(name), shown)}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    found.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK")
    found.add_argument("--cells", nargs="+", default=cell_names(), metavar="CELL")
    found.add_argument("--reference", default="lstm", metavar="CELL", help="sets the parameters")
    found.add_argument("--units", type=int, default=128, help="of the reference cell (128)")
    found.add_argument("--seeds", type=int, default=1, help="trainings of each, from seed 0 on (1)")
    found.add_argument("--out", type=Path, default=Path("runs/cells"), help="folder (runs/cells)")
    found.add_argument("--train", default="", help='more options of trainings: "--epochs 1"')
    measurements.add_flag(found)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is not finished, prints the tables and writes them to `cells.md`.

    A training that fails is reported; the others go on, and the status is 1.
    """
    options = parser().parse_args(arguments)
    for name in options.tasks:
        if name not in TASKS:
            raise InputError(f"unknown task {name!r}: {nearest(name, TASKS)}")
    for cell in (*options.cells, options.reference):
        cell_class(cell)
    options.out.mkdir(parents=True, exist_ok=True)
    journal = Journal(options.out / "cells.jsonl")
    recorders = {
        name: measurements.Recorder(f"cells-{name}", columns(name))
        for name in (options.tasks if options.record else ())
    }
    own = {"reference": options.reference, "units": options.units, "train": options.train}
    if recorders:  # all that a table shows is of one commit
        own["commit"] = commits.head()
    if journal.events and journal.events[0] != own:
        raise InputError(f"{journal.path} is of other options, {journal.events[0]}: give --out")
    if not journal.events:
        journal.append(own)
    rows, failed = journal.events[1:], False
    for name in options.tasks:
        count = counter(name)
        wanted = count(options.reference, options.units)
        for cell in options.cells:
            keys = [{"task": name, "cell": cell, "seed": seed} for seed in range(options.seeds)]
            missing = [key for key in keys if not any(key.items() <= row.items() for row in rows)]
            if not missing:
                continue
            least = 1 if reads_any_width(cell) else TASKS[name].beside + 1
            units = units_for(wanted, lambda size, cell=cell, count=count: count(cell, size), least)
            for key in missing:
                # a folder for each try: a killed or failed one leaves its run
                folder = free_path(options.out / f"{name}-{cell}-{key['seed']}")
                try:
                    found = trained(name, cell, units, key["seed"], folder, options.train.split())
                except Failure as error:
                    print(f"python -m benchmarks.cells: {error}", file=sys.stderr, flush=True)
                    failed = True
                    continue
                row = {**key, "units": units, "parameters": count(cell, units), **found}
                row["step_ms"] = latency(cell, units)
                journal.append(row)
                rows.append(row)
    text = "\n\n".join(table(name, _of(name, rows)) for name in options.tasks)
    (options.out / "cells.md").write_text(text + "\n")
    print(text)
    words = sys.argv[1:] if arguments is None else arguments
    command = ["python", "-m", "benchmarks.cells", *(word for word in words if word != "--record")]
    for name, recorder in recorders.items():
        for labels, values in lines(name, _of(name, rows)):
            recorder.add(labels, values, DIGITS)
        recorder.store(machine.line(), command)
    return int(failed)


def _of(task: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["task"] == task]


def _command() -> int:
    try:
        return main()
    except (InputError, Failure) as error:
        print(f"python -m benchmarks.cells: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1


if __name__ == "__main__":
    sys.exit(_command())
