"""The `.ts` files of sktime and aeon: dimensions, lengths, labels and errors with their line."""

import numpy as np
import pytest

from recipes.data.series.options import SeriesColumns
from recipes.data.series.reading import read
from zoo.errors import InputError

TEXT = """# about the data
%# and more
@problemName Vowels
@timeStamps false
@univariate false
@classLabel true one two

@data
1.5,2.0,?:0.1,0.2,0.3:one
1.7,NaN:0.4,-5e-1:two
"""


def _read(folder, text):
    path = folder / "a.ts"
    path.write_text(text)
    return read(path, SeriesColumns())


def test_dimensions_are_columns_and_the_class_is_last(tmp_path):
    found = _read(tmp_path, TEXT)
    one, two = found.series
    assert (one.label, two.label, two.name) == ("one", "two", "2")
    assert found.columns == ("dimension_1", "dimension_2")
    np.testing.assert_array_equal(one.values, [[1.5, 0.1], [2.0, 0.2], [np.nan, 0.3]])
    np.testing.assert_array_equal(two.values, [[1.7, 0.4], [np.nan, -0.5]])


def test_a_file_without_labels_or_with_one_dimension(tmp_path):
    text = TEXT.replace("true one two", "false").replace(":one", "").replace(":two", "")
    assert [each.label for each in _read(tmp_path, text).series] == ["", ""]
    found = _read(tmp_path, "@classLabel true\n@data\n1,2,3:a\n")
    assert found.series[0].values.tolist() == [[1], [2], [3]] and found.series[0].label == "a"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("@timeStamps false", "@timeStamps true", ":4: the values have time stamps, expected"),
        ("1.7,NaN", "(0,1.7),(1,2)", ":10: the values have time stamps, expected values alone"),
        ("@timeStamps false", "@timeStamps", ":4: @timeStamps is 'without a value', expected true"),
        ("@classLabel true", "@targetLabel true", ":6: the labels are numbers to predict"),
        ("@data", "", ": no line @data, expected lines such as"),
        ("@univariate false", "univariate", ":5: 'univariate' is in front of @data"),
        (":two", ":twos", ":10: there is no class 'twos', expected one of 'one', 'two' (did you"),
        (":two", ":", ":10: the series has no label, expected one after the last colon"),
        ("1.7,NaN", "1.7", ":10: dimension 2 has 2 values and dimension 1 has 1, expected equal"),
        ("1.7,NaN:", "", ":10: number of dimensions 1, expected 2 as in the first series"),
        ("1.7,NaN", "1.7,x", ":10: dimension 1, value 2: 'x' is text, expected a number"),
        ("1.7,NaN", "1.7,inf", ":10: dimension 1, value 2: 'inf' is not finite"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, old, new, expected):
    text = TEXT.replace(old, new)
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text if "@data" not in old else TEXT.replace("@data\n", ""))
    message = str(caught.value).removeprefix(str(tmp_path / "a.ts"))
    if "@data" in old:  # the series are then in front of it
        expected = ": no line @data"
    assert message.startswith(expected)


def test_nothing_after_data_is_refused(tmp_path):
    with pytest.raises(InputError, match="a.ts: no series after @data"):
        _read(tmp_path, TEXT.split("1.5")[0])
