"""The folder of a study: one folder per trial, with one folder per run."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile
from zoo.system import durable, stored


@dataclass(frozen=True)
class Run:
    """One training of a trial.

    Attributes:
        trial: The trial's name, `0007`, which is also its folder's; see `number`.
        values: The settings that the search chose.
        fraction: Fraction of the training data, above 0 and up to 1.
        seed: The seed of this run.
        directory: Its folder, which may contain files of an interrupted attempt.
        epochs: The last epoch, or None for the recipe's own number.
        start: The folder of the run that it continues (hyperband), or None.
        timed: Whether the time for one example is to be measured: once for each trial.
    """

    trial: str
    values: dict[str, Any]
    fraction: float
    seed: int
    directory: Path
    epochs: int | None = None
    start: Path | None = None
    timed: bool = False


Measure = Callable[[Run], dict[str, Any]]


def number(trial: str) -> int:
    """A trial's number, counted from 1, in messages and tables: `0007` -> 8."""
    return int(trial) + 1


class Records:
    """The records of the trials in a study's folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def of_trial(self, trial: str) -> Path:
        """A trial's folder."""
        return self.directory / "trials" / trial

    def of_run(self, trial: str, fraction: float, seed: int) -> Path:
        """A run's folder."""
        return self.of_trial(trial) / f"fraction-{fraction:g}-seed-{seed}"

    def result(self, directory: Path) -> dict[str, Any] | None:
        """The metrics of a finished run, or None.

        Raises:
            DamagedFile: They cannot be read.
        """
        return _read(
            directory / "result.json",
            {"trial": str, "fraction": float, "seed": int, "values": dict},
        )

    def finish(self, run: Run, metrics: dict[str, Any]) -> None:
        """Records a run's metrics, which finishes it."""
        labels = {"trial": run.trial, "fraction": run.fraction, "seed": run.seed}
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in metrics.items()
        }
        durable.make_folder(run.directory)
        content = {**labels, "values": run.values, **finite}
        durable.write_json(run.directory / "result.json", content)

    def fail(self, trial: str, values: dict[str, Any], reason: str, trace: str = "") -> None:
        """Records why a trial failed, and writes its traceback if it has one."""
        folder = self.of_trial(trial)
        content = {"trial": trial, "values": values, "reason": reason}
        durable.make_folder(folder)
        durable.write_json(folder / "failed.json", content)
        if trace:
            (folder / "traceback.txt").write_text(trace, encoding="utf-8")

    def failed_values(self, trial: str) -> dict[str, Any]:
        """The settings of a trial that failed."""
        found = _read(self.of_trial(trial) / "failed.json", {}) or {}
        values = found.get("values", {})
        return values if isinstance(values, dict) else {}

    def progress(self, trial: str) -> int:
        """The progress of a trial: its finished epochs and runs."""
        folder = self.of_trial(trial)
        lines = sum(path.read_bytes().count(b"\n") for path in sorted(folder.glob("*/history.csv")))
        return lines + len(list(folder.glob("*/result.json")))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The metrics of all finished runs."""
        for path in sorted((self.directory / "trials").glob("*/*/result.json")):
            found = self.result(path.parent)
            if found:
                yield found

    def failures(self) -> dict[str, str]:
        """The trials that failed, and why."""
        paths = sorted(self.directory.glob("trials/*/failed.json"))
        found = {path.parent.name: _read(path, {"reason": str}) for path in paths}
        return {trial: str(each["reason"]) for trial, each in found.items() if each}


def _read(path: Path, entries: dict[str, type]) -> dict[str, Any] | None:
    """A JSON object with these entries, or None if there is no such file."""
    if not path.exists():
        return None
    advice = "delete it, and --resume runs the trial again"
    found: dict[str, Any] = stored.read_json(path, dict, missing=advice, advice=advice)
    for name, kind in entries.items():
        kinds = (int, float) if kind is float else kind
        if not isinstance(found.get(name), kinds):
            raise DamagedFile(
                f"{path} needs {name!r} of type {kind.__name__}, got {found.get(name)!r}: {advice}"
            )
    return found
