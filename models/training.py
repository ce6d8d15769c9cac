"""Trains the seeds of a model, one after the other; what is finished is kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.entries import Entry, Metric
from recipes import cli
from recipes.opening import run_of
from recipes.run import Run
from zoo.errors import Failure, InputError
from zoo.system import durable

DONE = "finished.json"  # written last


def folder_of(entry: Entry, seed: int, runs: Path) -> Path:
    """The folder of a run."""
    return runs / entry.name / f"seed-{seed}"


def words_of(entry: Entry, seed: int, data: Path, runs: Path) -> list[str]:
    """The words of the command that trains a seed, after `train RECIPE`."""
    first = seed == entry.seeds[0]
    options = [*entry.options, *(entry.first_options if first else entry.other_options)]
    known = {"{data}": str(data), "{first}": str(folder_of(entry, entry.seeds[0], runs))}
    words = ["--data", entry.data, *options]
    for name, value in known.items():
        words = [word.replace(name, value) for word in words]
    return [*words, "--seed", str(seed)]


def trained(
    entry: Entry, data: Path, runs: Path, seeds: Sequence[int] | None = None
) -> Iterator[Run]:
    """Yields the runs of seeds, by default all, trained and measured unless they are already.

    Raises:
        InputError: The data is missing.
        Failure: A training failed.
    """
    for seed in entry.seeds if seeds is None else seeds:
        yield _trained(entry, seed, data, runs)


def _trained(entry: Entry, seed: int, data: Path, runs: Path) -> Run:
    folder = folder_of(entry, seed, runs)
    words = words_of(entry, seed, data, runs)
    if (folder / DONE).exists():
        known = json.loads((folder / DONE).read_text(encoding="utf-8"))
        if known != words:
            raise InputError(
                f"{folder} was trained with other options ({' '.join(known)}): delete it, or give "
                "another --runs"
            )
        return run_of(folder)
    durable.make_folder(folder.parent)
    print(f"\n== {entry.name}, seed {seed}", flush=True)
    if (folder / "config.json").exists():
        _call("train", entry.recipe, "--resume", "--run-dir", str(folder))
    else:
        _call("train", entry.recipe, *words, "--run-dir", str(folder))
    _call("evaluate", entry.recipe, "--run-dir", str(folder))
    durable.write_json(folder / DONE, words)
    return run_of(folder)


def _call(verb: str, recipe: str, *words: str) -> None:
    status = cli.main([verb, recipe, *words])
    if status:
        raise Failure(f"{verb} {recipe} {' '.join(words)} ended with status {status}")


def metrics_of(run: Run) -> dict[str, Any]:
    """A run's `metrics.json`."""
    found: dict[str, Any] = json.loads((run.directory / "metrics.json").read_text(encoding="utf-8"))
    return found


def value_of(metric: Metric, found: Mapping[str, Any]) -> float:
    """A metric's value, the mean of two where it has two."""
    places = [metric.keys, *([metric.other] if metric.other else [])]
    return sum(float(found[split][key]) for split, key in places) / len(places)


def best(found: Mapping[int, Mapping[str, Any]], metric: Metric) -> int:
    """The seed that validated best: by the metric if validation has it, else by its loss.

    Args:
        found: `metrics.json` of each seed.
        metric: The model's metric.
    """

    def loss(seed: int) -> float:
        validation = found[seed]["validation"]
        if metric.keys[1] in validation:
            value = float(validation[metric.keys[1]])
            return value if metric.lower_is_better else -value
        return float(validation["loss"])

    return min(sorted(found), key=loss)
