"""The tables in pages, between markers, and the summary that `zoo list` reads.

A table is between `<!-- scores: NAME -->` and `<!-- /scores -->`; prose outside is kept.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scoreboard import measurements, records, tables
from benchmarks.scoreboard.commits import ROOT
from benchmarks.scoreboard.measurements import Measurement, formatted
from benchmarks.scoreboard.records import Record
from zoo.errors import InputError, nearest
from zoo.system import durable, stored

SCORES = Path("benchmarks/results/scores.json")
SPEED = Path("benchmarks/results/speed.json")
SUMMARY = Path("zoo/scores.json")  # in the wheel
PAGES = (
    "README.md",
    "benchmarks/results/*.md",
    "recipes/*/README.md",
    "docs/*.md",
    "docs/ideas/*.md",
)
MARKER = re.compile(r"^<!-- ?scores: ?([^>]+?) ?-->$", re.M)
MARKED = re.compile(rf"({MARKER.pattern}\n)(?:(?!<!--).*\n)*(<!-- ?/scores ?-->)$", re.M)
README_SPEED = ("recurrent-train", ["64x200x128x256", "`lstm`"])  # the row of the README
FINE_TUNED = ("from the pretrained tagger", "from scratch")  # the rows that it compares


def contents(root: Path = ROOT) -> dict[Path, str]:
    """Each generated file and page, as its records make it.

    Raises:
        InputError: A file is missing or damaged, or a page names an unknown table.
    """
    scores, speed = records.read(root / SCORES), measurements.read(root / SPEED)
    made = {root / SUMMARY: summary(scores)}
    shown: set[str] = set()
    for path in sorted(path for place in PAGES for path in root.glob(place)):
        text = stored.read_text(path, missing="run this in a checkout of the repository")
        made[path] = _filled(path, text, scores, speed, shown)
    _require_shown(scores, speed, shown)
    return made


def regenerate(root: Path = ROOT) -> list[Path]:
    """Writes the files whose content changes, each as a whole, and returns them."""
    changed = []
    for path, text in contents(root).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            durable.write_text(path, text)
            changed.append(path)
    return changed


def _filled(
    path: Path,
    text: str,
    scores: Sequence[Record],
    speed: Sequence[Measurement],
    shown: set[str],
) -> str:
    """A page with its tables."""

    def table(match: re.Match[str]) -> str:
        shown.add(match[2])
        try:
            return match[1] + _table(match[2], scores, speed) + "\n" + match[3]
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    filled, count = MARKED.subn(table, text)
    if len(MARKER.findall(text)) != count:
        raise InputError(f"{path}: a table's marker has no end: put <!-- /scores --> after it")
    return filled


def _table(name: str, scores: Sequence[Record], speed: Sequence[Measurement]) -> str:
    """The table of a marker."""
    if name == "readme":
        return readme(scores, speed)
    kind, _, rest = name.partition(" ")
    if kind in tables.COLUMNS:
        return tables.of_records(name, scores)
    if kind == "seeds":
        found = {record.name: record for record in scores}
        if rest not in found:
            raise InputError(f"there is no record {rest!r}: {nearest(rest, found)}")
        return tables.of_seeds(found[rest])
    known = {each.table for each in speed}
    if kind != "speed":
        names = ["readme", *tables.COLUMNS, "seeds RECORD", "speed TABLE"]
        raise InputError(f"there is no table {name!r}: {nearest(name, names)}")
    if rest not in known:
        raise InputError(f"speed.json has no table {rest!r}: {nearest(rest, known)}")
    return of_speed([each for each in speed if each.table == rest])


def of_speed(parts: Sequence[Measurement]) -> str:
    """A table of speed, and below it a table of commands, commits, dates and machines.

    The rows of several parts come in turn: the first of each, then the second of each; rows with
    the same first label stay together.
    """
    depth = max(len(part.rows) for part in parts)
    rows = [part.rows[place] for place in range(depth) for part in parts if place < len(part.rows)]
    if len(parts) > 1:
        first = list(dict.fromkeys(row.labels[0] for row in rows))
        rows.sort(key=lambda row: first.index(row.labels[0]))
    cells = [[*row.labels, *map(formatted, row.values, row.digits)] for row in rows]
    made = [
        (f"`{part.command}`", tables.provenance(part.commit, part.commit_of, part.date))
        for part in parts
    ]
    machines = [part.machine for part in parts]
    named = [(*names, each) for names, each in zip(made, machines, strict=True)]
    origins = [list(each) for each in dict.fromkeys(named)]
    return "\n\n".join(
        [
            tables.markdown(parts[0].columns, cells),
            tables.markdown(["command", "commit, date", "machine"], origins),
        ]
    )


def readme(scores: Sequence[Record], speed: Sequence[Measurement]) -> str:
    """The README's table: a row for each record that has one, and one of speed."""
    rows = []
    for record in scores:
        if record.readme:
            own, metric = record.readme, record.metrics[0]
            value = tables.number(record, metric, record.mean(metric))
            name = tables.label_of(metric).partition(",")[0]
            page = f"benchmarks/results/{own.page}"
            note = own.note if own.note[:1] in ("", " ", ",") else f" {own.note}"
            rows.append([own.task, f"{name} [{value}]({page}){note}".strip(), own.time])
    table, labels = README_SPEED
    every = [row for each in speed if each.table == table for row in each.rows]
    if chosen := [row for row in every if row.labels[1:] == labels]:  # of each processor
        stock, torch = (_range([_median(row.values[n]) for row in chosen]) for n in (1, 3))
        link = f"[{torch}](benchmarks/results/recurrent.md)"
        result = f"{link} times PyTorch's speed, {stock} times stock Keras'"
        rows.append(["training step of an LSTM, 64 x 200, K = 256", result, ""])
    tuned = {
        row.labels[0]: formatted(_median(row.values[0]), 4)
        for each in speed
        if each.table == "fine_tuning"
        for row in each.rows
    }
    if tuned:
        new, old = (tuned[name] for name in FINE_TUNED)
        result = f"accuracy [{new}](docs/fine_tuning.md) from `pos-en`, {old} from scratch"
        rows.append(["500 sentences, other tags", result, ""])
    return tables.markdown(["task", "result", "time"], rows)


