"""Rows with time stamps -> steps of an even grid; what is unsorted, doubled or missing is named."""

from typing import NamedTuple

import numpy as np

from recipes.data.series.times import Lines, along
from zoo.errors import InputError

_TOLERANCE = 0.1  # of a step, for numbers that were rounded
_MONTH = np.timedelta64(28, "D")
_SECOND = 1_000_000  # microseconds
_MOST_FILLED = 1000  # steps filled for each row at most: more are a wrong time stamp
_UNITS = (("day", 86_400 * _SECOND), ("hour", 3_600 * _SECOND), ("minute", 60 * _SECOND))


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


class _Axis(NamedTuple):
    """The time stamps of a file as numbers.

    Attributes:
        lines: Where they are.
        stamps: datetime64[us] or float64 (rows,), as read.
        ticks: The same as numbers: months, microseconds, or as read.
        unit: Of the ticks: `month`, `microsecond`, or `unit` for plain numbers.
        step: The smallest number of ticks between two rows of a series; 0 if none has two.
    """

    lines: Lines
    stamps: np.ndarray
    ticks: np.ndarray
    unit: str
    step: float

    def duration(self) -> np.timedelta64 | None:
        """The step as a duration; None for plain numbers."""
        if self.unit == "unit" or not self.step:
            return None
        if self.unit == "month":
            return np.timedelta64(int(self.step), "M")
        seconds, fraction = divmod(int(self.step), _SECOND)
        return np.timedelta64(int(self.step), "us") if fraction else np.timedelta64(seconds, "s")

    def where(self, row: int) -> str:
        return f"{self.lines.path}:{self.lines.numbers[row]}"


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
    axis = _axis(lines, stamps, series)
    smallest = []
    for name, rows in series.items():
        differences = np.diff(axis.ticks[rows])
        if len(differences):
            if differences.min() <= 0:
                raise _unsorted(axis, name, rows, differences)
            smallest.append(differences.min())
    axis = axis._replace(step=min(smallest, default=0))
    found = {name: _grid(axis, name, rows, fill_gaps) for name, rows in series.items()}
    return found, axis.duration()


def _axis(lines: Lines, stamps: np.ndarray, series: dict[str, np.ndarray]) -> _Axis:
    if stamps.dtype.kind != "M":
        return _Axis(lines, stamps, stamps, "unit", 0)
    if _is_monthly(stamps, series):
        months = stamps.astype("datetime64[M]").astype(np.int64)
        return _Axis(lines, stamps, months, "month", 0)
    return _Axis(lines, stamps, stamps.astype(np.int64), "microsecond", 0)


def _is_monthly(stamps: np.ndarray, series: dict[str, np.ndarray]) -> bool:
    """Whether all are on one day of the month at one time of day, or on the last day of months."""
    if not any(len(rows) > 1 for rows in series.values()):
        return False
    if any(np.diff(stamps[rows]).min(initial=_MONTH) < _MONTH for rows in series.values()):
        return False
    inside = stamps - stamps.astype("datetime64[M]")
    left = (stamps.astype("datetime64[M]") + 1).astype(stamps.dtype) - stamps
    return bool((inside == inside[0]).all() or (left == left[0]).all())


def _grid(axis: _Axis, name: str, rows: np.ndarray, fill_gaps: bool) -> Grid:
    ratios = np.diff(axis.ticks[rows]) / (axis.step or 1)
    steps = np.rint(ratios).astype(np.int64)
    tolerance = _TOLERANCE if axis.unit == "unit" else 0.0
    uneven = np.flatnonzero(np.abs(ratios - steps) > tolerance * np.maximum(steps, 1))
    if len(uneven):
        raise _mixed(axis, name, rows, int(uneven[0]))
    if not fill_gaps and (steps > 1).any():
        other = len(steps) > 1 and bool((steps > 1).all())
        raise _other_step(axis, name, rows) if other else _gap(axis, name, rows, steps)
    if steps.sum() > _MOST_FILLED * len(rows):
        raise _too_many(axis, name, rows, steps)
    positions = np.concatenate([[0], np.cumsum(steps)])
    duration = axis.duration()
    if duration is None or np.datetime_data(duration.dtype)[0] == "us":
        return Grid(positions, None)
    return Grid(positions, along(axis.stamps[rows[0]], duration, int(positions[-1]) + 1))


