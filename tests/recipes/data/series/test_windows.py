"""Windows: what each holds, at borders, in short series, and ahead of the data."""

import numpy as np
import pytest

from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.time_splits import Borders
from recipes.data.series.windows import ahead, places_of, windows_of
from zoo.errors import InputError

NAN = np.nan


def _set(*lengths, future=False):
    """Series s with the values 100 s + t and 0.5 at each step t, and covariates -t."""
    series = [
        Series(
            str(s),
            np.stack([100.0 * s + np.arange(length), np.full(length, 0.5)], axis=1),
            future=-np.arange(length + 2.0)[:, None] if future else None,
            static=np.array([float(s)]),
        )
        for s, length in enumerate(lengths)
    ]
    return SeriesSet(series, ("x", "y"), ("g",) if future else (), ("s",))


def _borders(*rows):
    return Borders(*(np.array(ends) for ends in zip(*rows, strict=True)))


def test_a_window_has_past_and_targets_and_the_past_reaches_into_the_split_before():
    data = _set(10, future=True)
    found = windows_of(data, _borders((5, 7, 10)), 3, 2, targets=[0])
    assert {name: part.positions.tolist() for name, part in found.items()} == {
        "train": [3],
        "validation": [5],
        "test": [7, 8],
    }
    batch = found["test"].batch()
    assert batch.past[:, :, 0].tolist() == [[4, 5, 6], [5, 6, 7]]
    assert batch.past[:, :, 1].tolist() == [[0.5] * 3] * 2
    assert batch.targets.tolist() == [[[7], [8]], [[8], [9]]]
    assert batch.past_covariates[:, :, 0].tolist() == [[-4, -5, -6], [-5, -6, -7]]
    assert batch.future[:, :, 0].tolist() == [[-7, -8], [-8, -9]]
    assert batch.static.tolist() == [[0], [0]] and batch.past_lengths.tolist() == [3, 3]
    assert {array.dtype.name for array in batch} == {"float32", "int32"}


def test_train_never_reaches_over_its_end_and_every_step_is_a_target_once_or_more():
    data = _set(40, 30, 25)
    borders = _borders((30, 34, 40), (20, 24, 30), (15, 19, 25))
    found = windows_of(data, borders, 6, 4)
    for name, part in found.items():
        begin = dict(
            zip(("train", "validation", "test"), (np.zeros(3, int), *borders), strict=False)
        )
        ends = getattr(borders, name)
        assert (part.positions + 4 <= ends[part.series]).all()
        assert (part.positions >= begin[name][part.series]).all()
    assert len(found["test"]) == 3 * (6 - 4 + 1) and len(found["train"]) == 21 + 11 + 6
    batch = found["train"].batch(np.array([0, 20, 21]))
    assert batch.past[:, 0, 0].tolist() == [0, 20, 100] and batch.targets[1, -1, 0] == 29


def test_a_stride_counts_back_from_the_end_of_train():
    found = windows_of(_set(30), _borders((20, 25, 30)), 5, 4, stride=4)
    assert found["train"].positions.tolist() == [8, 12, 16]
    assert found["test"].positions.tolist() == [25, 26]


def test_a_past_shorter_than_the_look_back_is_padded_with_zeros_and_has_its_length():
    data = _set(9, 6, future=True)
    found = windows_of(data, _borders((5, 7, 9), (2, 4, 6)), 4, 2)
    assert found["train"].positions.tolist() == [3]  # of three past steps
    batch = found["test"].batch()
    assert batch.past_lengths.tolist() == [4, 4]
    batch = found["validation"].batch()
    assert batch.past_lengths.tolist() == [4, 2]
    assert batch.past[1].tolist() == [[100, 0.5], [101, 0.5], [0, 0], [0, 0]]
    assert batch.past_covariates[1, :, 0].tolist() == [0, -1, 0, 0]
    assert batch.targets[1, :, 0].tolist() == [102, 103]
    many = windows_of(data, _borders((5, 7, 9), (2, 4, 6)), 4, 2, least_past=1)
    assert many["train"].positions.tolist() == [1, 2, 3]


