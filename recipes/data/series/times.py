"""Time stamps: text -> times on an even grid; what is unsorted, doubled or missing is named.

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
_TOLERANCE = 0.1  # of a step, for numbers that were rounded
_MONTH = np.timedelta64(28, "D")
_UNITS = (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000))


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


class Grid(NamedTuple):
    """The rows of a series on an even grid.

    Attributes:
        positions: int (rows,), the time step of each row, from 0.
        times: datetime64[s] (T,), T one more than the last position; None for numbers and for
            fractions of a second.
    """

    positions: np.ndarray
    times: np.ndarray | None

    def __len__(self) -> int:
        """The number of time steps T."""
        return int(self.positions[-1]) + 1

    def spread(self, values: np.ndarray) -> np.ndarray:
        """The values of the rows (rows, F) as those of the time steps (T, F), NaN in gaps."""
        if len(values) == len(self):
            return values
        found = np.full((len(self), values.shape[1]), np.nan)
        found[self.positions] = values
        return found

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """The values of the rows as those of the time steps, in gaps those of the row before.

        Rows of values after those of the grid stay at the end.
        """
        rows = np.searchsorted(self.positions, np.arange(len(self)), side="right") - 1
        return np.concatenate([values[rows], values[len(self.positions) :]])


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
    elif all(map(_NUMBER.fullmatch, cells)):
        return np.array([float(cell) for cell in cells])
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


def grids(
    lines: Lines, stamps: np.ndarray, series: dict[str, np.ndarray], fill_gaps: bool
) -> tuple[dict[str, Grid], np.timedelta64 | None]:
    """Puts the rows of each series on one even grid.

    `series` has the rows of each series by its name, in the file's order. The step is the smallest
    time between two rows of a series; of times on the same day of each month, or always on the
    last one, it is a number of months.

    Returns:
        The grid of each series, and the step; None for numbers.

    Raises:
        InputError: Rows of a series are unsorted or have the same time, steps are mixed, or, unless
            `fill_gaps`, there are gaps.
    """
    is_clock = stamps.dtype.kind == "M"
    months = is_clock and _is_monthly(stamps, series)
    ticks = stamps.astype("datetime64[M]").astype(np.int64) if months else stamps
    if is_clock and not months:
        ticks = stamps.astype(np.int64)
    smallest = None
    for name, rows in series.items():
        differences = np.diff(ticks[rows])
        if len(differences) and differences.min() <= 0:
            raise _unsorted(lines, name, rows, differences)
        if len(differences) and (smallest is None or differences.min() < smallest):
            smallest = differences.min()
    tick = 1 if smallest is None else smallest
    found = {
        name: _grid(lines, name, rows, stamps, ticks, tick, months, fill_gaps)
        for name, rows in series.items()
    }
    if not is_clock or smallest is None:
        return found, None
    return found, _step(int(tick), months)


def _step(tick: int, months: bool) -> np.timedelta64:
    if months:
        return np.timedelta64(tick, "M")
    seconds, fraction = divmod(tick, 1_000_000)
    return np.timedelta64(tick, "us") if fraction else np.timedelta64(seconds, "s")


def _is_monthly(stamps: np.ndarray, series: dict[str, np.ndarray]) -> bool:
    """Whether all are on one day of the month at one time of day, or on the last day of months."""
    if not any(len(rows) > 1 for rows in series.values()):
        return False
    if any(np.diff(stamps[rows]).min(initial=_MONTH) < _MONTH for rows in series.values()):
        return False
    inside = stamps - stamps.astype("datetime64[M]")
    left = (stamps.astype("datetime64[M]") + 1).astype(stamps.dtype) - stamps
    return bool((inside == inside[0]).all() or (left == left[0]).all())


def _grid(
    lines: Lines,
    name: str,
    rows: np.ndarray,
    stamps: np.ndarray,
    ticks: np.ndarray,
    tick: float,
    months: bool,
    fill_gaps: bool,
) -> Grid:
    ratios = np.diff(ticks[rows]) / tick
    steps = np.rint(ratios).astype(np.int64)
    tolerance = 0.0 if stamps.dtype.kind == "M" else _TOLERANCE
    uneven = np.flatnonzero(np.abs(ratios - steps) > tolerance * np.maximum(steps, 1))
    if len(uneven):
        raise _mixed(lines, name, rows, stamps, tick, months, int(uneven[0]))
    wide = np.flatnonzero(steps > 1)
    if len(wide) and not fill_gaps:
        if len(steps) > 1 and (steps > 1).all():
            raise _other_step(lines, name, rows, ticks, tick, stamps.dtype.kind == "M", months)
        raise _gap(lines, name, rows, steps, wide)
    positions = np.concatenate([[0], np.cumsum(steps)])
    if stamps.dtype.kind != "M" or (not months and tick % 1_000_000):
        return Grid(positions, None)
    step = _step(int(tick), months)
    return Grid(positions, along(stamps[rows[0]], step, int(positions[-1]) + 1))


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


def shown_step(step: float, unit: str = "") -> str:
    """A step in words, from microseconds or in the unit given: `1 hour`, `30 minutes`.

    Example:
        >>> shown_step(3_600_000_000), shown_step(1, "month"), shown_step(2_500_000)
        ('1 hour', '1 month', '2.5 seconds')
    """
    size: float = 1 if unit else 1_000_000
    for name, length in () if unit else _UNITS:
        if step % length == 0:
            unit, size = name, length
            break
    count = step / size
    return f"{count:g} {unit or 'second'}{'' if count == 1 else 's'}"


def _of(name: str) -> str:
    return f" of series {name!r}" if name else ""


def _unsorted(lines: Lines, name: str, rows: np.ndarray, differences: np.ndarray) -> InputError:
    place = int(np.flatnonzero(differences <= 0)[0])
    before, after = int(rows[place]), int(rows[place + 1])
    where = f"{lines.path}:{lines.numbers[after]}: the time {lines.cells[after]}{_of(name)}"
    if differences[place] == 0:
        mend = "take one row away" if name else "name the series' column with --series-column, or"
        mend += "" if name else " take one row away"
        return InputError(
            f"{where} is that of line {lines.numbers[before]} too, expected one row for each time: "
            f"{mend}"
        )
    return InputError(
        f"{where} comes before {lines.cells[before]} in line {lines.numbers[before]}, expected "
        f"rows in the order of time: sort the file by time"
        + ("" if name else ", or name the series' column with --series-column")
    )


def _mixed(
    lines: Lines,
    name: str,
    rows: np.ndarray,
    stamps: np.ndarray,
    tick: float,
    months: bool,
    place: int,
) -> InputError:
    before, after = int(rows[place]), int(rows[place + 1])
    is_clock = stamps.dtype.kind == "M"
    unit = "month" if months else ("" if is_clock else "unit")
    width = float((stamps[after] - stamps[before]).astype(np.int64 if is_clock else float))
    shown = shown_step(width, "" if is_clock else "unit")
    return InputError(
        f"{lines.path}:{lines.numbers[after]}: {shown} after line {lines.numbers[before]}"
        f"{_of(name)}, expected a whole number of steps of {shown_step(tick, unit)}, the smallest "
        f"in the file: bring all rows to one step"
    )


def _other_step(
    lines: Lines,
    name: str,
    rows: np.ndarray,
    ticks: np.ndarray,
    tick: float,
    is_clock: bool,
    months: bool,
) -> InputError:
    unit = "month" if months else ("" if is_clock else "unit")
    own = shown_step(float(np.diff(ticks[rows]).min()), unit)
    return InputError(
        f"{lines.path}:{lines.numbers[int(rows[1])]}: mixed steps: {own}{_of(name)} and "
        f"{shown_step(tick, unit)} of another series, expected one step for all: split the file, "
        f"or, if rows are missing, give --fill-gaps, which reads them as missing values (NaN)"
    )


def _gap(
    lines: Lines, name: str, rows: np.ndarray, steps: np.ndarray, wide: np.ndarray
) -> InputError:
    place = int(wide[0])
    before, after = int(rows[place]), int(rows[place + 1])
    missing = int(steps[place]) - 1
    total = int((steps[wide] - 1).sum())
    all_of = f" (of {total} that the series lacks in all)" if total > missing else ""
    return InputError(
        f"{lines.path}:{lines.numbers[after]}: {missing} step{'s' if missing > 1 else ''} missing "
        f"between {lines.cells[before]} in line {lines.numbers[before]} and {lines.cells[after]}"
        f"{_of(name)}{all_of}, expected even steps: add the rows, or give --fill-gaps, which reads "
        f"them as missing values (NaN)"
    )
