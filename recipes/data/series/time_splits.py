"""Splits by time: nothing is trained on what comes after, in any series.

All series are on one common line of time steps: by their time stamps, or, where there are none,
with their ends together. A border is at the same step of the line for all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recipes.data.location import Files, locate
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import WindowOptions
from recipes.data.series.reading import KINDS, read_parts
from recipes.data.series.times import along
from recipes.data.splits import missing_fractions
from zoo.errors import InputError


class Borders(NamedTuple):
    """Where the splits end, int (N,) each: the first time step of each series after the split.

    Validation starts where train ends, test where validation does.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class TimeSplits(NamedTuple):
    """Series, and where in time their splits are."""

    data: SeriesSet
    borders: Borders

    def training_rows(self) -> np.ndarray:
        """The values of all steps of train: float64 (R, F), for means and scales."""
        ends = self.borders.train.tolist()
        return np.concatenate(
            [each.values[:end] for each, end in zip(self.data.series, ends, strict=True)]
        )


def load(
    options: WindowOptions, builtin: Callable[[], SeriesSet], whole: bool = False
) -> TimeSplits:
    """Loads the data of a forecasting run.

    The splits are those of the options: `borders`, else `validation_steps` and `test_steps`, else
    fractions of the line, of `horizon` steps at least. Files for validation or test continue each
    series by name, as `Hourly-test.csv` does. With `whole` all of the data is `test`, for
    measuring: see `all_as_test`.

    Raises:
        InputError: The data is not there, malformed or too short.
    """
    location = locate(options.data, KINDS)
    if isinstance(location, Files):
        parts = read_parts(location, options)
    elif options.data != "builtin":
        raise InputError(f"--data must be {KINDS}, got {options.data!r}: give one of these")
    else:
        parts = {"train": builtin()}
    return all_as_test(parts, options) if whole else split(parts, options)


def all_as_test(parts: Mapping[str, SeriesSet], options: WindowOptions) -> TimeSplits:
    """Test where the data has a file for it, else each series after its first `look_back` steps.

    Of a series that is too short for that the last `horizon` steps are test.
    """
    ends = np.array([len(each) for each in parts["train"].series])
    if "test" not in parts:
        first = np.clip(ends - options.horizon, 0, options.look_back)
        return TimeSplits(parts["train"], Borders(first, first, ends))
    return _continued(TimeSplits(parts["train"], Borders(ends, ends, ends)), parts)


def split(parts: Mapping[str, SeriesSet], options: WindowOptions) -> TimeSplits:
    """Finds where each series is cut; parts beside `train` continue it.

    Raises:
        InputError: A part does not continue train, or the series are too short.
    """
    train = parts["train"]
    if options.borders:
        if len(parts) > 1:
            raise InputError("borders are for one file, got files for the splits: leave them out")
        return TimeSplits(train, _cut(train, _given(train, options.borders)))
    if "validation" in parts and "test" not in parts:
        raise InputError(
            "a file for validation and none for test, expected the steps after validation in one: "
            "add it, or give one file and --validation-steps"
        )
    fractions = missing_fractions(parts, options.validation_fraction, options.test_fraction)
    counts = {"validation": options.validation_steps, "test": options.test_steps}
    _, line = offsets(train)
    for name, count in counts.items():
        if count < 0:
            raise InputError(f"{name}_steps must be at least 0, got {count}: give a count of steps")
        share = round(fractions.get(name, 0) * line)
        counts[name] = 0 if name in parts else count or max(share, options.horizon)
    left = line - counts["validation"] - counts["test"]
    if left <= options.horizon:
        raise InputError(
            f"the longest series has {line} steps, of which validation takes "
            f"{counts['validation']} and test {counts['test']}, expected more than the horizon of "
            f"{options.horizon} left to train on: lower --horizon, --validation-steps or "
            f"--test-steps, or bring longer series"
        )
    borders = _cut(train, [left, left + counts["validation"], line])
    return _continued(TimeSplits(train, borders), parts)


def offsets(data: SeriesSet) -> tuple[np.ndarray, int]:
    """The step of the common line at which each series starts, int (N,), and the line's length."""
    lengths = np.array([len(each) for each in data.series])
    starts = [each.times[0] for each in data.series if each.times is not None]
    if data.step is None or len(starts) < len(data.series):
        return lengths.max() - lengths, int(lengths.max())
    in_months = np.datetime_data(data.step.dtype)[0] == "M"
    stamps = np.array(starts).astype("datetime64[M]" if in_months else "datetime64[s]")
    found = (stamps - stamps.min()) // data.step
    return found, int((found + lengths).max())