def shown_step(ticks: float, unit: str = "microsecond") -> str:
    """A number of ticks in words.

    Example:
        >>> shown_step(3_600_000_000), shown_step(1, "month"), shown_step(2_500_000)
        ('1 hour', '1 month', '2.5 seconds')
    """
    size: float = 1
    if unit == "microsecond":
        fitting = ((name, length) for name, length in _UNITS if ticks % length == 0)
        unit, size = next(fitting, ("second", _SECOND))
    count = ticks / size
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def _of(name: str) -> str:
    return f" of series {name!r}" if name else ""


def _unsorted(axis: _Axis, name: str, rows: np.ndarray, differences: np.ndarray) -> InputError:
    place = int(np.flatnonzero(differences <= 0)[0])
    before, after = int(rows[place]), int(rows[place + 1])
    numbers, cells = axis.lines.numbers, axis.lines.cells
    where = f"{axis.where(after)}: the time {cells[after]}{_of(name)}"
    several = "" if name else ", or name the series' column with --series-column"
    if differences[place] == 0:
        return InputError(
            f"{where} is that of line {numbers[before]} too, expected one row for each time: take "
            f"one row away{several}"
        )
    return InputError(
        f"{where} comes before {cells[before]} in line {numbers[before]}, expected rows in the "
        f"order of time: sort the file by time{several}"
    )


def _mixed(axis: _Axis, name: str, rows: np.ndarray, place: int) -> InputError:
    before, after = int(rows[place]), int(rows[place + 1])
    own = float(axis.ticks[after] - axis.ticks[before])
    return InputError(
        f"{axis.where(after)}: {shown_step(own, axis.unit)} after line "
        f"{axis.lines.numbers[before]}{_of(name)}, expected a whole number of steps of "
        f"{shown_step(axis.step, axis.unit)}, the smallest in the file: bring all rows to one step"
    )


def _other_step(axis: _Axis, name: str, rows: np.ndarray) -> InputError:
    own = float(np.diff(axis.ticks[rows]).min())
    return InputError(
        f"{axis.where(int(rows[1]))}: mixed steps: {shown_step(own, axis.unit)}{_of(name)} and "
        f"{shown_step(axis.step, axis.unit)} of another series, expected one step for all: split "
        f"the file, or, if rows are missing, give --fill-gaps, which reads them as missing values "
        f"(NaN)"
    )


def _gap(axis: _Axis, name: str, rows: np.ndarray, steps: np.ndarray) -> InputError:
    place = int(np.argmax(steps > 1))
    before, after = int(rows[place]), int(rows[place + 1])
    missing, total = int(steps[place]) - 1, int((steps - 1).sum())
    all_of = f" (of {total} that the series lacks in all)" if total > missing else ""
    numbers, cells = axis.lines.numbers, axis.lines.cells
    return InputError(
        f"{axis.where(after)}: {missing} step{'s' if missing > 1 else ''} missing between "
        f"{cells[before]} in line {numbers[before]} and {cells[after]}{_of(name)}{all_of}, "
        f"expected even steps: add the rows, or give --fill-gaps, which reads them as missing "
        f"values (NaN)"
    )


def _too_many(axis: _Axis, name: str, rows: np.ndarray, steps: np.ndarray) -> InputError:
    place = int(steps.argmax())
    return InputError(
        f"{axis.where(int(rows[place + 1]))}: {int(steps[place]) - 1} steps missing after line "
        f"{axis.lines.numbers[int(rows[place])]}{_of(name)}, expected at most {_MOST_FILLED} for "
        f"each row: correct the time stamp"
    )
