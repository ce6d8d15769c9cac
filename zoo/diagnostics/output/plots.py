"""The pictures of the diagnostics."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zoo.plots import plot_label

COLORS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#da8bc3", "#8c8c8c")
LOWEST = 1e-12  # of a share on a logarithmic axis
VANISHED = 0.01  # the share below which a gradient is drawn as vanished
DARKEST = 6  # nats of surprise


def shares_by_distance(panels: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Draws gradients against the number of steps back, logarithmic, a panel each.

    The ground below one hundredth is grey: there a gradient has vanished. A curve that ends there
    is dashed, and its label has the step at which it enters; the others have what is left.

    Args:
        panels: The panel's title -> the curve's name -> (T,) shares of the last step's norm, in the
            order of time.
        title: Of the whole picture.
    """
    figure = Figure(figsize=(4.4 * len(panels), 4.6), layout="constrained")
    figure.suptitle(plot_label(f"{title}; grey: vanished, below {VANISHED:.0%}", longest=120))
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    first: Axes | None = None
    for number, (heading, curves) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number, sharey=first)
        first = first or axes
        axes.axhspan(LOWEST, VANISHED, color="0.9", zorder=0)
        for name, shares in curves.items():
            back = shares[::-1]
            has_vanished = back[-1] < VANISHED
            entry = int(np.flatnonzero(back >= VANISHED)[-1]) + 1 if has_vanished else 0
            rest = f"vanishes after {entry}" if has_vanished else f"{back[-1]:.0%} left"
            axes.plot(
                np.where(back > LOWEST, back, np.nan),
                "--" if has_vanished else "-",
                color=COLORS[names.index(name) % len(COLORS)],
                label=f"{plot_label(name)}: {rest}",
                linewidth=2.5,
            )
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, 10)
        axes.set_title(plot_label(heading, longest=60), fontsize=10)
        axes.set_xlabel("steps back from the loss")
        axes.grid(alpha=0.3)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=8)
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
            ends = len(finite) < len(values)
            label = f"{plot_label(name)}: not finite at {len(finite) + 1}" if ends else name
            axes.plot(steps, finite, "o-", markersize=3, color=color, label=label)
            if ends:
                axes.plot(steps[-1:], finite[-1:], "X", markersize=12, color=color, zorder=5)
                axes.axvline(len(finite) + 1, color=color, linestyle=":", linewidth=2)
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


def distributions(
    names: Sequence[str],
    shares: Mapping[str, np.ndarray],
    sampled: Sequence[tuple[str, np.ndarray]],
    prompt: str,
) -> Figure:
    """Draws distributions over characters as bars, and the text sampled from each.

    Args:
        names: The characters, V, in the order of the bars.
        shares: The distribution's name -> (V,) probabilities.
        sampled: For each distribution a text, and the surprise of its characters in nats.
        prompt: What the text continues.
    """
    most = min(len(names), 24)
    figure = Figure(figsize=(9.5, 2.6 + 0.75 * len(sampled)), layout="constrained")
    parts: Any = figure.subfigures(1 + len(sampled), 1, height_ratios=[2.6, *[0.75] * len(sampled)])
    axes = parts[0].subplots()
    width = 0.8 / len(shares)
    for number, (name, values) in enumerate(shares.items()):
        places = np.arange(most) + (number - (len(shares) - 1) / 2) * width
        color = COLORS[number % len(COLORS)]
        axes.bar(places, values[:most], width, color=color, label=plot_label(name))
    axes.set_xticks(range(most), [_mark(name) for name in names[:most]], family="monospace")
    axes.set_ylabel("probability")
    axes.set_title(f"the character after {plot_label(repr(prompt), 60)}", fontsize=10)
    axes.grid(alpha=0.3, axis="y")
    axes.legend(fontsize=8)
    for part, (text, surprise), (number, name) in zip(
        parts[1:], sampled, enumerate(shares), strict=True
    ):
        strip = part.subplots()
        grounds = [0.0] * len(prompt) + [-min(float(each) / DARKEST, 1.0) for each in surprise]
        line = (prompt + text).replace("\n", "↵")
        text_axes(strip, list(line), grounds, len(line))
        heading = f"{plot_label(name)}: the darker, the less likely ({DARKEST} nats: darkest)"
        strip.set_title(heading, fontsize=8, loc="left", color=COLORS[number % len(COLORS)])
    return figure