def test_windows_ahead_forecast_the_steps_after_the_last_value():
    batch = ahead(_set(3, 5, future=True), 4, 2).batch()
    assert batch.past[:, :, 0].tolist() == [[0, 1, 2, 0], [101, 102, 103, 104]]
    assert batch.future[:, :, 0].tolist() == [[-3, -4], [-5, -6]]
    assert np.isnan(batch.targets).all() and batch.past_lengths.tolist() == [3, 4]
    with pytest.raises(InputError, match="^series '0' has covariates for 2 of 3 steps to forecast"):
        ahead(_set(3, 5, future=True), 4, 3)


def test_missing_values_stay_missing_and_some_windows_can_be_chosen():
    data = _set(12)
    data.series[0].values[6, 0] = NAN
    found = windows_of(data, _borders((8, 10, 12)), 3, 2)["train"]
    batch = found.select(slice(-1, None)).batch()
    np.testing.assert_array_equal(batch.past[0, :, 0], [3, 4, 5])
    np.testing.assert_array_equal(batch.targets[0, :, 0], [NAN, 7])
    assert len(found.select(np.array([0, 2]))) == 2


def test_series_that_are_too_short_are_named():
    with pytest.raises(InputError, match="^series '1' has 4 steps, expected more than the 4 to"):
        windows_of(_set(20, 4), _borders((10, 15, 20), (1, 2, 4)), 3, 4)
    with pytest.raises(
        InputError, match="^no window in validation: .* has 2 steps there, expected"
    ):
        windows_of(_set(20), _borders((10, 12, 20)), 3, 4)
    with pytest.raises(
        InputError, match="^no window in train: .* 4 steps there, expected 5 or more"
    ):
        windows_of(_set(20), _borders((4, 12, 20)), 3, 4)
    with pytest.raises(InputError, match="^look_back must be a positive int, got 0"):
        windows_of(_set(20), _borders((4, 12, 20)), 0, 4)


@pytest.mark.parametrize("seed", range(6))
def test_windows_are_those_of_plain_loops_over_every_series(seed):
    rng = np.random.default_rng(seed)
    look_back, horizon, stride = (int(n) for n in rng.integers(1, 7, 3))
    lengths = rng.integers(horizon + 8, 40, 3).tolist()
    cuts = [sorted(rng.integers(1, length + 1, 2).tolist()) for length in lengths]
    cuts[0] = [lengths[0] - 2 * horizon, lengths[0] - horizon]  # so that no split is empty
    data = _set(*lengths, future=True)
    borders = _borders(*((*cut, length) for cut, length in zip(cuts, lengths, strict=True)))
    found = windows_of(data, borders, look_back, horizon, stride=stride, least_past=1)
    begins = {"train": [0, 0, 0], "validation": borders.train, "test": borders.validation}
    for name, part in found.items():
        expected = [
            (s, p)
            for s, (begin, end) in enumerate(zip(begins[name], getattr(borders, name), strict=True))
            for p in range(1, int(end) - horizon + 1)
            if p >= begin and (name != "train" or (int(end) - horizon - p) % stride == 0)
        ]
        assert list(zip(part.series.tolist(), part.positions.tolist(), strict=True)) == expected
        batch = part.batch()
        for row, (s, p) in enumerate(expected):
            values, length = data.series[s].values, min(p, look_back)
            np.testing.assert_array_equal(batch.past[row, :length], values[p - length : p])
            assert not batch.past[row, length:].any() and batch.past_lengths[row] == length
            np.testing.assert_array_equal(batch.targets[row], values[p : p + horizon])
            known = data.series[s].future[p : p + horizon]
            np.testing.assert_array_equal(batch.future[row], known)


def test_targets_are_columns_by_their_names():
    assert places_of(("a", "b", "c"), "c, a") == [2, 0]
    with pytest.raises(
        InputError, match="^there is no column 'd', expected one of 'a', 'b': choose"
    ):
        places_of(("a", "b"), "d")
    with pytest.raises(InputError, match="^target_columns has 'a' twice"):
        places_of(("a", "b"), "a,a")
