"""The report of a study: `report.md` with plots, `trials.csv`, `best.json`, and in a sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import InputError
from zoo.system import durable
from zoo.system.journal import Journal
from zoo.tuning import plots
from zoo.tuning.results import Findings, Point
from zoo.tuning.storage import Records, number
from zoo.tuning.study import Study
from zoo.tuning.values import shown

NAMED = 3  # failures that the recommendation names; the report lists all
UNITS = {  # of the costs
    "parameters": "parameters",
    "seconds_per_epoch": "s an epoch",
    "latency_ms": "ms an example",
}


def report(study: Study, directory: Path, command: str, extra: Mapping[str, Any]) -> str:
    """Writes the report into the study's folder; returns the recommendation.

    `command` trains with `best.json`: a command or a line of Python. `extra` are further options
    for that file. If settings failed, it has a `warning` as well.

    Raises:
        InputError: No trial was finished.
    """
    records = Records(directory)
    findings = Findings.of(study, records)
    last = study.fractions[-1]
    if not findings.at(last):
        failures = "; ".join(findings.failures.values())
        raise InputError(
            f"no trial of {directory} was finished, so there is nothing to report"
            + (f": {failures}" if failures else ": give it more --minutes, or go on with --resume")
        )
    _write_csv(records, directory / "trials.csv")
    chosen = findings.recommended(last)
    warning = failed(findings)
    warned = {"warning": warning} if warning else {}
    durable.write_json(directory / "best.json", {**extra, **chosen.values, **warned})
    plots.draw(findings, directory)
    sentence = recommendation(findings)
    text = _markdown(findings, sentence, command, records)
    durable.write_text(directory / "report.md", text)
    return sentence


def recommendation(findings: Findings) -> str:
    """The recommended setting and the reason."""
    study, last = findings.study, findings.study.fractions[-1]
    chosen, best = findings.recommended(last), findings.best(findings.along(last))
    sentence = f"Take {chosen.settings}: validation {study.objective_name} {chosen.scored}"
    if chosen is best and best.error is None:
        reason = "the best mean; with one seed there is no spread to judge the others by."
    elif chosen is best:
        reason = (
            f"the best mean; no smaller network is within its standard error, {best.error:.4f}."
        )
    else:
        reason = (
            f"the smallest network within one standard error ({best.error:.4f}) of the best, "
            f"{best.settings} with {best.scored}."
        )
    warning = failed(findings)
    return (
        f"{sentence}, {reason}{_border(findings, chosen)}{_unfinished(chosen)}{_growth(findings)}"
        + (f" {warning}" if warning else "")
    )


def failed(findings: Findings) -> str:
    """A warning about failed settings, or ""."""
    failures = findings.failures
    if not failures:
        return ""
    ended = findings.finished + len(failures)
    named = "; ".join(list(failures.values())[:NAMED])
    more = f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    return (
        f"Careful: {len(failures)} of {ended} settings failed and were not compared: {named}{more}."
    )


def _border(findings: Findings, chosen: Point) -> str:
    """A warning if the recommended value is the largest that was tried, or ""."""
    axis = findings.study.space.main()
    if len(axis.values) < 2 or not axis.numeric:
        return ""
    value = chosen.values.get(axis.name)
    if value == axis.values[-1]:
        label = plots.label(findings)
        return f" It is the largest {label} that was tried: larger ones may be better."
    return ""


def _unfinished(chosen: Point) -> str:
    """A warning if the recommended setting was still improving when its runs ended, or ""."""
    if any("epochs" not in row or row["epochs"] != row.get("best_epoch") for row in chosen.rows):
        return ""
    counts = " and ".join(map(str, sorted({row["epochs"] for row in chosen.rows})))
    return f" Its best epoch was the last one, {counts}: with more --epochs it may be better."


def _growth(findings: Findings) -> str:
    """A sentence on whether K grows with the data."""
    study, axis = findings.study, findings.study.space.main()
    if len(study.fractions) < 2 or not axis.numeric:
        return ""
    chosen = [
        (fraction, findings.recommended(fraction).values[axis.name])
        for fraction in study.fractions
        if findings.at(fraction)
    ]
    name, values = plots.label(findings), [value for _, value in chosen]
    sizes = ", ".join(f"{value:g} with {fraction:g} of it" for fraction, value in chosen)
    if values == sorted(values) and values[0] < values[-1]:
        return f" The recommended {name} grows with the data: {sizes}."
    return f" The recommended {name} does not grow steadily with the data: {sizes}."


def _markdown(findings: Findings, sentence: str, command: str, records: Records) -> str:
    study = findings.study
    searched = "; ".join(
        f"`{axis.name}` "
        + (
            ", ".join(shown(value) for value in axis.values)
            if axis.values
            else f"{axis.low:g} to {axis.high:g}"
        )
        for axis in study.space.axes
    )
    done = len({point.trial for point in findings.at(study.fractions[-1])})
    of = f" of {study.settings}" if study.settings else ""
    epochs = study.fixed.get("epochs")
    rows = list(records.rows())
    spent = sum(row.get("wall_seconds", 0.0) for row in rows)
    events = Journal(records.directory / "journal.jsonl").events
    beside = events[-1]["elapsed"] - spent
    lines = [
        f"# {study.name}: {plots.label(findings)}",
        "",
        f"**{sentence}**",
        "",
        f"Searched ({study.algorithm}): {searched}. {done}{of} settings, {study.seeds} seeds each, "
        f"{_fractions(study)}; {len(rows)} runs in {spent / 60:.1f} minutes"
        + (f", {beside:.1f} s more for the search itself. " if beside > 0 else ". ")
        + "Validation metrics compare the settings; the test split was not used.",
        "",
        f"`best.json` has the recommended settings: `{command}`."
        + (f" It has the search's epochs, {epochs}; `--epochs` overrides it." if epochs else ""),
        "",
        f"![{study.objective}](objective.png)",
        "",
        _table(findings),
        "",
        "Mean and standard deviation over the seeds."
        + (" At each value the best of the other settings." if len(study.space.axes) > 1 else ""),
        "",
        "## Where it begins to memorise",
        "",
        _memorising(findings),
        "",
        "![training and validation loss](memorising.png)",
        "",
        "## What it costs",
        "",
        "![cost](cost.png)",
        "",
        "![what no other setting beats](front.png)",
        "",
        "On the line are the settings that no other one beats both in quality and in cost.",
    ]
    if findings.failures:
        lines += ["", "## Trials that failed", ""]
        for trial, failure in findings.failures.items():
            trace = f"trials/{trial}/traceback.txt"
            place = f", see `{trace}`" if (records.directory / trace).exists() else ""
            lines.append(f"- {failure.removeprefix('trial ')}{place}")
    return "\n".join(lines) + "\n"


def _table(findings: Findings) -> str:
    study, axis = findings.study, findings.study.space.main()
    others = [other.name for other in study.space.axes if other is not axis]
    costs = [name for name in UNITS if findings.front(name)]
    heads = [axis.name, *others]
    heads += [f"{study.objective_name}, {_share(share)}" for share in study.fractions]
    heads += [UNITS[name] for name in costs]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    best = findings.best(findings.along(study.fractions[-1]))
    for point in findings.every():
        cells = [shown(point.values.get(name, "-")) for name in (axis.name, *others)]
        for fraction in study.fractions:
            same = [p for p in findings.at(fraction) if p.trial == point.trial]
            text = same[0].scored if same else "-"
            cells.append(f"**{text}**" if same and same[0] is best else text)
        for name in costs:
            value = point.mean(name)
            cells.append("-" if value is None else _cost(name, value))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _memorising(findings: Findings) -> str:
    """Sentences on overfitting by the losses, for each fraction of the data."""
    sentences = []
    for fraction in findings.study.fractions:
        points = findings.along(fraction)
        found = [
            point
            for point in points
            if (point.mean("last_validation_loss") or 0) > (point.mean("last_train_loss") or 0)
            and (point.mean("last_validation_loss") or 0)
            > 1.02 * (point.mean("validation_loss") or 0)
        ]
        if found:
            sentences.append(
                f"With {_share(fraction)}, {found[0].settings} is the smallest "
                "network whose validation loss rises before training ends, while its training loss "
                "falls: it begins to overfit."
            )
        else:
            sentences.append(
                f"With {_share(fraction)}, no network's validation loss rises by more than "
                "2 % before training ends."
            )
    return " ".join(sentences) + " Training losses are measured with dropout, while it trains."


def _share(fraction: float) -> str:
    return "all data" if fraction == 1 else f"{fraction:g} of the data"


def _fractions(study: Study) -> str:
    if len(study.fractions) == 1:
        return f"on {_share(study.fractions[0])}"
    shares = ", ".join(f"{fraction:g}" for fraction in study.fractions)
    return f"on {shares} of the training data"


def _cost(name: str, value: float) -> str:
    return f"{value:,.0f}" if name == "parameters" else f"{value:.2f}"


def _write_csv(records: Records, path: Path) -> None:
    """A line for each run: its settings and its metrics."""
    rows = []
    for row in records.rows():
        values = {
            name: shown(v) if isinstance(v, list | dict) else v for name, v in row["values"].items()
        }
        rows.append({**values, **row, "trial": number(row["trial"]), "folder": row["trial"]})
        del rows[-1]["values"]
    first = ["trial", "fraction", "seed"]
    heads = [*first, *dict.fromkeys(name for row in rows for name in row if name not in first)]
    durable.write_csv(path, heads, rows)