def _mark(name: str) -> str:
    """A character as a label."""
    return {"\n": "↵", " ": "␣"}.get(name) or plot_label(name)


def text_axes(
    axes: Axes,
    tokens: Sequence[str],
    values: Sequence[float],
    columns: int = 80,
    marked: int = -1,
    space: bool = False,
) -> None:
    """Draws a text on a coloured ground, in lines of `columns` characters.

    Args:
        axes: Where; its limits are set to the text.
        tokens: Characters, or words.
        values: A number for each token: 0 is white, 1 dark purple, -1 dark orange.
        columns: Characters of a line at most.
        marked: The place of a token that gets a frame.
        space: Whether there is a space between two tokens.
    """
    colours = matplotlib.colormaps["PuOr"]
    x = y = 0
    for place, (token, value) in enumerate(zip(tokens, values, strict=True)):
        shown = "↵" if token == "\n" else plot_label(token) if token.strip() else token
        width = len(shown.replace(r"\$", "$"))
        if x + width > columns:
            x, y = 0, y + 1
        colour = colours(0.5 + 0.45 * round(float(np.clip(value, -1, 1)), 1))
        edge = "#c44e52" if place == marked else "none"
        box = Rectangle((x, y), width, 1, facecolor=colour, edgecolor=edge, linewidth=2)
        box.set_zorder(2 if place == marked else 1)
        axes.add_patch(box)
        dark = abs(value) > 0.65
        axes.text(
            x + width / 2,
            y + 0.5,
            shown,
            ha="center",
            va="center",
            family="monospace",
            fontsize=9,
            color="white" if dark else "black",
            zorder=3,
        )
        x += width + space
        if token == "\n":
            x, y = 0, y + 1
    axes.set_xlim(-0.5, columns + 0.5)
    axes.set_ylim(y + 1.2, -0.2)
    axes.axis("off")


def _lines(tokens: Sequence[str], columns: int, space: bool) -> int:
    """The number of lines that `text_axes` draws."""
    x, count = 0, 1
    for token in tokens:
        width = max(1, len(token))
        if x + width > columns:
            x, count = 0, count + 1
        x += width + space
        if token == "\n":
            x, count = 0, count + 1
    return count


