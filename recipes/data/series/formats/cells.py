"""Cells of a text file -> numbers; an empty cell, `NA`, `NaN` or `?` is a missing value (NaN)."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from zoo.errors import InputError

MISSING = frozenset({"", "na", "n/a", "nan", "?", "null", "none"})  # in small letters
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def numbers(cells: Sequence[str], where: Callable[[int], str], advice: str = "") -> np.ndarray:
    """Reads cells as float64 (n,).

    `where` returns the place of a cell in its file, with what names its column, for errors;
    `advice` is what else to do about text.

    Raises:
        InputError: A cell is text, or infinite.
    """
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        values = np.array([_number(cell, where, place, advice) for place, cell in enumerate(cells)])
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        place = int(infinite[0])
        raise InputError(
            f"{where(place)}: {cells[place].strip()!r} is not finite, expected a number: correct "
            f"it, or leave the cell empty if the value is missing"
        )
    return values


def is_number(cell: str) -> bool:
    """Whether a cell is a number or missing.

    Example:
        >>> is_number("-1.5e3"), is_number("NA"), is_number("H1")
        (True, True, False)
    """
    try:
        float(cell)
    except ValueError:
        return is_missing(cell)
    return True


def is_missing(cell: str) -> bool:
    """Whether a cell marks a missing value."""
    return cell.strip().lower() in MISSING


def _number(cell: str, where: Callable[[int], str], place: int, advice: str) -> float:
    try:
        return float(cell)
    except ValueError:
        if is_missing(cell):
            return np.nan
    text = cell.strip()
    mend = "correct it, or leave the cell empty if the value is missing"
    if _DECIMAL_COMMA.fullmatch(text):
        mend = "write a point in front of decimals"
    raise InputError(f"{where(place)}: {text[:40]!r} is text, expected a number: {mend}{advice}")
