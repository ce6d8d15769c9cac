"""Windows over series: an index of (series, position), read in batches without copying the whole.

past     [ look_back steps ][ horizon steps ]  targets
         covariates          covariates
                            ^ position: the first step that is forecast
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recipes.data.naming import unknown
from recipes.data.series.items import SeriesSet
from recipes.data.series.time_splits import Borders
from recipes.data.splits import SPLITS
from zoo.errors import InputError, require_positive_int


class Batch(NamedTuple):
    """The arrays of B windows, float32 but for the lengths; without covariates G or S is 0.

    Attributes:
        past: (B, L, F), 0 after the length; NaN where a value is missing.
        past_lengths: int32 (B,), L, or less near the beginning of a series.
        past_covariates: (B, L, G), 0 after the length.
        future: (B, H, G), covariates of the steps that are forecast.
        static: (B, S).
        targets: (B, H, F_out), NaN where a value is missing or not known yet.
    """

    past: np.ndarray
    past_lengths: np.ndarray
    past_covariates: np.ndarray
    future: np.ndarray
    static: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False)
class Store:
    """The rows of all series one after the other: what all windows of a data set share.

    After each series are rows of NaN, so that a window may go over its end.

    Attributes:
        values: float32 (R, F).
        future: float32 (R, G).
        static: float32 (N, S).
        starts: int (N,), the row at which each series starts.
    """

    values: np.ndarray
    future: np.ndarray
    static: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, data: SeriesSet, look_back: int, horizon: int) -> "Store":
        """Copies the rows of all series once."""
        sizes = [len(each) + horizon for each in data.series]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        rows = int(starts[-1]) + look_back
        values = np.full((rows, len(data.columns)), np.nan, np.float32)
        future = np.full((rows, len(data.future_columns)), np.nan, np.float32)
        static = np.zeros((len(data.series), len(data.static_columns)), np.float32)
        for number, (each, start, size) in enumerate(
            zip(data.series, starts.tolist(), sizes, strict=False)
        ):
            values[start : start + len(each)] = each.values
            if each.future is not None:
                known = each.future[:size]
                future[start : start + len(known)] = known
            if each.static is not None:
                static[number] = each.static
        return cls(values, future, static, starts[:-1])


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one split, in the order of the series and of time.

    Attributes:
        store: The rows that they are read from.
        series: int (W,), the series of each window.
        positions: int (W,), the first step that each forecasts, counted in its series.
        look_back: Steps L of the past.
        horizon: Steps H that are forecast.
        targets: The columns that are forecast; None for all.
    """

    store: Store
    series: np.ndarray
    positions: np.ndarray
    look_back: int
    horizon: int
    targets: Sequence[int] | None = None

    def __len__(self) -> int:
        """The number of windows W."""
        return len(self.positions)

    def select(self, places: np.ndarray | slice) -> "Windows":
        """Some of the windows."""
        return replace(self, series=self.series[places], positions=self.positions[places])

    def batch(self, places: np.ndarray | slice = slice(None)) -> Batch:
        """Reads the arrays of some windows, by default of all."""
        series, positions = self.series[places], self.positions[places]
        starts = self.store.starts[series]
        lengths = np.minimum(positions, self.look_back)
        first, rows = starts + positions - lengths, starts + positions
        past = _rows(self.store.values, first, self.look_back)
        covariates = _rows(self.store.future, first, self.look_back)
        if len(lengths) and lengths.min() < self.look_back:
            after = np.arange(self.look_back) >= lengths[:, None]
            past[after] = 0
            covariates[after] = 0
        targets = _rows(self.store.values, rows, self.horizon)
        return Batch(
            past,
            lengths.astype(np.int32),
            covariates,
            _rows(self.store.future, rows, self.horizon),
            self.store.static[series],
            targets if self.targets is None else targets[:, :, list(self.targets)],
        )


def _rows(table: np.ndarray, first: np.ndarray, count: int) -> np.ndarray:
    """`count` rows from each of the first ones on: (B, count, columns), a copy.

    Of a table in C order these are contiguous, so that each window is one copy of memory.
    """
    width = table.shape[1]
    if not width:
        return np.zeros((len(first), count, 0), table.dtype)
    spans = sliding_window_view(table.reshape(-1), count * width)[::width]
    return spans[first].reshape(len(first), count, width)


