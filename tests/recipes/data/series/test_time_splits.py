"""Splits by time: counts, fractions, borders, following files, folds; a CSV of sales as a whole."""

import numpy as np
import pytest

from recipes.data.series import time_splits, windows
from recipes.data.series.calendar import with_calendar
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import WindowOptions
from zoo.errors import InputError

DAY = np.timedelta64(1, "D")


def _dated(*spans):
    """Series from the first day of each span on, of its length."""
    series = [
        Series(
            str(number),
            np.arange(length, dtype=float)[:, None],
            (np.datetime64(first) + np.arange(length) * DAY).astype("M8[s]"),
        )
        for number, (first, length) in enumerate(spans)
    ]
    return SeriesSet(series, ("x",), step=DAY)


def _bare(*lengths):
    return SeriesSet([Series(str(n), np.zeros((n, 1))) for n in lengths], ("x",))


def _split(data, **options):
    found = time_splits.split({"train": data}, WindowOptions(**{"horizon": 2, **options}))
    return [ends.tolist() for ends in found.borders]


def test_the_published_borders_keep_every_test_window():
    data = SeriesSet([Series("", np.zeros((17420, 7)))], tuple("abcdefg"))
    options = WindowOptions(borders="8640,11520,14400", look_back=96, horizon=96)
    found = time_splits.split({"train": data}, options)
    assert found.training_rows().shape == (8640, 7)
    made = windows.windows_of(*found, 96, 96)
    sizes = {name: len(part) for name, part in made.items()}
    assert sizes == {"train": 8640 - 96 - 96 + 1, "validation": 2785, "test": 2785}
    assert made["test"].positions[[0, -1]].tolist() == [11520, 14400 - 96]


def test_counts_go_before_fractions_and_a_split_has_a_horizon_at_least():
    assert _split(_bare(100)) == [[80], [90], [100]]
    assert _split(_bare(100), test_steps=7, validation_fraction=0.2) == [[73], [93], [100]]
    assert _split(_bare(100), horizon=15) == [[70], [85], [100]]
    assert _split(_bare(100, 30)) == [[80, 10], [90, 20], [100, 30]]  # ends are together


def test_with_time_stamps_a_border_is_one_day_for_all_series():
    data = _dated(("2024-01-01", 20), ("2024-01-11", 10), ("2024-01-01", 13))
    assert _split(data, test_steps=4, validation_steps=5) == [
        [11, 1, 11],
        [16, 6, 13],  # the third ends in validation
        [20, 10, 13],
    ]
    assert _split(data, borders="2024-01-06,2024-01-12, 2024-01-20")[0] == [5, 0, 5]
    assert _split(data, borders="5,11,19") == [[5, 0, 5], [11, 1, 11], [19, 9, 13]]


@pytest.mark.parametrize("text", ["5,11", "5,3,19", "5,11,x", "0,5,9", "5,11,21", "2024,5,9"])
def test_borders_rise_inside_of_the_data(text):
    with pytest.raises(InputError, match="^borders must be three rising numbers of rows up to 20"):
        _split(_dated(("2024-01-01", 20)), borders=text)


def test_too_little_to_train_on_is_refused():
    with pytest.raises(InputError, match="^the longest series has 9 steps, of which validation ta"):
        _split(_bare(9), horizon=3)
    with pytest.raises(InputError, match="^test_steps must be at least 0, got -1"):
        _split(_bare(9), test_steps=-1)


def test_a_test_file_continues_each_series(tmp_path):
    (tmp_path / "H-train.csv").write_text("id,a,b,c,d,e,f,g\nA,1,2,3,4,5,6,7\nB,1,2,3,4,5,6,\n")
    (tmp_path / "H-test.csv").write_text("id,a,b\nB,17,18\nA,8,9\n")
    options = WindowOptions(data=str(tmp_path / "H-train.csv"), horizon=2, validation_steps=2)
    data, borders = time_splits.load(options, SeriesSet)
    assert [ends.tolist() for ends in borders] == [[5, 4], [7, 6], [9, 8]]
    assert data.series[1].values[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 17, 18]
    batch = windows.windows_of(data, borders, 3, 2)["test"].batch()  # one window a series
    assert batch.past[:, :, 0].tolist() == [[5, 6, 7], [4, 5, 6]]
    assert batch.targets[:, :, 0].tolist() == [[8, 9], [17, 18]]
    (tmp_path / "H-test.csv").write_text("id,a,b\nC,17,18\n")
    with pytest.raises(InputError, match="^test has a series 'C' that train lacks"):
        time_splits.load(options, SeriesSet)


