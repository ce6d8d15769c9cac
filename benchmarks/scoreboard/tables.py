"""The tables of quality: records to Markdown."""

from collections.abc import Callable, Iterable, Sequence

from benchmarks.scoreboard.records import Record, Result
from zoo.errors import InputError, nearest

# of each metric: its name in the tables, digits after the point, whether lower is better
METRICS = {
    "accuracy": ("accuracy", 4, False),
    "entity_f1": ("entity F1", 3, False),
    "bleu_lowercase": ("BLEU, lower-cased", 2, False),
    "exact_match": ("exact match", 4, False),
    "loss": ("loss, nats", 4, True),
    "loss_tenth": ("nats per character of the last tenth", 3, True),
    "perplexity": ("perplexity", 1, True),
    "novel": ("novel names", 3, False),
    "f1_macro": ("F1 macro", 3, False),
    "agreement": ("names of the requested class", 3, False),
    "valid": ("valid melodies", 3, False),
    "owa": ("OWA", 3, True),
    "mase": ("MASE", 3, True),
    "smape": ("sMAPE", 2, True),
    "msis": ("MSIS", 2, True),
    "coverage_95": ("coverage of 95 % intervals", 3, False),
    "standardized_mse": ("MSE", 4, True),
    "standardized_mae": ("MAE", 4, True),
    "word_error_rate": ("word error rate", 4, True),
    "pairs.agreement": ("agreement", 2, False),
    "pairs.brackets": ("brackets", 2, False),
    "pairs.couplet": ("rhymes", 2, False),
}
PAGE = "(page)"  # beside a commit that put a number into a page

Column = tuple[str, Callable[[Record], str]]


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A Markdown table.

    Example:
        >>> print(markdown(["data", "BLEU"], [["a|b", "41"]]))
        | data | BLEU |
        |---|---|
        | a\|b | 41 |
    """
    lines = [_line(headings), "|" + "---|" * len(headings)]
    return "\n".join([*lines, *(_line([cell.replace("|", "\\|") for cell in row]) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells).replace("|  |", "| |").replace("|  |", "| |").strip() + " |"


def label_of(metric: str) -> str:
    """A metric's name in the tables."""
    return METRICS[metric][0] if metric in METRICS else metric.replace("_", " ")


def digits_of(record: Record, metric: str) -> int:
    """Digits after the decimal point of a metric."""
    own = record.digits if metric == record.metrics[0] else None
    return METRICS.get(metric, ("", 4))[1] if own is None else own


def number(record: Record, metric: str, value: float) -> str:
    """A value of a metric as the tables show it."""
    return f"{value:,.{digits_of(record, metric)}f}"


def result(record: Record, metric: str) -> str:
    """A metric's value, or its mean, spread and values."""
    mean, spread = record.mean(metric), record.spread(metric)
    if spread is None:
        return number(record, metric, mean)
    shown = f"**{number(record, metric, mean)}** ± {number(record, metric, spread)}"
    return f"{shown} ({values(record, metric)})"


def values(record: Record, metric: str, split: str = "test") -> str:
    """A metric's values, one for each seed."""
    return ", ".join(number(record, metric, value) for value in record.values(metric, split))


def results(record: Record) -> str:
    """All metrics that a record shows; of a single training also its seed."""
    shown = "; ".join(f"{label_of(metric)} {result(record, metric)}" for metric in record.metrics)
    trained_once = record.architecture and len(record.results) == 1
    return f"{shown} (seed {record.results[0].seed})" if trained_once else shown


def time(record: Record) -> str:
    """The time as the record's page had it, or the seconds of training and the machine."""
    if record.time:
        return record.time
    found = [each.seconds for each in record.results if each.seconds is not None]
    if not found:
        return ""
    low, high = f"{min(found):,.0f}", f"{max(found):,.0f}"
    taken = f"{low} s" if low == high else f"{low} to {high} s"
    return f"{taken}; {record.machine}" if record.machine else taken


def parameters(record: Record) -> str:
    """The number of parameters, if it is known."""
    found = record.parameters()
    return f"{found:,}" if found else ""


def published(record: Record) -> str:
    """Results of others."""
    shown = []
    for each in record.published:
        source = f" ({each.source})" if each.source else ""
        shown.append(f"{each.value:g}: {each.what}{source}")
    return "; ".join(shown)


def commit(record: Record) -> str:
    """The commit and the date."""
    return provenance(record.commit, record.commit_of, record.date)


def provenance(name: str, commit_of: str, date: str) -> str:
    """A commit and a date.

    Example:
        >>> provenance("1ebf0e6", "page", "2026-11-25")
        '`1ebf0e6` (page), 2026-11-25'
    """
    return f"`{name}`{f' {PAGE}' if commit_of == 'page' else ''}, {date}"