def windows_of(
    data: SeriesSet,
    borders: Borders,
    look_back: int,
    horizon: int,
    *,
    stride: int = 1,
    least_past: int | None = None,
    targets: Sequence[int] | None = None,
    splits: Sequence[str] = SPLITS,
) -> dict[str, Windows]:
    """Makes the windows of `train`, `validation` and `test`, or of some of them.

    The targets of a window are in one split, its past may reach into the splits before. In train,
    windows are `stride` steps apart, the last one at the split's end; in the others 1.

    Args:
        data: The series.
        borders: Where the splits of each series end.
        look_back: Steps L of the past.
        horizon: Steps H that are forecast.
        stride: Steps from one window of train to the next.
        least_past: Fewest steps of the past in train; None for L, or, in a series that is too
            short for that, as many as it has.
        targets: The columns that are forecast; None for all.
        splits: The splits whose windows are made.

    Raises:
        InputError: A series is too short for any window, or a split has none.
    """
    for name, value in (("look_back", look_back), ("horizon", horizon), ("stride", stride)):
        require_positive_int(name, value)
    for each in data.series:
        if len(each) <= horizon:
            raise _too_short(data, each.name, len(each), horizon)
    store = Store.of(data, look_back, horizon)
    least = np.minimum(look_back, np.maximum(borders.train - horizon, 1))
    if least_past is not None:
        least = np.full_like(least, max(1, least_past))
    zeros = np.zeros_like(borders.train)
    begins = {"train": zeros, "validation": borders.train, "test": borders.validation}
    found = {}
    for name in splits:
        begin = begins[name]
        end = getattr(borders, name)
        first = least if name == "train" else np.maximum(begin, 1)
        series, positions = _index(first, end - horizon, stride if name == "train" else 1)
        found[name] = Windows(store, series, positions, look_back, horizon, targets)
        if not len(positions):
            raise InputError(
                f"no window in {name}: the longest series has {(end - begin).max()} steps there, "
                f"expected {horizon + (name == 'train')} or more: lower --horizon {horizon}, or "
                f"give {name} more steps"
            )
    return found


def places_of(columns: Sequence[str], option: str) -> list[int]:
    """The places of the columns that `--target-columns` lists; all for an empty text.

    Raises:
        InputError: A column does not exist, or is listed twice.

    Example:
        >>> places_of(("load", "oil, hot"), "oil, hot"), places_of(("a", "b"), "")
        ([1], [0, 1])
    """
    if not option:
        return list(range(len(columns)))
    names = [option] if option in columns else [name.strip() for name in option.split(",")]
    for name in names:
        if name not in columns:
            raise InputError(f"{unknown('column', name, columns)}: choose with --target-columns")
        if names.count(name) > 1:
            raise InputError(
                f"target_columns has {name!r} twice, expected each column once: take one away"
            )
    return [columns.index(name) for name in names]


def ahead(
    data: SeriesSet, look_back: int, horizon: int, targets: Sequence[int] | None = None
) -> Windows:
    """One window for each series, which forecasts the steps after its last value.

    Raises:
        InputError: The covariates of the steps to forecast are not known.
    """
    for each in data.series:
        known = horizon if each.future is None else len(each.future) - len(each)
        if data.future_columns and known < horizon:
            raise InputError(
                f"series {each.name!r} has covariates for {known} of {horizon} steps to forecast, "
                f"expected all: add a row for each of these steps, with empty values"
            )
    count = len(data.series)
    lengths = np.array([len(each) for each in data.series])
    store = Store.of(data, look_back, horizon)
    return Windows(store, np.arange(count), lengths, look_back, horizon, targets)


def _index(first: np.ndarray, last: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """The series and the position of each window, from the first to the last position of each."""
    counts = np.maximum(last - first + stride, 0) // stride
    series = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    steps_left = np.repeat(ends, counts) - 1 - np.arange(len(series))
    return series, last[series] - stride * steps_left


def _too_short(data: SeriesSet, name: str, length: int, horizon: int) -> InputError:
    which = f"series {name!r}" if name else "the series"
    return InputError(
        f"{which} has {length} steps, expected more than the {horizon} to forecast: lower "
        f"--horizon {horizon}" + (", or take the series out" if len(data.series) > 1 else "")
    )
