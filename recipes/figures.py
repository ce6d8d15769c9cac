"""Pictures of a run: learning curves and the confusion matrix, as PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo import durable

TRAIN, VALIDATION = "#4c72b0", "#dd8452"


def learning_curves(history: Sequence[dict[str, Any]], best_epoch: int, path: Path) -> None:
    """Draws each figure over the epochs, training beside validation, the best epoch marked.

    Args:
        history: A row of figures for each epoch.
        best_epoch: The epoch whose model is used, from 1 up.
        path: The PNG to write.
    """
    prefix = "validation_"
    names = [key.removeprefix(prefix) for key in history[0] if key.startswith(prefix)]
    figure = Figure(figsize=(4.6 * len(names), 3.6), layout="constrained")
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(1, len(names), place)
        epochs = [row["epoch"] for row in history]
        if name in history[0]:
            axes.plot(epochs, [row[name] for row in history], "o-", color=TRAIN, label="train")
        values = [row[prefix + name] for row in history]
        axes.plot(epochs, values, "s-", color=VALIDATION, label="validation")
        axes.axvline(best_epoch, color="grey", linestyle=":", label="best epoch")
        axes.set_title("loss, nats" if name == "loss" else name.replace("_", " "))
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    _save(figure, path)


def learning_rates(
    rates: np.ndarray, losses: np.ndarray, means: np.ndarray, chosen: float, path: Path
) -> None:
    """Draws the loss over the rising learning rate, and the rate that is chosen.

    Args:
        rates: float (N,), the rate of each step.
        losses: float (N,), the loss of each step, in nats.
        means: float (N,), the running mean of the losses.
        chosen: A rate.
        path: The PNG to write.
    """
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
    _save(figure, path)


def confusion(matrix: np.ndarray, classes: Sequence[str], path: Path) -> None:
    """Draws a confusion matrix: counts as numbers, shares of each true class as colour.

    Args:
        matrix: int (C, C), true classes as rows.
        classes: The C names.
        path: The PNG to write.
    """
    count = len(classes)
    side = min(16.0, 2.6 + 0.75 * count)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    names = [name if len(name) <= 20 else name[:19] + "…" for name in classes]
    axes.set_xticks(range(count), names, rotation=45 if count > 3 else 0)
    axes.set_yticks(range(count), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if count <= 20:
        for (row, column), number in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(number), ha="center", va="center", color=color)
    _save(figure, path)


def attention(
    weights: np.ndarray, source: Sequence[str], target: Sequence[str], path: Path
) -> None:
    """Draws what each target token looked at: dark where much.

    Args:
        weights: float (T_y, T_x), shares.
        source: T_x tokens.
        target: T_y tokens.
        path: The PNG to write.
    """
    width, height = (min(16.0, 1.6 + 0.32 * len(tokens)) for tokens in (source, target))
    figure = Figure(figsize=(max(width, 3.0), max(height, 2.4)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(source)), [_shown(token) for token in source], rotation=90)
    axes.set_yticks(range(len(target)), [_shown(token) for token in target])
    axes.tick_params(length=0)
    _save(figure, path)


def _shown(token: str) -> str:
    """A token as it is drawn: a blank is seen, and a dollar sign begins no formula."""
    return token.replace(" ", "\u2423").replace("$", r"\$").replace("\u2581", "\u2423")


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with durable.replacing(path) as part:
        figure.savefig(part, dpi=130)