def _range(values: Sequence[Any]) -> str:
    """The lowest and the highest of some numbers.

    Example:
        >>> _range([1.38, 1.0]), _range([1.38])
        ('1.00 to 1.38', '1.38')
    """
    return " to ".join(dict.fromkeys(formatted(each, 2) for each in (min(values), max(values))))


def _median(value: object) -> object:
    return value[0] if isinstance(value, list) else value


def summary(scores: Sequence[Record]) -> str:
    """What `zoo list --scores` reads: a line for each record of a recipe's model, as JSON."""
    lines = []
    for record in scores:
        if record.architecture:
            metric = record.metrics[0]
            entry = {
                "name": record.name,
                "recipe": record.recipe,
                "architecture": record.architecture,
                "cell": record.cell,
                "data": record.data,
                "model": record.model,
                "metric": metric,
                "label": tables.label_of(metric),
                "lower_is_better": tables.METRICS.get(metric, ("", 4, False))[2],
                "value": tables.number(record, metric, record.mean(metric)),
                "seeds": len(record.results),
                "parameters": record.parameters(),
                "seconds": record.mean_seconds(),
            }
            spread = record.spread(metric)
            if spread is not None:
                entry["spread"] = tables.number(record, metric, spread)
            lines.append(f" {json.dumps(entry, ensure_ascii=False)}")
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _require_shown(scores: Sequence[Record], speed: Sequence[Measurement], shown: set[str]) -> None:
    """Raises if a record is in no table of a page."""
    for record in scores:
        if not shown & {*record.tables, f"seeds {record.name}"}:
            raise InputError(f"record {record.name}: no page has its tables {record.tables}")
    for each in speed:
        if f"speed {each.table}" not in shown:
            raise InputError(f"no page has the table of {each.table}: add its marker to one")
