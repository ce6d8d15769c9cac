"""Results of trainings as records, and the file `benchmarks/results/scores.json` that has them."""

import dataclasses
import json
import math
import statistics
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from zoo.errors import DamagedFile, nearest
from zoo.system import durable, stored

ADVICE = "mend the file, or put back a copy of it"
COMMITS = ("run", "page")

Made = TypeVar("Made")


@dataclass(frozen=True)
class Result:
    """What the training with one seed gave.

    Attributes:
        seed: Its `--seed`.
        test: Metrics of the test split by the names of `metrics.json`; a nested one has a dot. Of
            written names and melodies, where the recipe measures these.
        validation: The same of the validation split.
        seconds: Time of training.
        parameters: Of the model.
        best_epoch: The epoch that validated best.
        note: What else ran on the machine.
    """

    seed: int
    test: dict[str, float]
    validation: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    parameters: int | None = None
    best_epoch: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Published:
    """A result of others on the same data: its value, what it is, and where it was published."""

    value: float
    what: str
    source: str = ""


@dataclass(frozen=True)
class ReadmeRow:
    """A record's row in the README: what, a word on the result, how long, and the page for more."""

    task: str
    note: str
    time: str
    page: str


@dataclass(frozen=True)
class Record:
    """The results of one command with one seed or several.

    Attributes:
        name: A unique name, for `run` and `add --name`.
        recipe: The recipe; "" for a baseline that is none.
        data: The data, as the tables show it.
        model: The model, likewise.
        command: The command, without `--seed`.
        metrics: Names of the test metrics to show; the first one ranks.
        results: One for each seed.
        commit: The commit with which the runs were made; of an older record, which lacks it, the
            one that put its numbers into a page, and then `commit_of` is "page".
        date: The day of the runs, or of that commit.
        commit_of: "run" or "page".
        tables: The tables that show the record; see `tables.py`.
        architecture: Its registered name; "" for none of the zoo.
        cell: Likewise.
        label: The name of its row in a table of one data set.
        digits: After the decimal point; by default those of the first metric.
        validation: The validation result as the page has it, if the results have none.
        time: The time as the page has it; by default the seconds of the results.
        machine: Cores, and what else ran on them.
        published: Results of others.
        readme: Its row in the README.
    """

    name: str
    recipe: str
    data: str
    model: str
    command: str
    metrics: list[str]
    results: list[Result]
    commit: str
    date: str
    commit_of: str = "run"
    tables: list[str] = field(default_factory=list)
    architecture: str = ""
    cell: str = ""
    label: str = ""
    digits: int | None = None
    validation: str = ""
    time: str = ""
    machine: str = ""
    published: list[Published] = field(default_factory=list)
    readme: ReadmeRow | None = None

    def values(self, metric: str, split: str = "test") -> list[float]:
        """The values of a metric, one for each seed that has it."""
        splits = [getattr(result, split) for result in self.results]
        return [values[metric] for values in splits if metric in values]

    def mean(self, metric: str) -> float:
        """The mean of a test metric over the seeds."""
        return statistics.fmean(self.values(metric))

    def spread(self, metric: str) -> float | None:
        """The sample standard deviation of a test metric; None for one seed."""
        values = self.values(metric)
        return statistics.stdev(values) if len(values) > 1 else None

    def parameters(self) -> int | None:
        """The number of parameters, if all results agree on it."""
        found = {result.parameters for result in self.results}
        return found.pop() if len(found) == 1 else None

    def mean_seconds(self) -> float | None:
        """The mean time of training, if all results have one."""
        found = [result.seconds for result in self.results if result.seconds is not None]
        return statistics.fmean(found) if found and len(found) == len(self.results) else None


def read(path: Path) -> list[Record]:
    """Reads the records.

    Raises:
        InputError: There is no such file.
        DamagedFile: It is damaged; the sentence names the record.
    """
    records: list[Record] = []
    for number, values in enumerate(read_list(path), 1):
        record = made(Record, values, f"{path}, record {number}{_name_of(values)}")
        where = f"{path}, record {number} ({record.name})"
        _check(record, where)
        if record.name in [other.name for other in records]:
            raise DamagedFile(f"{where}: another record has that name: {ADVICE}")
        records.append(record)
    return records


