"""Model cards, generated from the runs of a model."""

import random
import shlex
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.entries import Entry, Metric, Source
from models.records import Facts, Record
from models.training import value_of, words_of

MIB = 2**20
EXAMPLES = 6
AROUND = 2  # tokens shown on each side of a wrong one


def text(entry: Entry, record: Record) -> str:
    """The card of the packaged model, in Markdown."""
    facts = record.packaged
    assert facts is not None
    parts = [
        f"# {entry.name}",
        _wrapped(entry.description),
        _code(entry),
        "## Quality",
        _quality(entry, record, facts),
        "## Data and licence",
        _data(entry),
        "## Model",
        _model(entry, record, facts),
        "## Intended use",
        _wrapped(entry.use),
        "## Limits",
        _wrapped(entry.limits),
        *_wrong(facts),
        *_answers(facts),
        "## Retrain",
        _retrain(entry),
        "## Citation",
        _citation(entry),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wrapped(paragraph: str) -> str:
    """Lines of at most 100 columns."""
    indent = "  " if paragraph.startswith("- ") else ""
    return textwrap.fill(
        paragraph, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _code(entry: Entry) -> str:
    first = "import numpy\n" if "numpy." in entry.call else ""
    return f'```\n{first}import zoo\n\nzoo.load("{entry.name}"){entry.call}\n```'


def _quality(entry: Entry, record: Record, facts: Facts) -> str:
    """A row for each metric: the packaged model, and all seeds."""
    names = sorted(record.seeds)
    seeds = f"seed{'s' * (len(names) > 1)} {', '.join(map(str, names))}"
    rows = [f"| metric | this model | {seeds} | mean (sd) |", "|---|---|---|---|"]
    for metric in (entry.metric, *entry.metrics):
        values = [value_of(metric, record.seeds[seed]) for seed in names]
        shown = f"{value_of(metric, record.seeds[facts.seed]):.4g}"
        rows.append(f"| {_label(metric)} | **{shown}** | {_listed(values)} | {_spread(values)} |")
    return "\n".join(
        [
            *rows,
            "",
            _wrapped(
                f"Split: {entry.split}. The model is that of the seed with the best validation "
                f"result, {facts.seed}. Its weights are stored in float16; "
                + _rounding(entry, facts)
            ),
        ]
    )


def _label(metric: Metric) -> str:
    return metric.label + (" (lower is better)" if metric.lower_is_better else "")


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.4g}"
    return f"{statistics.mean(values):.4g} ({statistics.stdev(values):.2g})"


def _rounding(entry: Entry, facts: Facts) -> str:
    shared = [key for key in facts.before if isinstance(facts.after.get(key), int | float)]
    key = entry.metric.keys[1]
    key = key if key in shared else "loss" if "loss" in shared else shared[0]
    return (
        f"with them the {key} of the test split is {facts.after[key]:.6g}, before rounding it was "
        f"{facts.before[key]:.6g}."
    )


def _data(entry: Entry) -> str:
    lines = [_source(source) for source in entry.sources]
    return "\n".join([*lines, "", f"Licence of the weights: {entry.licence}."])


def _source(source: Source) -> str:
    return _wrapped(f"- {source.name}: {source.licence}; {source.attribution}.")


def _model(entry: Entry, record: Record, facts: Facts) -> str:
    shared = ", and once the language model that they share" if entry.other_options else ""
    times = [float(found["seconds"]) for found in record.seeds.values()]
    return "\n".join(
        [
            f"- Architecture `{facts.architecture}`"
            + (f", cell `{facts.cell}`" if facts.cell else "")
            + f", {facts.parameters:,} parameters, {facts.size / MIB:.1f} MB.",
            _wrapped(
                f"- Training: {_minutes(times)} a seed{shared}, beside other processes; "
                f"{facts.machine}."
            ),
            f"- A call with one example: {1000 * facts.latency:.1f} ms, once the graph is built.",
        ]
    )


def _minutes(times: Sequence[float]) -> str:
    low, high = f"{min(times) / 60:.0f}", f"{max(times) / 60:.0f}"
    if max(times) < 120:
        low, high = f"{min(times):.0f}", f"{max(times):.0f}"
        return f"{low} s" if low == high else f"{low} to {high} s"
    return f"{low} minutes" if low == high else f"{low} to {high} minutes"


def _wrong(facts: Facts) -> list[str]:
    """A few examples of the test split that the model gets wrong."""
    if not facts.wrong:
        return []
    some = (
        f"{len(facts.wrong)} of its {facts.mistakes:,} wrong answers on the test split, at random:"
    )
    head = some if len(facts.wrong) < facts.mistakes else "Its wrong answers on the test split:"
    return [head, "\n".join(_wrapped(f"- {line}") for line in facts.wrong)]


def _answers(facts: Facts) -> list[str]:
    """What the model answers to examples of ours."""
    if not facts.answers:
        return []
    lines = [_wrapped(f"- {_plain(given)} -> {_plain(found)}") for given, found in facts.answers]
    return ["Its answers to examples that are in no data set:", "\n".join(lines)]


def wrong(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """A few of the rows that a model gets wrong, drawn with a seed, a line of Markdown each."""
    short = [row for row in rows if len(str(row["text"])) < 2000]
    chosen = random.Random(0).sample(short, min(EXAMPLES, len(short)))
    return tuple(map(_mistake, chosen))


def _mistake(row: Mapping[str, Any]) -> str:
    tokens, label, found = row["text"], row["label"], row["prediction"]
    if isinstance(tokens, str):
        return f"{_plain(tokens)} -> {_plain(str(found))} (expected {_plain(str(label))})"
    place = next(n for n, pair in enumerate(zip(label, found, strict=True)) if pair[0] != pair[1])
    before = " ".join(tokens[max(0, place - AROUND) : place])
    after = " ".join(tokens[place + 1 : place + 1 + AROUND])
    marked = f"{_plain(before)} **{_plain(tokens[place])}** {_plain(after)}".strip()
    return f"{marked}: {found[place]} (expected {label[place]})"


def _plain(text: str) -> str:
    """A text without marks of Markdown, on one line."""
    return "".join(f"\\{c}" if c in "*_`[]<>|\\#" else c for c in " ".join(text.split()))


def _retrain(entry: Entry) -> str:
    words = words_of(entry, entry.seeds[0], Path("DATA"), Path("runs/models"))
    return (
        "In a checkout, for all seeds and the package, with the data in the folder `DATA`:\n\n"
        f"```\npython -m models {entry.name} --data DATA\n```\n\n"
        f"It runs for the first seed:\n\n"
        f"```\npython -m recipes train {entry.recipe} {shlex.join(words)}\n```"
    )


def _citation(entry: Entry) -> str:
    cited = [_wrapped(f"- {source.citation}.") for source in entry.sources if source.citation]
    own = "- rnn-zoo: `CITATION.cff` in its repository."
    return "\n".join([*cited, own])
