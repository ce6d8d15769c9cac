"""Plots of a run as PNG: learning curves, the confusion matrix, attention, forecasts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.errors import InputError
from zoo.metrics import central_intervals
from zoo.plots import drawing, plot_label, save

TRAIN, VALIDATION = "#4c72b0", "#dd8452"
FORECAST, PAST, ACTUAL = "#2f6db3", "#9a9a9a", "#1a1a1a"
BANDS = ("#c6dbef", "#8fbbdd")  # of a wide and of a narrow interval
DATES = {  # of ticks, in years to seconds; of ticks at the start of a longer unit; at the right end
    "formats": ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S.%f"],
    "zero_formats": ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
    "offset_formats": ["", "%Y", "%Y", "%Y", "%d %b %Y", "%d %b %Y %H:%M"],
}
PAST_HORIZONS = 2  # the past that is drawn, in horizons
MOST_LABELS = 100  # labels on an axis; with more tokens only every second, third, ... has one


def learning_curves(history: Sequence[dict[str, Any]], best_epoch: int, path: Path) -> None:
    """Plots each metric over the epochs, for training and validation, with the best epoch marked.

    `history` has a row of metrics for each epoch; the best one is counted from 1 up.
    """
    prefix = "validation_"
    names = [key.removeprefix(prefix) for key in history[0] if key.startswith(prefix)]
    titles = {
        name: "loss, nats" if name == "loss" else plot_label(name.replace("_", " "), longest=40)
        for name in names
    }
    with drawing(titles.values()):
        figure = Figure(figsize=(4.6 * len(names), 3.6), layout="constrained")
        for place, name in enumerate(names, 1):
            axes = figure.add_subplot(1, len(names), place)
            epochs = [row["epoch"] for row in history]
            if name in history[0]:
                axes.plot(epochs, [row[name] for row in history], "o-", color=TRAIN, label="train")
            values = [row[prefix + name] for row in history]
            axes.plot(epochs, values, "s-", color=VALIDATION, label="validation")
            axes.axvline(best_epoch, color="grey", linestyle=":", label="best epoch")
            axes.set_title(titles[name])
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.3)
            axes.legend()
        save(figure, path)


def learning_rates(
    rates: np.ndarray, losses: np.ndarray, means: np.ndarray, chosen: float, path: Path
) -> None:
    """Plots the loss over an increasing learning rate, with the chosen rate marked.

    `rates` (N,) and `losses` (N,), in nats, are those of each step; `means` is the running mean.
    """
    with drawing():
        figure = Figure(figsize=(5.6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(rates, losses, color=TRAIN, alpha=0.3, label="each step")
        axes.plot(rates, means, color=TRAIN, label="running mean")
        axes.axvline(chosen, color=VALIDATION, linestyle=":", label=f"{chosen:.2g}")
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss, nats")
        axes.set_ylim(0.9 * losses.min(), 1.1 * max(means.max(), losses[:10].max()))
        axes.grid(alpha=0.3)
        axes.legend()
        save(figure, path)


def confusion(matrix: np.ndarray, classes: Sequence[str], path: Path, title: str = "") -> None:
    """Plots a confusion matrix: counts as numbers, the fraction of each true class as colour.

    The matrix, int (C, C), has true classes as rows; it is readable up to about 40 classes.
    """
    count = len(classes)
    side = min(16.0, 2.6 + 0.75 * count)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [plot_label(name) for name in classes]
    with drawing(names):
        figure = Figure(figsize=(side + 0.8, side), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
        axes.set_xticks(range(count), names, rotation=45 if count > 3 else 0)
        axes.set_yticks(range(count), names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.set_title(title)
        if count <= 20:
            for (row, column), number in np.ndenumerate(matrix):
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(number), ha="center", va="center", color=color)
        save(figure, path)


def attention(
    weights: np.ndarray, source: Sequence[str], target: Sequence[str], path: Path
) -> None:
    """Plots the attention weights, (T_y, T_x), of each target token over the source tokens."""
    width, height = (min(16.0, 1.6 + 0.32 * len(tokens)) for tokens in (source, target))
    columns, rows = _labelled(source), _labelled(target)
    with drawing([*columns.values(), *rows.values()]):
        figure = Figure(figsize=(max(width, 3.0), max(height, 2.4)), layout="constrained")
        axes = figure.add_subplot()
        if columns and rows:
            axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            axes.xaxis.tick_top()
            axes.set_xticks(list(columns), list(columns.values()), rotation=90)
            axes.set_yticks(list(rows), list(rows.values()))
            axes.tick_params(length=0)
        else:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "no tokens", ha="center", va="center")
        save(figure, path)


def forecast_fans(
    names: Sequence[str],
    histories: Sequence[np.ndarray],
    quantiles: np.ndarray,
    levels: Sequence[float],
    path: Path,
    *,
    actual: np.ndarray | None = None,
    times: Sequence[np.ndarray] | None = None,
) -> None:
    """Plots forecasts of N series: the past, the median and two central intervals.

    Args:
        names: The series' names, the titles.
        histories: The past of each series, (T,); the last two horizons are drawn. NaN is a gap.
        quantiles: (N, H, Q).
        levels: (Q,), with 0.5; of the central intervals among them the widest and the narrowest
            are drawn.
        path: The file.
        actual: The values that followed, (N, H), if they are known.
        times: The time stamps of each series' past and of its forecast, datetime64 (T + H,); by
            default the axis has steps, 1 the first one of the forecast.

    Raises:
        InputError: There is no median among the levels.
    """
    if 0.5 not in levels:
        raise InputError(f"a forecast's plot needs the level 0.5, the median, got {list(levels)}")
    titles = [plot_label(name, longest=30) for name in names]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    size = (3.7 * columns + 0.3, 2.3 * rows + 0.5) if columns > 1 else (6.0, 3.2)
    with drawing(titles):
        figure = Figure(figsize=size, layout="constrained")
        for place, title in enumerate(titles):
            axes = figure.add_subplot(rows, columns, place + 1)
            known = None if actual is None else actual[place]
            stamps = None if times is None else times[place]
            _draw_fan(axes, histories[place], quantiles[place], levels, known, stamps)
            axes.set_title(title, loc="left", fontsize=10)
            if times is None and place + columns >= len(names):
                axes.set_xlabel("step")
        lines, labels = axes.get_legend_handles_labels()
        options = {"ncols": len(labels), "frameon": False, "fontsize": 8 if columns == 1 else 9}
        figure.legend(lines, labels, loc="outside upper center", **options)
        save(figure, path)


def _draw_fan(
    axes: Any,
    history: np.ndarray,
    quantiles: np.ndarray,
    levels: Sequence[float],
    actual: np.ndarray | None,
    times: np.ndarray | None,
) -> None:
    """Draws one series: quantiles (H, Q), in the order of what is in front."""
    horizon = len(quantiles)
    past = np.asarray(history)[-PAST_HORIZONS * horizon :]
    steps = (
        np.arange(1 - len(past), horizon + 1) if times is None else times[-len(past) - horizon :]
    )
    ahead = steps[len(past) :]
    intervals = sorted(central_intervals(levels).items(), reverse=True)
    drawn = intervals[:: max(1, len(intervals) - 1)]
    for (nominal, (low, high)), color in zip(drawn, BANDS[: len(drawn)], strict=True):
        label = f"{100 * nominal:g} % interval"
        bounds = quantiles[:, low], quantiles[:, high]
        axes.fill_between(ahead, *bounds, color=color, linewidth=0, label=label)
    axes.axvline(steps[len(past) - 1], color=PAST, linewidth=0.8, linestyle=":")
    axes.plot(steps[: len(past)], past, color=PAST, linewidth=1, label="past")
    median = quantiles[:, list(levels).index(0.5)]
    axes.plot(ahead, median, color=FORECAST, linewidth=1.8, label="median forecast")
    if actual is not None:
        axes.plot(ahead, actual, color=ACTUAL, linewidth=0.9, label="actual")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.margins(x=0.01)
    axes.grid(axis="y", alpha=0.25)
    if times is None:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    else:
        locator = AutoDateLocator(minticks=3, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, **DATES))


def coverage_by_horizon(coverages: Mapping[float, np.ndarray], path: Path) -> None:
    """Plots the share of values inside of intervals at each step, beside the nominal share.

    Args:
        coverages: For each nominal coverage, 0 to 1, the actual one at each step, (H,).
        path: The file.
    """
    colors = (FORECAST, VALIDATION, "#55a868", "#8172b3")
    with drawing():
        figure = Figure(figsize=(6.2, 3.8), layout="constrained")
        axes = figure.add_subplot()
        for place, nominal in enumerate(sorted(coverages, reverse=True)):
            actual, color = 100 * np.asarray(coverages[nominal]), colors[place % len(colors)]
            steps = np.arange(1, len(actual) + 1)
            mean = f"mean {np.nanmean(actual):.1f}" if np.any(~np.isnan(actual)) else "no values"
            label = f"{100 * nominal:g} % intervals ({mean})"
            marker = "o" if len(actual) <= 60 else ""
            axes.plot(steps, actual, marker, ls="-", lw=1.3, ms=3, color=color, label=label)
            axes.axhline(100 * nominal, color=color, linestyle="--", linewidth=1)
        axes.set_ylim(top=101)
        axes.set_xlabel("step of the forecast")
        axes.set_ylabel("values inside, percent")
        axes.set_title("coverage of the intervals; dashed: nominal", loc="left", fontsize=10)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=9)
        save(figure, path)


def _labelled(tokens: Sequence[str]) -> dict[int, str]:
    """Returns the labels of an axis by their positions."""
    step = max(1, -(-len(tokens) // MOST_LABELS))
    return {place: _shown(tokens[place]) for place in range(0, len(tokens), step)}


def _shown(token: str) -> str:
    """Returns a token's label, in which blanks are visible."""
    return plot_label(token.replace(" ", "\u2423").replace("\u2581", "\u2423"))
