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
