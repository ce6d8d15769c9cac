"""Tables of series: long and wide, their errors with file and line, gaps, and a series a row."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from recipes.data.series.items import SeriesSet
from recipes.data.series.options import SeriesColumns
from recipes.data.series.reading import read
from zoo.errors import InputError

SHOPS = """shop,date,sales,promotion,size
north,2024-01-01,12,0,5
south,2024-01-01,7,1,3
north,2024-01-02,,1,5
south,2024-01-02,8.5,0,3
north,2024-01-03,14,0,5
south,2024-01-03,,1,3
"""
LONG = {"series_column": "shop", "covariate_columns": "promotion", "static_columns": "size"}
HOURS = "date,load,heat\n2016-07-01 00:00,5,1\n2016-07-01 01:00,?,2\n2016-07-01 02:00,7,NA\n"


def _read(folder: Path, text: str, name: str = "a.csv", **options: object) -> SeriesSet:
    path = folder / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return read(path, SeriesColumns(**options))  # type: ignore[arg-type]


def _refusal(folder: Path, text: str, name: str = "a.csv", **options: object) -> str:
    with pytest.raises(InputError) as caught:
        _read(folder, text, name, **options)
    message = str(caught.value)
    assert message.startswith(str(folder / name)) and "\n" not in message
    return message.removeprefix(str(folder / name))


def _equal(found: np.ndarray | None, expected: object) -> None:
    np.testing.assert_array_equal(found, np.array(expected, float))  # NaN equals NaN


def test_a_long_table_has_a_series_for_each_name_and_its_planned_rows_are_its_future(tmp_path):
    found = _read(tmp_path, SHOPS, **LONG)
    north, south = found.series
    assert (north.name, south.name) == ("north", "south")
    assert found.columns == ("sales",) and found.step == np.timedelta64(1, "D")
    assert (found.future_columns, found.static_columns) == (("promotion",), ("size",))
    _equal(north.values, [[12], [np.nan], [14]])
    _equal(north.future, [[0], [1], [0]])
    _equal(south.values, [[7], [8.5]])
    _equal(south.future, [[1], [0], [1]])
    _equal(south.static, [3])
    assert south.times.tolist() == np.array(["2024-01-01", "2024-01-02"], "M8[s]").tolist()


def test_a_wide_table_is_one_series_of_all_columns(tmp_path):
    for name in ("a.csv", "a.csv.gz", "a.tsv"):
        text = HOURS.replace(",", "\t") if "tsv" in name else HOURS
        found = _read(tmp_path, text, name)
        assert found.columns == ("load", "heat") and found.step == np.timedelta64(1, "h")
        assert [each.name for each in found.series] == [""]
        _equal(found.series[0].values, [[5, 1], [np.nan, 2], [7, np.nan]])
        assert str(found.series[0].times[-1]) == "2016-07-01T02:00:00"


def test_columns_are_chosen_by_names_and_numbers(tmp_path):
    found = _read(tmp_path, HOURS, value_columns="heat")
    assert found.columns == ("heat",) and found.series[0].values.shape == (3, 1)
    bare = HOURS.split("\n", 1)[1]
    found = _read(tmp_path, bare, header=False, time_column="0", value_columns="2,1")
    _equal(found.series[0].values, [[1, 5], [2, np.nan], [np.nan, 7]])
    assert found.columns == ("2", "1")
    two = "shop,item,n\na,1,5\na,2,6\n"
    names = [each.name for each in _read(tmp_path, two, series_column="shop,item").series]
    assert names == ["a/1", "a/2"]


def test_a_column_without_a_name_is_no_value_and_one_of_text_is_not_guessed_to_be_one(tmp_path):
    head, *rows = HOURS.strip().split("\n")
    indexed = "\n".join([f",{head}", *(f"{n},{row}" for n, row in enumerate(rows))])
    assert _read(tmp_path, indexed).columns == ("load", "heat")
    message = _refusal(tmp_path, HOURS.replace("NA", "hot"))
    assert message.startswith(":4: column 'heat': 'hot' is text, expected a number: correct it")
    assert message.endswith("or choose columns of numbers with --value-columns")
    with pytest.raises(InputError, match="^layout must be one of long, wide, rows; got 'tall'"):
        _read(tmp_path, HOURS, layout="tall")


def test_semicolons_separate_too(tmp_path):
    _equal(_read(tmp_path, HOURS.replace(",", ";")).series[0].values[0], [5, 1])


def test_a_label_belongs_to_a_whole_series(tmp_path):
    text = "id,x,class\n1,0.5,up\n1,0.7,up\n2,0.1,down\n"
    options = {"series_column": "id", "label_column": "class"}
    found = _read(tmp_path, text, **options)
    assert [each.label for each in found.series] == ["up", "down"]
    assert found.columns == ("x",) and found.step is None and found.series[0].times is None
    message = _refusal(tmp_path, text.replace("0.7,up", "0.7,down"), **options)
    assert message.startswith(":3: column 'class': series '1' has 'down' here and 'up' in line 2")
    message = _refusal(tmp_path, text.replace("0.7,up", "0.7,"), **options)
    assert message.startswith(":3: column 'class': the row has no label")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("07-01 02:00", "06-30 02:00", ":4: the time 2016-06-30 02:00 comes before 2016-07-01 01:"),
        ("02:00", "01:00", ":4: the time 2016-07-01 01:00 is that of line 3 too, expected one row"),
        ("01:00", "01:10", ":3: 70 minutes after line 2"),
        ("02:00", "04:00", ":4: 2 steps missing between 2016-07-01 01:00 in line 3 and 2016-07-01"),
        (
            "01:00",
            "01.00",
            ":3: '2016-07-01 01.00' in column 'date' is no time stamp, expected ISO",
        ),
        ("01:00", "", None),
        ("7,NA", "seven,NA", ":4: column 'load': 'seven' is text, expected a number: correct it"),
        ("7,NA", "-inf,NA", ":4: column 'load': '-inf' is not finite, expected a number"),
        ("7,NA", "7", ":4: number of fields 2, expected 3 as in the header"),
        ("7,NA", '"7,5",NA', ":4: column 'load': '7,5' is text, expected a number: write a point"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(tmp_path, old, new, expected):
    text = HOURS.replace(old, new)
    assert text != HOURS
    if expected is None:  # a day alone is its midnight
        expected = ":3: the time 2016-07-01  is that of line 2 too"
    assert _refusal(tmp_path, text).startswith(expected)


def test_what_is_wrong_with_a_file_is_named(tmp_path):
    assert _refusal(tmp_path, "").startswith(": the file is empty, expected rows of numbers")
    assert _refusal(tmp_path, "date,load\n").startswith(":1: only a header")
    message = _refusal(tmp_path, HOURS, value_columns="laod")
    assert message.startswith(":1: there is no column 'laod', expected one of 'date', 'load'")
    assert "did you mean 'load'?" in message and "--value-columns" in message
    message = _refusal(tmp_path, HOURS, series_column="load", value_columns="load,heat")
    assert message.startswith(":1: column 'load' is among --value-columns and another option's")
    assert _refusal(tmp_path, "a,b\n1,2\n", "a.xls").startswith(": the ending of the name")


def test_rows_of_a_forgotten_series_column_are_doubled_times(tmp_path):
    message = _refusal(tmp_path, SHOPS.replace("north", "1").replace("south", "2"))
    assert message.startswith(":3: the time 2024-01-01 is that of line 2 too")
    assert "--series-column" in message


def test_covariates_are_known_and_constant_ones_constant(tmp_path):
    message = _refusal(tmp_path, SHOPS.replace("8.5,0", "8.5,"), **LONG)
    assert message.startswith(":5: column 'promotion': a covariate is missing")
    message = _refusal(tmp_path, SHOPS.replace("14,0,5", "14,0,4"), **LONG)
    assert message.startswith(":6: column 'size': series 'north' has '4' here and '5' in line 2")


def test_gaps_are_filled_with_missing_values_if_the_option_is_given(tmp_path):
    text = "date,n,price\n2024-01-01,1,9\n2024-01-02,2,8\n2024-01-05,5,7\n2024-01-07,6,6\n"
    message = _refusal(tmp_path, text)
    assert message.startswith(":4: 2 steps missing between 2024-01-02 in line 3 and 2024-01-05")
    assert "(of 3 that the series lacks in all)" in message and "--fill-gaps" in message
    found = _read(tmp_path, text, covariate_columns="price", fill_gaps=True).series[0]
    _equal(found.values[:, 0], [1, 2, np.nan, np.nan, 5, np.nan, 6])
    _equal(found.future[:, 0], [9, 8, 8, 8, 7, 7, 6])
    assert len(found.times) == 7 and str(found.times[5])[:10] == "2024-01-06"


def test_series_with_other_steps_are_refused(tmp_path):
    text = "s,date,n\n" + "".join(f"a,2024-01-0{d},{d}\n" for d in (1, 2, 3))
    text += "".join(f"b,2024-01-0{d},{d}\n" for d in (1, 3, 5))
    message = _refusal(tmp_path, text, series_column="s")
    assert message.startswith(":6: mixed steps: 2 days of series 'b' and 1 day of another series")


def test_a_series_a_row_is_recognised_and_empty_cells_at_its_end_are_no_values(tmp_path):
    text = '"V1","V2","V3","V4"\n"H1","605","NA","586"\n"H2","31","29",\n'
    found = _read(tmp_path, text)
    assert [(each.name, len(each)) for each in found.series] == [("H1", 3), ("H2", 2)]
    assert found.columns == ("value",)
    _equal(found.series[0].values, [[605], [np.nan], [586]])
    labelled = "1\t0.5\t0.6\n2\t0.1\n"  # rows of different lengths, without a header
    options = {"layout": "rows", "label_column": "0", "header": False}
    first, second = _read(tmp_path, labelled, "X_TRAIN.tsv", **options).series
    assert (first.label, second.label, first.name, len(second)) == ("1", "2", "1", 1)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("H1,3,4", ":3: series 'H1' is in line 2 too, expected one row for each series"),
        ("H2,3,x", ":3: column 3: 'x' is text, expected a number"),
        ("H2,,", ":3: the row has no values"),
    ],
)
def test_what_is_wrong_with_a_series_in_a_row_is_named(tmp_path, row, expected):
    message = _refusal(tmp_path, f"name,a,b\nH1,1,2\n{row}\n", layout="rows")
    assert message.startswith(expected)
