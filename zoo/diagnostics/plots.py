"""The pictures of the diagnostics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.plots import plot_label

COLORS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#da8bc3", "#8c8c8c")
LOWEST = 1e-12  # of a share on a logarithmic axis


def shares_by_distance(panels: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Draws gradients against the number of steps back, logarithmic, a panel each.

    Args:
        panels: The panel's title -> the curve's name -> (T,) shares of the last step's norm, in the
            order of time.
        title: Of the whole picture.
    """
    figure = Figure(figsize=(4.4 * len(panels), 4.0), layout="constrained")
    figure.suptitle(plot_label(title, longest=120))
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    first: Axes | None = None
    for number, (heading, curves) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number, sharey=first)
        first = first or axes
        for name, shares in curves.items():
            back = np.arange(len(shares))
            axes.plot(
                back,
                np.maximum(shares[::-1], LOWEST),
                color=COLORS[names.index(name) % len(COLORS)],
                label=plot_label(name),
                linewidth=2,
            )
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, 10)
        axes.set_title(plot_label(heading, longest=60), fontsize=10)
        axes.set_xlabel("steps back from the loss")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left", fontsize=8)
    if first is not None:
        first.set_ylabel("gradient, share of the last step's")
    return figure


def training_curves(curves: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Figure:
    """Draws positive numbers against the training step, logarithmic, a panel for each kind.

    Args:
        curves: The panel's title -> the curve's name -> a number for each training step; one that
            is not finite ends the curve with a cross.
        title: Of the whole picture.
    """
    figure = Figure(figsize=(4.8 * len(curves), 3.8), layout="constrained")
    figure.suptitle(plot_label(title, longest=120))
    for number, (heading, lines) in enumerate(curves.items(), 1):
        axes = figure.add_subplot(1, len(curves), number)
        for color, (name, values) in zip(COLORS, lines.items(), strict=False):
            finite = [value for value in values if np.isfinite(value)]
            steps = np.arange(1, len(finite) + 1)
            axes.plot(steps, finite, "o-", markersize=3, color=color, label=plot_label(name))
            if len(finite) < len(values):
                axes.plot(steps[-1:], finite[-1:], "X", markersize=12, color=color)
        axes.set_yscale("log")
        axes.set_title(plot_label(heading, longest=60), fontsize=10)
        axes.set_xlabel("training step")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def lines(panels: Sequence[dict[str, Any]]) -> Figure:
    """Draws panels of named curves; each panel is `title`, `x_label`, `y_label`, `curves`, `log`.

    A curve is its name -> x and y values.
    """
    figure = Figure(figsize=(4.6 * len(panels), 3.8), layout="constrained")
    for number, panel in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), number)
        for color, (name, (x, y)) in zip(COLORS, panel["curves"].items(), strict=False):
            axes.plot(x, y, "o-", markersize=3, color=color, label=plot_label(name, longest=40))
        if panel.get("log"):
            axes.set_yscale("log")
        axes.set_title(plot_label(panel["title"], longest=60), fontsize=10)
        axes.set_xlabel(panel["x_label"])
        axes.set_ylabel(panel["y_label"])
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def best_seed(accuracies: np.ndarray) -> np.ndarray:
    """The accuracies (lengths,) of the seed with the highest mean, from (seeds, lengths)."""
    return np.asarray(accuracies[accuracies.mean(1).argmax()])


def accuracies_by_length(
    panels: Mapping[str, Mapping[str, np.ndarray]], lengths: Sequence[int], title: str
) -> Figure:
    """Draws a table of accuracies for each task; the colour is what exceeds chance.

    Args:
        panels: The task's name -> the row's name -> accuracies, (seeds, lengths), 0 to 1. The row
            `most frequent` is chance.
        lengths: Steps of the test sequences.
        title: Of the whole picture.
    """
    names = list(next(iter(panels.values())))
    width = 1.0 + len(panels) * (0.34 * len(lengths) + 0.15)
    figure = Figure(figsize=(max(width, 4.0), 1.3 + 0.25 * len(names)), layout="constrained")
    figure.suptitle(plot_label(title, longest=160), fontsize=11)
    for number, (heading, rows) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        best = np.array([best_seed(values) for values in rows.values()])
        chance = rows["most frequent"].mean(0)
        share = np.clip((best - chance) / np.maximum(1 - chance, 1e-9), 0, 1)
        axes.imshow(share, cmap="YlGn", vmin=0, vmax=1, aspect="auto")
        for row, column in np.ndindex(best.shape):
            axes.text(
                column,
                row,
                f"{100 * best[row, column]:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share[row, column] > 0.6 else "black",
            )
        axes.set_title(plot_label(heading), fontsize=10)
        axes.set_xticks(range(len(lengths)), [str(length) for length in lengths], fontsize=7)
        axes.tick_params(axis="x", rotation=60)
        labels = [plot_label(name) for name in names] if number == 1 else []
        axes.set_yticks(range(len(labels)), labels, fontsize=8)
    figure.supxlabel("steps of the test sequences", fontsize=9)
    return figure


def bars_by_word(panels: Mapping[str, Mapping[str, Sequence[float]]], base_rate: float) -> Figure:
    """Draws a probability for each word of a sentence, the models side by side.

    Args:
        panels: The sentence -> the model's name -> a probability for each word.
        base_rate: A dashed line.
    """
    figure = Figure(figsize=(5.4 * len(panels), 3.4), layout="constrained")
    for number, (sentence, bars) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        words = sentence.split()
        wide = 0.8 / len(bars)
        for place, (color, (name, values)) in enumerate(zip(COLORS, bars.items(), strict=False)):
            left = np.arange(len(words)) - 0.4 + (place + 0.5) * wide
            axes.bar(left, values, wide, color=color, label=plot_label(name))
        axes.axhline(base_rate, color="gray", linestyle="--", label="base rate")
        axes.set_xticks(range(len(words)), [plot_label(word) for word in words], rotation=30)
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("probability of a person's name")
        axes.legend(fontsize=8)
    return figure
