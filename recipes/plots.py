"""Plots of a run as PNG: learning curves, the confusion matrix, attention."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.plots import drawing, plot_label, save

TRAIN, VALIDATION = "#4c72b0", "#dd8452"
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


def _labelled(tokens: Sequence[str]) -> dict[int, str]:
    """Returns the labels of an axis by their positions."""
    step = max(1, -(-len(tokens) // MOST_LABELS))
    return {place: _shown(tokens[place]) for place in range(0, len(tokens), step)}


def _shown(token: str) -> str:
    """Returns a token's label, in which blanks are visible."""
    return plot_label(token.replace(" ", "\u2423").replace("\u2581", "\u2423"))