def read_list(path: Path) -> list[Any]:
    """Reads a JSON file that has a list."""
    missing = "run this in a checkout of the repository"
    found: list[Any] = stored.read_json(path, list, missing=missing, advice=ADVICE)
    return found


def _name_of(values: Any) -> str:
    named = isinstance(values, dict) and isinstance(values.get("name"), str)
    return f" ({values['name']})" if named else ""


def _check(record: Record, where: str) -> None:
    """Refuses a record that cannot be shown."""
    seeds = [result.seed for result in record.results]
    if not seeds:
        raise DamagedFile(f"{where}: results is empty: {ADVICE}")
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise DamagedFile(f"{where}: it has seed {twice} twice: {ADVICE}")
    if record.commit_of not in COMMITS:
        raise DamagedFile(f"{where}: commit_of must be run or page, got {record.commit_of!r}")
    if not record.metrics:
        raise DamagedFile(f"{where}: metrics is empty: {ADVICE}")
    for metric in record.metrics:
        if len(record.values(metric)) < len(seeds):
            raise DamagedFile(f"{where}: a result lacks the test metric {metric!r}: {ADVICE}")


def made(kind: type[Made], values: Any, where: str) -> Made:
    """Makes a dataclass from JSON, whose names and types are checked.

    Raises:
        DamagedFile: A name is missing or unknown, or a value has another type; the sentence begins
            with `where`.
    """
    if not isinstance(values, dict):
        raise DamagedFile(f"{where} must be an object {{...}}, got {str(values)[:40]}: {ADVICE}")
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise DamagedFile(f"{where} has no entry {name!r}: {nearest(name, fields)}")
    hints = typing.get_type_hints(kind)
    read_values = {}
    for name, each in fields.items():
        optional = (each.default, each.default_factory) != (dataclasses.MISSING,) * 2
        if name in values:
            read_values[name] = _read(hints[name], values[name], f"{where}: {name}")
        elif not optional:
            raise DamagedFile(f"{where} lacks the entry {name!r}: {ADVICE}")
    return kind(**read_values)


def _read(kind: Any, value: Any, where: str) -> Any:
    """A value of a declared type: a scalar, a dataclass, or a list or an object of these."""
    if kind is Any:
        return value
    if isinstance(kind, types.UnionType):
        parts = typing.get_args(kind)
        if value is None and types.NoneType in parts:
            return None
        return _read(parts[0], value, where)
    if dataclasses.is_dataclass(kind):
        return made(typing.cast(type, kind), value, where)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and isinstance(value, list):
        return [_read(parts[0], each, f"{where}, {n}") for n, each in enumerate(value, 1)]
    if origin is dict and isinstance(value, dict):
        return {key: _read(parts[1], each, f"{where}, {key}") for key, each in value.items()}
    wanted = (int, float) if kind is float else origin or kind
    real = isinstance(value, wanted) and not isinstance(value, bool)
    if not real or (isinstance(value, float) and not math.isfinite(value)):
        name = (origin or kind).__name__
        raise DamagedFile(f"{where} must be of type {name}, got {str(value)[:40]!r}: {ADVICE}")
    return value


def write(path: Path, records: Sequence[Any]) -> None:
    """Writes dataclasses as JSON, as a whole or not at all."""
    durable.write_text(path, as_text(records))


def as_text(records: Sequence[Any]) -> str:
    """Dataclasses as JSON, a line for each entry and each item of a list; no empty entries."""
    blocks = []
    for record in records:
        values = without_defaults(record)
        blocks.append(" {\n" + ",\n".join(f"  {_entry(*item)}" for item in values.items()) + "\n }")
    return "[\n" + ",\n".join(blocks) + "\n]\n"


def _entry(name: str, value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        items = ",\n".join(f"   {json.dumps(each, ensure_ascii=False)}" for each in value)
        return f"{json.dumps(name)}: [\n{items}\n  ]"
    return f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"


def without_defaults(value: Any) -> Any:
    """A dataclass as an object of its entries, without those that have their default."""
    if not dataclasses.is_dataclass(value):
        return [without_defaults(each) for each in value] if isinstance(value, list) else value
    entries = {}
    for each in dataclasses.fields(value):
        found = getattr(value, each.name)
        factory = each.default_factory
        default = each.default if factory is dataclasses.MISSING else factory()
        if found != default:
            entries[each.name] = without_defaults(found)
    return entries
