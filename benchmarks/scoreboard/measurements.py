"""Tables of speed as records: `benchmarks/results/speed.json`, which the benchmarks write."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.scoreboard import commits, records
from benchmarks.scoreboard.records import ADVICE
from benchmarks.speed.timing import Spread
from zoo.errors import DamagedFile

SPEED = commits.ROOT / "benchmarks" / "results" / "speed.json"
Value = list[float] | float | str | None  # a median with lowest and highest, a number, a text


@dataclass(frozen=True)
class Row:
    """A row of a table: its names and its numbers.

    Attributes:
        labels: Of the first columns.
        values: Of the others: a number, a median with the lowest and the highest value, or None.
        digits: After the decimal point, for each value.
    """

    labels: list[str]
    values: list[Any]
    digits: list[int]


@dataclass(frozen=True)
class Measurement:
    """What one call of a benchmark measured.

    Attributes:
        table: The table that shows it.
        command: The command.
        columns: The headings.
        rows: The rows.
        commit: As a `records.Record` has it, as are `date` and `commit_of`.
        date: Of the measurement.
        commit_of: "run" or "page".
        part: Distinguishes the measurements of several commands in one table.
        machine: Cores, versions, and what else ran.
    """

    table: str
    command: str
    columns: list[str]
    rows: list[Row]
    commit: str
    date: str
    commit_of: str = "run"
    part: str = ""
    machine: str = ""


def read(path: Path) -> list[Measurement]:
    """Reads the measurements.

    Raises:
        InputError: There is no such file.
        DamagedFile: It is damaged; the sentence names the measurement.
    """
    found = []
    for number, values in enumerate(records.read_list(path), 1):
        where = f"{path}, record {number}"
        measurement = records.made(Measurement, values, where)
        for place, row in enumerate(measurement.rows, 1):
            width = len(row.labels) + len(row.values)
            if width != len(measurement.columns) or len(row.digits) != len(row.values):
                raise DamagedFile(
                    f"{where} ({measurement.table}), row {place}: it has {width} values and "
                    f"{len(row.digits)} digits for {len(measurement.columns)} columns: {ADVICE}"
                )
            wrong = [value for value in row.values if not _is_value(value)]
            if wrong:
                raise DamagedFile(
                    f"{where} ({measurement.table}), row {place}: a value is a number, [median, "
                    f"lowest, highest], a text or null, got {str(wrong[0])[:40]}: {ADVICE}"
                )
        found.append(measurement)
    return found


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 3 and all(map(_is_number, value))
    return value is None or isinstance(value, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def formatted(value: Any, digits: int) -> str:
    """A value of a table.

    Example:
        >>> formatted([1.1, 1.08, 1.234], 2), formatted(28660, 0), formatted(None, 1)
        ('1.10 (1.08 to 1.23)', '28,660', '')
    """
    if value is None or isinstance(value, str):
        return value or ""
    numbers = [f"{part:,.{digits}f}" for part in (value if isinstance(value, list) else [value])]
    return numbers[0] + (f" ({numbers[1]} to {numbers[2]})" if len(numbers) == 3 else "")


def numbers(value: Spread) -> list[float]:
    """A spread as a table has it."""
    return [value.median, value.lowest, value.highest]


def rounded(value: Any, digits: int) -> Any:
    """A value as it is stored: two digits more than are shown."""
    if isinstance(value, list):
        return [rounded(part, digits) for part in value]
    return round(value, digits + 2) if isinstance(value, float) else value


@dataclass
class Recorder:
    """Collects the rows of a benchmark's table and stores them.

    Make it before the measurement: it refuses sources with changes that are not committed.

    Attributes:
        table: The table.
        columns: Its headings.
        part: Of several commands' table the one.
        commit: The commit whose code is measured.
        rows: What `add` collected.
    """

    table: str
    columns: Sequence[str]
    part: str = ""
    commit: str = field(default_factory=commits.head)
    rows: list[Row] = field(default_factory=list)

    def add(self, labels: Sequence[str], values: Sequence[Value], digits: Sequence[int]) -> None:
        """Adds a row.

        Raises:
            TypeError: A value is none that a table can have, such as a `Spread`; see `numbers`.
        """
        wrong = [value for value in values if not _is_value(value)]
        if wrong:
            raise TypeError(f"a table has no value such as {wrong[0]!r}")
        exact = [rounded(value, place) for value, place in zip(values, digits, strict=True)]
        self.rows.append(Row([*labels], exact, [*digits]))

    def store(self, machine: str, words: Sequence[str] | None = None, path: Path = SPEED) -> None:
        """Puts the table in place of the one before, with the command, the commit and the date.

        Args:
            machine: Cores, versions, and what else ran.
            words: The command; by default that of this process.
            path: The file of the measurements.

        Raises:
            InputError: The file is damaged.
        """
        new = Measurement(
            self.table,
            shlex.join(this_command() if words is None else words),
            [*self.columns],
            self.rows,
            self.commit,
            commits.today(),
            part=self.part,
            machine=machine,
        )
        others = read(path)
        key = (new.table, new.part)
        places = [n for n, each in enumerate(others) if (each.table, each.part) == key]
        if places:
            others[places[0]] = new
        else:
            others.append(new)
        records.write(path, others)
        print(f"stored: {path.name}, {new.table}; `python -m benchmarks` writes its table")


def add_flag(parser: argparse.ArgumentParser) -> None:
    """Adds `--record` to a benchmark."""
    text = "store the results in benchmarks/results/speed.json; `python -m benchmarks` shows them"
    parser.add_argument("--record", action="store_true", help=text)


def this_command() -> list[str]:
    """The command of this process, without `--record`."""
    script = Path(sys.argv[0]).resolve().relative_to(commits.ROOT)
    return ["python", script.as_posix(), *(word for word in sys.argv[1:] if word != "--record")]
