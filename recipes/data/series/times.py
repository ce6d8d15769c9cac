"""Time stamps: text -> times, and the times of steps.

A time column has ISO 8601 times (`2016-07-01 13:00:00`, `2016-07-01`, `2016-07`, `20160701`), or
numbers that count steps or seconds. Offsets such as `+02:00` or `Z` are dropped where all rows have
the same, so that hours stay local; otherwise times become UTC.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError

_ISO = re.compile(
    r"\d{4}-\d\d(?:-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:\s*(Z|[+-]\d\d:?\d\d))?)?)?",
    re.ASCII,
)
_COMPACT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class Lines(NamedTuple):
    """Where the rows of a file are, for errors.

    Attributes:
        path: The file.
        numbers: The line of each row.
        cells: The text of each row's time stamp.
    """

    path: str
    numbers: Sequence[int]
    cells: Sequence[str]


def is_time(cell: str) -> bool:
    """Whether a cell is a time, and no plain number.

    Example:
        >>> is_time("2016-07-01 13:00"), is_time("H1"), is_time("2016")
        (True, False, False)
    """
    try:
        return len(_local([cell])) == 1
    except ValueError:
        return False


def parse(lines: Lines, column: str) -> np.ndarray:
    """Reads a column of time stamps: datetime64[us] (rows,), or float64 if all are numbers.

    Raises:
        InputError: A cell is no time, or numbers and times are mixed.
    """
    cells = [cell.strip() for cell in lines.cells]
    if all(map(_COMPACT.fullmatch, cells)):
        cells = [f"{cell[:4]}-{cell[4:6]}-{cell[6:]}" for cell in cells]
    if all(map(_NUMBER.fullmatch, cells)):
        found = np.array([float(cell) for cell in cells])
        if np.isfinite(found).all():
            return found
        wrong = int(np.argmax(np.isinf(found)))
    else:
        try:
            return _local(cells)
        except ValueError:
            wrong = next(row for row, cell in enumerate(cells) if not is_time(cell))
    raise InputError(
        f"{lines.path}:{lines.numbers[wrong]}: {cells[wrong]!r} in column {column!r} is no time "
        f"stamp, expected ISO 8601 in every row, such as 2016-07-01 13:00:00, or a number in every "
        f"row: rewrite it, or choose another --time-column"
    )


def _local(cells: Sequence[str]) -> np.ndarray:
    """Times without offsets: local where all have the same offset, otherwise UTC.

    Raises:
        ValueError: A cell is no time.
    """
    offsets, bare = [], []
    for cell in cells:
        match = _ISO.fullmatch(cell)
        if match is None:
            raise ValueError(cell)
        offsets.append(match[1] or "")
        bare.append(cell.removesuffix(offsets[-1]).strip())
    times = np.array(bare, dtype="datetime64[us]")
    if len(set(offsets)) == 1:
        return times
    minutes = [_minutes(offset) for offset in offsets]
    return times - np.array(minutes, dtype="timedelta64[m]")


def _minutes(offset: str) -> int:
    if offset in ("", "Z"):
        return 0
    sign = -1 if offset[0] == "-" else 1
    digits = offset[1:].replace(":", "")
    return sign * (60 * int(digits[:2]) + int(digits[2:]))


def along(start: np.datetime64, step: np.timedelta64, count: int) -> np.ndarray:
    """The time stamps of `count` steps from a start: datetime64[s] (count,).

    A step in months keeps the day of the month; a start on the last day stays on last days.

    Example:
        >>> along(np.datetime64("2016-01-31"), np.timedelta64(1, "M"), 2).astype("M8[D]").tolist()
        [datetime.date(2016, 1, 31), datetime.date(2016, 2, 29)]
    """
    start = start.astype("datetime64[s]")
    if np.datetime_data(step.dtype)[0] != "M":
        return start + np.arange(count) * step.astype("timedelta64[s]")
    first = start.astype("datetime64[M]")
    months = first + np.arange(count) * step
    inside = start - first.astype("datetime64[s]")
    left = (first + 1).astype("datetime64[s]") - start
    if left <= np.timedelta64(1, "D"):
        return (months + 1).astype("datetime64[s]") - left
    return months.astype("datetime64[s]") + inside