def _mean_or_note(record: Record) -> str:
    found = record.values(record.metrics[0], "validation")
    if not found:
        return record.validation
    return number(record, record.metrics[0], sum(found) / len(found))


def _seed_values(record: Record) -> str:
    return f"{label_of(record.metrics[0])} {values(record, record.metrics[0])}"


def _mean_and_spread(record: Record) -> str:
    metric = record.metrics[0]
    spread = record.spread(metric)
    shown = number(record, metric, record.mean(metric))
    return shown if spread is None else f"**{shown}** ({number(record, metric, spread)})"


def _split(split: str, *metrics: str) -> Callable[[Record], str]:
    """The values of the first of the metrics that the record has, and their mean if several."""

    def cell(record: Record) -> str:
        for metric in metrics:
            found = record.values(metric, split)
            if found:
                name = f"{metric} " if metric == "perplexity" else ""
                return name + values(record, metric, split)
        return ""

    return cell


def _tenth(record: Record) -> str:
    if "loss_tenth" not in record.metrics:
        return ""
    mean = number(record, "loss_tenth", record.mean("loss_tenth"))
    each = values(record, "loss_tenth")
    return each if each == mean else f"{each}: **{mean}**"


def _seconds(record: Record) -> str:
    found = record.mean_seconds()
    return "" if found is None else f"{found:,.0f}"


def _command(record: Record) -> str:
    return f"`{record.command}`"


COLUMNS: dict[str, list[Column]] = {
    "results": [
        ("data", lambda record: record.data),
        ("model", lambda record: record.model),
        ("test result", results),
        ("parameters", parameters),
        ("time", time),
        ("published results of others", published),
        ("command", _command),
        ("commit, date", commit),
    ],
    "tagging": [
        ("recipe", lambda record: f"`{record.recipe}`"),
        ("options", lambda record: record.label),
        ("test, seeds 0, 1, 2", _seed_values),
        ("mean (sd)", _mean_and_spread),
        ("validation", _mean_or_note),
        ("time", time),
        ("commit, date", commit),
    ],
    "cells": [
        ("cell", lambda record: f"`{record.cell}`"),
        ("test accuracy", lambda record: number(record, "accuracy", record.mean("accuracy"))),
        ("loss, nats", lambda record: number(record, "loss", record.mean("loss"))),
        ("seconds", _seconds),
        ("parameters", parameters),
        ("commit, date", commit),
    ],
    "generation": [
        ("run", lambda record: record.label),
        ("validation", _split("validation", "loss", "perplexity")),
        ("test", _split("test", "loss", "perplexity")),
        ("tenth", _tenth),
        ("time", time),
        ("commit, date", commit),
    ],
}
COLUMNS["tagging_more_text"] = COLUMNS["tagging"]
_SHORT = ("data", "model", "test result", "time")
# in the page of a recipe; the table's name is followed by the recipe's
COLUMNS["recipe"] = [column for column in COLUMNS["results"] if column[0] in _SHORT]


def of_records(name: str, records: Sequence[Record]) -> str:
    """The table `name`, a key of `COLUMNS` and perhaps more: a row for each record that names it.

    Raises:
        InputError: No record names it.
    """
    headings, cells = zip(*COLUMNS[name.partition(" ")[0]], strict=True)
    chosen = [record for record in records if name in record.tables]
    if not chosen:
        known = {table for record in records for table in record.tables}
        raise InputError(f"no record is in a table {name!r}: {nearest(name, known)}")
    return markdown(headings, [[cell(record) for cell in cells] for record in chosen])


def of_seeds(record: Record) -> str:
    """A row for each seed of a record, and their mean."""
    metric = record.metrics[0]

    def row(each: Result) -> list[str]:
        splits = (each.validation.get(metric), each.test.get(metric))
        shown = ["" if value is None else number(record, metric, value) for value in splits]
        epoch = "" if each.best_epoch is None else str(each.best_epoch)
        seconds = "" if each.seconds is None else f"{each.seconds:,.0f} s"
        return [str(each.seed), *shown, epoch, seconds, each.note]

    validation = record.values(metric, "validation")
    mean = number(record, metric, sum(validation) / len(validation)) if validation else ""
    spread = record.spread(metric)
    deviation = "" if spread is None else number(record, metric, spread)
    last = ["mean", mean, f"**{number(record, metric, record.mean(metric))}**", "", ""]
    headings = ["seed", "validation", "test", "best epoch", "training", "load of the machine"]
    note = f"standard deviation of test {deviation}" if deviation else ""
    return markdown(headings, [*map(row, record.results), [*last, note]])