def test_files_of_splits_follow_each_other_in_time(tmp_path):
    days = [f"2024-01-{day:02},{day}" for day in range(1, 16)]
    for name, part in {"train": days[:9], "val": days[9:12], "test": days[12:]}.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(["date,n", *part]) + "\n")
    options = WindowOptions(data=str(tmp_path), horizon=2)
    data, borders = time_splits.load(options, SeriesSet)
    assert [ends.tolist() for ends in borders] == [[9], [12], [15]]
    assert str(data.series[0].times[-1])[:10] == "2024-01-15"
    (tmp_path / "test.csv").write_text("\n".join(["date,n", *days[13:]]) + "\n")
    with pytest.raises(InputError, match="^test of series '' starts at 2024-01-14T00:00:00, exp"):
        time_splits.load(options, SeriesSet)


def test_a_validation_file_needs_a_test_file_after_it():
    with pytest.raises(InputError, match="^a file for validation and none for test"):
        time_splits.split({"train": _bare(30), "validation": _bare(30)}, WindowOptions(horizon=2))


def test_all_of_a_file_is_test_after_the_first_look_back():
    options = WindowOptions(look_back=7, horizon=3)
    data, borders = time_splits.all_as_test({"train": _bare(30, 8)}, options)
    assert [ends.tolist() for ends in borders] == [[7, 5], [7, 5], [30, 8]]
    made = windows.windows_of(data, borders, 7, 3, splits=("test",))
    assert list(made) == ["test"] and len(made["test"]) == 30 - 7 - 3 + 1 + 1
    parts = {
        name: _dated((day, 5)) for name, day in (("train", "2024-01-01"), ("test", "2024-01-06"))
    }
    data, borders = time_splits.all_as_test(parts, options)
    assert [ends.tolist() for ends in borders] == [[5], [5], [10]]


def test_folds_are_one_horizon_apart_and_train_on_what_comes_before():
    found = time_splits.folds(_bare(30, 20), 3, 4)
    assert [[ends.tolist() for ends in fold] for fold in found] == [
        [[14, 4], [18, 8], [22, 12]],
        [[18, 8], [22, 12], [26, 16]],
        [[22, 12], [26, 16], [30, 20]],
    ]
    made = [windows.windows_of(_bare(30, 20), fold, 5, 4)["test"] for fold in found]
    assert [part.positions.tolist() for part in made] == [[18, 8], [22, 12], [26, 16]]
    with pytest.raises(InputError, match="^folds must be a number from 1 to 5 for series of 30"):
        time_splits.folds(_bare(30), 6, 4)


def test_a_csv_of_sales_by_shop_and_day_becomes_windows_with_covariates(tmp_path):
    rows = ["shop,date,sales,promotion"]
    for day in range(60):
        date = np.datetime64("2024-03-01") + day
        for shop, base in (("north", 10), ("south", 30)):
            sales = base + day % 7 if day < 56 else ""
            rows.append(f"{shop},{date},{sales},{int(day % 10 == 0)}")
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(rows) + "\n")
    options = WindowOptions(
        data=str(path),
        series_column="shop",
        covariate_columns="promotion",
        look_back=14,
        horizon=4,
        test_steps=7,
        validation_steps=7,
    )
    data, borders = time_splits.load(options, SeriesSet)
    data = with_calendar(data, options.horizon)
    made = windows.windows_of(data, borders, options.look_back, options.horizon)
    assert {name: len(part) for name, part in made.items()} == {
        "train": 2 * (42 - 14 - 4 + 1),
        "validation": 8,
        "test": 8,
    }
    assert data.future_columns[:3] == ("promotion", "weekday_sin", "weekday_cos")
    batch = windows.ahead(data, options.look_back, options.horizon).batch()
    assert batch.past[:, -1, 0].tolist() == [10 + 55 % 7, 30 + 55 % 7]
    assert batch.future.shape == (2, 4, 7) and batch.future[:, :, 0].sum() == 0
    assert made["test"].batch().future[:, :, 0].max() == 1  # day 50