def _cut(data: SeriesSet, ends: list[int]) -> Borders:
    """The borders of each series from three steps of the common line."""
    starts, _ = offsets(data)
    lengths = np.array([len(each) for each in data.series])
    return Borders(*(np.clip(end - starts, 0, lengths) for end in ends))


def _given(data: SeriesSet, text: str) -> list[int]:
    """The three steps of the line that `--borders` gives, as numbers or times."""
    cells = [cell.strip() for cell in text.split(",")]
    starts, line = offsets(data)
    expected = f"three rising numbers of rows up to {line}, or times, such as 8640,11520,14400"
    try:
        if all(cell.isdigit() for cell in cells):
            ends = [int(cell) for cell in cells]
        else:
            ends = [_row_of(data, np.datetime64(cell, "s")) for cell in cells]
    except ValueError as error:
        raise InputError(f"borders must be {expected}, got {text!r}: correct it") from error
    if len(ends) != 3 or not 0 < ends[0] < ends[1] < ends[2] <= line:
        raise InputError(f"borders must be {expected}, got {text!r}: correct it")
    return ends


def _row_of(data: SeriesSet, time: np.datetime64) -> int:
    """The first step of the line that is not before a time.

    Raises:
        ValueError: The data has no times.
    """
    starts, line = offsets(data)
    first = data.series[int(np.argmin(starts))].times
    if data.step is None or first is None:
        raise ValueError("no times")
    return int(np.searchsorted(along(first[0], data.step, line), time))


def _continued(cut: TimeSplits, parts: Mapping[str, SeriesSet]) -> TimeSplits:
    """Appends the parts of validation and test to the series of train."""
    data, borders = cut
    for name in ("validation", "test"):
        if name not in parts:
            continue
        added = {each.name: each for each in parts[name].series}
        known = {each.name for each in data.series}
        for other in added.keys() - known:
            raise InputError(
                f"{name} has a series {other!r} that train lacks, expected the steps after those "
                f"of train: rename it, or take it out"
            )
        series = [
            _joined(each, added[each.name], data.step, name) if each.name in added else each
            for each in data.series
        ]
        data = replace(data, series=series)
        lengths = np.array([len(each) for each in series])
        later = {"test": lengths} if name == "test" else {"validation": lengths, "test": lengths}
        borders = borders._replace(**later)
    return TimeSplits(data, borders)


def _joined(series: Series, after: Series, step: np.timedelta64 | None, part: str) -> Series:
    """A series and the steps after it."""
    total = len(series) + len(after)
    times = None
    if series.times is not None and step is not None:
        times = along(series.times[0], step, total)
        if after.times is not None and after.times[0] != times[len(series)]:
            raise InputError(
                f"{part} of series {series.name!r} starts at {after.times[0]}, expected "
                f"{times[len(series)]}, the step after the last one before it: bring rows without "
                f"a gap, and none twice"
            )
    future = after.future
    if series.future is not None and future is not None:
        future = np.concatenate([series.future[: len(series)], future])
    values = np.concatenate([series.values, after.values])
    return replace(series, values=values, times=times, future=future)


def folds(
    data: SeriesSet, count: int, horizon: int, validation_steps: int | None = None
) -> list[Borders]:
    """The splits of a backtest on a rolling origin, first to last.

    Test of the last fold is the last `horizon` steps, of each fold before `horizon` steps earlier;
    validation is the `validation_steps` (by default `horizon`) before it, and train all before.

    Raises:
        InputError: The series are too short for that.
    """
    _, line = offsets(data)
    steps = horizon if validation_steps is None else validation_steps
    if count < 1 or line - count * horizon - steps <= horizon:
        most = max((line - steps - horizon - 1) // horizon, 0)
        raise InputError(
            f"folds must be a number from 1 to {most} for series of {line} steps and a horizon of "
            f"{horizon}, got {count}: lower it, or --horizon"
        )
    ends = [line - late * horizon for late in reversed(range(count))]
    return [_cut(data, [end - horizon - steps, end - horizon, end]) for end in ends]
