"""What all plots share: labels that are safe to draw, fonts that have their letters, saving."""

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

# a bitmap font has no outlines to draw; the other one has boxes in place of letters
_UNUSABLE = ("Noto Color Emoji", "Last Resort")


def plot_label(text: str, longest: int = LONGEST) -> str:
    r"""Makes any string safe to draw with Matplotlib, as itself.

    A dollar sign starts no formula, white space and line breaks are one space, control characters
    are drawn as a replacement character, invisible ones are left out, and long labels are cut.

    Args:
        text: Any string, such as a class name or a token.
        longest: The most characters to keep; a longer text is cut and ends in an ellipsis.

    Returns:
        The label, which is never empty.

    Example:
        >>> plot_label("$$"), plot_label("a\n\tb"), plot_label(" "), plot_label("abcdef", longest=4)
        ('\\$\\$', 'a b', '(empty)', 'abc…')
    """
    line = "".join(map(_drawable, " ".join(text.split()))).strip() or EMPTY
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line.replace("$", r"\$")


def _drawable(char: str) -> str:
    """A character as it is drawn; format characters such as a zero-width space are not."""
    if char.isprintable():
        return char
    return "" if unicodedata.category(char) == "Cf" else UNPRINTABLE


@contextmanager
def drawing(texts: Iterable[str] = ()) -> Iterator[None]:
    """Sets Matplotlib up for a figure: what is created within is drawn with fonts for its letters.

    A letter that no installed font has is drawn as a box, without a warning. LaTeX is switched off
    whatever the user's settings are, since labels are plain text.

    Args:
        texts: The labels that come from data, as they are drawn.
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
    """Writes a figure as PNG; a file that is there is replaced when the new one is whole."""
    FigureCanvasAgg(figure)
    with durable.replacing(path) as part:
        figure.savefig(part, dpi=DOTS_PER_INCH)


@functools.lru_cache(maxsize=32)
def _fonts_with(letters: frozenset[str]) -> tuple[str, ...]:
    """Installed fonts that have what the default font lacks, each of which adds a letter."""
    missing = {ord(letter) for letter in letters if letter.isprintable()}
    missing -= _code_points(font_manager.findfont(font_manager.FontProperties()))
    found: list[str] = []
    for name, path in _installed() if missing else ():
        if not missing:
            break
        if covered := missing & _code_points(path):
            missing -= covered
            found.append(name)
    return tuple(found)


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
    """The Unicode characters that a font file has; none if the file cannot be read."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # it was uninstalled since, or is damaged
        return frozenset()