def connectivity(
    matrices: Mapping[str, tuple[Sequence[str], np.ndarray]],
    distances: Mapping[str, np.ndarray],
    at: int,
) -> Figure:
    """Draws the text of each model coloured by one prediction, then all predictions, and a curve.

    Args:
        matrices: The model's name -> the tokens, and the connectivity (T, T).
        distances: The model's name -> the mean connectivity at each distance, for each model that
            predicts something at each token.
        at: The step whose prediction colours the text.
    """
    spaced = {name: _is_spaced(tokens) for name, (tokens, _) in matrices.items()}
    columns = max(map(_columns, (tokens for tokens, _ in matrices.values())))
    heights = [
        0.24 * _lines(tokens, columns, spaced[name]) + 0.45
        for name, (tokens, _) in matrices.items()
    ]
    below = 3.6
    figure = Figure(figsize=(10.5, sum(heights) + below), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[sum(heights), below])
    strips: Any = parts[0].subplots(len(matrices), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (name, (tokens, matrix)) in zip(strips, matrices.items(), strict=True):
        row = matrix[min(at, len(matrix) - 1)]
        values = np.sqrt(row / max(float(row.max()), 1e-30))  # so that weak ones are seen
        aligned = name in distances
        title = "the prediction at the frame" if aligned else f"prediction {at}"
        text_axes(axes, tokens, values, columns, at if aligned else -1, spaced[name])
        heading = f"{plot_label(name)}: what moved {title} (square root)"
        axes.set_title(heading, fontsize=9, loc="left")
    panels: Any = parts[1].subplots(1, len(matrices) + bool(distances), squeeze=False)[0]
    for axes, (name, (_, matrix)) in zip(panels, matrices.items(), strict=False):
        shares = matrix / np.maximum(matrix.max(1, keepdims=True), 1e-30)
        axes.imshow(
            np.log10(np.maximum(shares, 1e-4)),
            cmap=matplotlib.colormaps["Purples"].resampled(12),
            aspect="auto",
            interpolation="nearest",
        )
        axes.set_title(f"{plot_label(name)}: all predictions (log)", fontsize=9)
        axes.set_xlabel("token k")
        axes.set_ylabel("prediction t")
    if distances:
        for color, (name, values) in zip(COLORS, distances.items(), strict=False):
            shares = np.maximum(values[: 3 * len(values) // 4] / values.max(), LOWEST)
            panels[-1].plot(shares, color=color, label=plot_label(name))
        panels[-1].set_yscale("log")
        panels[-1].set_title("mean by distance", fontsize=9)
        panels[-1].set_xlabel("steps back, t - k")
        panels[-1].grid(alpha=0.3)
        panels[-1].legend(fontsize=8)
    return figure


COLUMNS = 90


def _columns(tokens: Sequence[str]) -> int:
    """The characters of the longest line of a text, with its mark; of words as many as fit."""
    if _is_spaced(tokens):
        return COLUMNS
    return min(COLUMNS, max(map(len, "".join(tokens[1:]).split("\n"))) + 2)


def _is_spaced(tokens: Sequence[str]) -> bool:
    """Whether tokens are words."""
    return max(map(len, tokens[1:] or tokens)) > 1


def units(models: Mapping[str, Sequence[tuple[str, str, np.ndarray]]]) -> Figure:
    """Draws a text once for each model and unit, coloured by the unit's state.

    Args:
        models: The model's name -> for each unit a title, the text, and values from -1 to 1.
    """
    panels = [
        (f"{plot_label(name)}: {title}", text, values)
        for name, each in models.items()
        for title, text, values in each
    ]
    columns = max(_columns(text) for _, text, _ in panels)
    heights = [0.2 * _lines(text, columns, False) + 0.35 for _, text, _ in panels]
    figure = Figure(figsize=(0.105 * columns + 0.3, sum(heights)), layout="constrained")
    every = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, text, values) in zip(every, panels, strict=True):
        text_axes(axes, list(text), values.tolist(), columns)
        axes.set_title(title, fontsize=8, loc="left")
    return figure


class Panel(NamedTuple):
    """A matrix with names.

    Attributes:
        title: Its heading.
        values: (R, C); between 0 and 1, or of both signs. NaN is drawn grey.
        rows: The rows' names; none if they have none.
        columns: The columns' names.
        signed: Whether 0 is the middle of the colours.
    """

    title: str
    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    signed: bool = False


def matrices(panels: Sequence[Panel]) -> Figure:
    """Draws matrices below each other, as wide as they have columns."""
    if not panels:
        return Figure(figsize=(4, 1))
    heights = [_height(panel) for panel in panels]
    widest = max(len(panel.columns) for panel in panels)
    figure = Figure(figsize=(min(14.0, max(7.0, 0.16 * widest + 2)), sum(heights)))
    figure.set_layout_engine("constrained")
    every = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(every, panels, strict=True):
        _matrix(figure, axes, panel)
    return figure


def _height(panel: Panel) -> float:
    longest = max((len(plot_label(name)) for name in panel.columns), default=1)
    rows = min(0.25 * len(panel.rows), 8.0) if panel.rows else 1.6
    return rows + 0.6 + (0.09 * longest if longest > 1 else 0.2)


def _matrix(figure: Figure, axes: Axes, panel: Panel) -> None:
    largest = float(np.nanmax(np.abs(panel.values))) if panel.signed else 1.0
    colours = matplotlib.colormaps["PuOr" if panel.signed else "Purples"].with_extremes(bad="0.85")
    image = axes.imshow(
        panel.values,
        cmap=colours,
        aspect="auto",
        interpolation="nearest",
        vmin=-largest if panel.signed else 0.0,
        vmax=largest,
    )
    figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03)
    labels = [_mark(name) for name in panel.columns]
    upright = max(map(len, labels), default=1) <= 1
    axes.set_xticks(range(len(labels)), labels, fontsize=7, rotation=0 if upright else 90)
    axes.set_yticks(range(len(panel.rows)), [plot_label(name) for name in panel.rows], fontsize=7)
    if not panel.rows:
        axes.set_ylabel("units", fontsize=8)
    axes.tick_params(length=0)
    axes.set_title(plot_label(panel.title, longest=100), fontsize=9)
