"""Shared parts of all plots: labels that are safe to draw, fonts that cover them, saving."""

import functools
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from zoo.system import durable

LONGEST = 20  # characters of a label
EMPTY = "(empty)"
UNPRINTABLE = "\ufffd"
DOTS_PER_INCH = 130

# a bitmap font without outlines, and a font of placeholder boxes
_UNUSABLE = ("Noto Color Emoji", "Last Resort")


def plot_label(text: str, longest: int = LONGEST) -> str:
    r"""Escapes a string so that Matplotlib draws it literally; a label is never empty.

    A dollar sign starts no formula, white space and line breaks are one space, control characters
    are drawn as a replacement character, invisible ones are left out, and a label of more than
    `longest` characters is cut and ends in an ellipsis.

    Example:
        >>> plot_label("$$"), plot_label("a\n\tb"), plot_label(" "), plot_label("abcdef", longest=4)
        ('\\$\\$', 'a b', '(empty)', 'abc…')
    """
    line = "".join(map(_drawable, " ".join(text.split()))).strip() or EMPTY
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line.replace("$", r"\$")


def _drawable(char: str) -> str:
    """The drawn form of a character; format characters such as a zero-width space are dropped."""
    if char.isprintable():
        return char
    return "" if unicodedata.category(char) == "Cf" else UNPRINTABLE


@contextmanager
def drawing(texts: Iterable[str] = ()) -> Iterator[None]:
    """Sets up Matplotlib for a figure created in a `with` block, with fonts for all its texts.

    A letter that no installed font has is drawn as a box, without a warning. LaTeX is switched off,
    since labels are plain text.
    """
    letters = frozenset("".join(texts))
    families = [*matplotlib.rcParams["font.family"], *_fonts_with(letters)]
    with (
        matplotlib.rc_context({"font.family": families, "text.usetex": False}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="(?s)Glyph .* missing from")
        yield


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG or SVG, by the path's ending; a file is replaced atomically."""
    FigureCanvasAgg(figure)
    with durable.replacing(path) as part:
        figure.savefig(part, dpi=DOTS_PER_INCH)


@functools.lru_cache(maxsize=32)
def _fonts_with(letters: frozenset[str]) -> tuple[str, ...]:
    """Installed fonts that add letters which the default font lacks."""
    missing = {ord(letter) for letter in letters if letter.isprintable()}
    missing -= _code_points(font_manager.findfont(font_manager.FontProperties()))
    families: list[str] = []
    for name, path in _installed() if missing else ():
        if not missing:
            break
        if covered := missing & _code_points(path):
            missing -= covered
            families.append(name)
    return tuple(families)


def _installed() -> list[tuple[str, str]]:
    """Names and files of upright fonts of normal weight that can be scaled, by name."""
    return sorted(
        {
            (font.name, font.fname)
            for font in font_manager.fontManager.ttflist
            if font.style == "normal"
            and font.weight in (400, "normal", "regular")
            and font.size == "scalable"
            and not font.name.startswith(_UNUSABLE)
        }
    )


@functools.lru_cache(maxsize=256)
def _code_points(path: str) -> frozenset[int]:
    """The code points of a font file; none if it cannot be read."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # uninstalled meanwhile, or damaged
        return frozenset()
