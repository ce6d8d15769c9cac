"""The plots of a study, as PNG."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from zoo.plots import drawing, plot_label, save
from zoo.tuning.results import Findings, Point
from zoo.tuning.values import shown

COLORS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860")
TITLES = {
    "parameters": "parameters",
    "seconds_per_epoch": "seconds an epoch",
    "latency_ms": "milliseconds for one example",
}


def label(findings: Findings) -> str:
    """The main axis in words."""
    name = findings.study.space.main().name
    return "hidden size K" if name == "units" else name.replace("_", " ")


def draw(findings: Findings, directory: Path) -> None:
    """Draws all plots of a study."""
    with drawing(_texts(findings)):
        for name, picture in PICTURES.items():
            save(picture(findings), directory / name)


def _texts(findings: Findings) -> list[str]:
    """All texts of the plots that come from the study: names and values of its options."""
    study = findings.study
    values = [str(value) for axis in study.space.axes for value in axis.values or ()]
    return [study.objective, *(axis.name for axis in study.space.axes), *values]


def _title(metric: str) -> str:
    return plot_label(metric.replace("_", " "), longest=40)


def _objective(findings: Findings) -> Figure:
    """The objective against K, for each fraction of the data."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    _scale(findings, axes)
    name = findings.study.objective
    for number, fraction in enumerate(findings.study.fractions):
        points = findings.along(fraction)
        errors = [point.error or 0.0 for point in points]
        axes.errorbar(
            _places(findings, points),
            [point.score for point in points],
            errors,
            fmt="o-",
            color=COLORS[number % len(COLORS)],
            capsize=3,
            label=_share(fraction),
        )
    if findings.along(findings.study.fractions[-1]):
        chosen = findings.recommended(findings.study.fractions[-1])
        axes.plot(
            _places(findings, [chosen]),
            [chosen.score],
            "o",
            markersize=13,
            fillstyle="none",
            color="black",
            label="recommended",
        )
    axes.set_title(f"validation {_title(name)}, mean and standard error")
    axes.legend()
    return figure


def _memorising(findings: Findings) -> Figure:
    """Training and validation loss against K, for each fraction of the data."""
    fractions = findings.study.fractions
    figure = Figure(figsize=(4.2 * len(fractions), 3.8), layout="constrained")
    first = None
    for place, fraction in enumerate(fractions, 1):
        axes = figure.add_subplot(1, len(fractions), place, sharex=first, sharey=first)
        first = first or axes
        _scale(findings, axes)
        points = findings.along(fraction)
        where = _places(findings, points)
        for name, color, style in (
            ("last_train_loss", COLORS[0], "o-"),
            ("last_validation_loss", COLORS[1], "s-"),
        ):
            split = "training" if "train" in name else "validation"
            axes.plot(
                where,
                [_value(point, name) for point in points],
                style,
                color=color,
                label=f"{split}, last epoch",
            )
        best = [_value(point, "validation_loss") for point in points]
        axes.plot(where, best, "s:", color=COLORS[1], alpha=0.6, label="validation, best epoch")
        axes.set_title(f"loss, nats: {_share(fraction)}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _cost(findings: Findings) -> Figure:
    """Parameters, time of an epoch and latency against K."""
    names = [name for name in TITLES if findings.front(name)]
    figure = Figure(figsize=(3.9 * len(names), 3.6), layout="constrained")
    points = findings.along(findings.study.fractions[-1])
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(1, len(names), place)
        _scale(findings, axes)
        axes.plot(
            _places(findings, points), [_value(point, name) for point in points], "o-", color="C0"
        )
        axes.set_title(TITLES[name])
        axes.set_ylim(bottom=0)
    return figure


def _pareto(findings: Findings) -> Figure:
    """The objective against the time per example, with the Pareto front as a line."""
    cost = "latency_ms" if findings.front("latency_ms") else "parameters"
    front = findings.front(cost)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    rest = findings.at(findings.study.fractions[-1])
    axes.plot([_value(p, cost) for p in rest], [p.score for p in rest], "o", color="lightgrey")
    axes.plot([_value(p, cost) for p in front], [p.score for p in front], "o-", color=COLORS[0])
    for point in front:
        setting = ", ".join(plot_label(shown(value)) for value in point.values.values())
        axes.annotate(
            setting,
            (_value(point, cost), point.score),
            xytext=(6, -11),
            textcoords="offset points",
        )
    axes.margins(0.12)
    axes.set_xlabel(TITLES[cost])
    axes.set_title(f"validation {_title(findings.study.objective)} and what it costs")
    axes.grid(alpha=0.3)
    return figure


PICTURES: dict[str, Callable[[Findings], Figure]] = {
    "objective.png": _objective,
    "memorising.png": _memorising,
    "cost.png": _cost,
    "front.png": _pareto,
}


def _scale(findings: Findings, axes: Any) -> None:
    """The horizontal axis: the values that were tried, logarithmic if they are spaced so."""
    axis = findings.study.space.main()
    axes.set_xlabel(plot_label(label(findings), longest=60))
    axes.grid(alpha=0.3)
    if not axis.values:
        axes.set_xscale("log" if axis.log else "linear")
    elif axis.numeric and min(axis.values) > 0:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(list(axis.values)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(list(axis.values), [f"{value:g}" for value in axis.values])
    else:
        axes.set_xticks(
            range(len(axis.values)), [plot_label(shown(value)) for value in axis.values]
        )


def _places(findings: Findings, points: Sequence[Point]) -> list[float]:
    axis = findings.study.space.main()
    values = [point.values.get(axis.name) for point in points]
    if axis.values and not (axis.numeric and min(axis.values) > 0):
        return [float(axis.place(value)) for value in values]
    return [float(value) for value in values]  # type: ignore[arg-type]


def _value(point: Point, name: str) -> float:
    found = point.mean(name)
    return math.nan if found is None else found


def _share(fraction: float) -> str:
    return "all training data" if fraction == 1 else f"{fraction:.3g} of the training data"
