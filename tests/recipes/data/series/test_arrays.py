"""NumPy files of series: shapes, lengths, what belongs to them, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from recipes.data.series.options import SeriesColumns
from recipes.data.series.reading import read
from zoo.errors import InputError

VALUES = np.arange(12.0).reshape(2, 3, 2)


def _read(folder: Path, fill_gaps: bool = False, **arrays: object):
    path = folder / "a.npz"
    np.savez(path, **arrays)
    return read(path, SeriesColumns(fill_gaps=fill_gaps))


def _refusal(folder: Path, **arrays: object) -> str:
    with pytest.raises(InputError) as caught:
        _read(folder, **arrays)
    message = str(caught.value)
    assert message.startswith(str(folder / "a.npz")) and "\n" not in message
    return message.removeprefix(str(folder / "a.npz"))


def test_all_arrays_together(tmp_path):
    found = _read(
        tmp_path,
        values=VALUES,
        lengths=[3, 2],
        labels=["up", "down"],
        names=["a", "b"],
        times=np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "M8[D]"),
        future=np.arange(8.0).reshape(2, 4, 1),  # a step ahead
        static=[[1.0], [2.0]],
        columns=["x", "y"],
    )
    a, b = found.series
    assert (a.name, a.label, b.name, b.label) == ("a", "up", "b", "down")
    assert a.values.tolist() == VALUES[0].tolist() and b.values.tolist() == [[6, 7], [8, 9]]
    assert a.future.tolist() == [[0], [1], [2], [3]] and b.future.tolist() == [[4], [5], [6]]
    assert b.static.tolist() == [2] and len(b.times) == 2 and str(a.times[2])[:10] == "2024-01-03"
    assert found.columns == ("x", "y") and found.step == np.timedelta64(1, "D")
    assert (found.future_columns, found.static_columns) == (("future_1",), ("static_1",))


def test_an_array_alone_is_a_set_or_one_series(tmp_path):
    for array, shapes in ((VALUES, [(3, 2)] * 2), (VALUES[0], [(3, 2)]), ([1, 2, 3], [(3, 1)])):
        np.save(tmp_path / "a.npy", array)
        found = read(tmp_path / "a.npy", SeriesColumns())
        assert [each.values.shape for each in found.series] == shapes
        assert found.series[0].values.dtype == np.float64
    assert found.columns == ("value_1",) and found.series[0].name == ""


def test_objects_are_refused_in_one_sentence_and_never_loaded(tmp_path):
    ragged = np.array([np.zeros(2), np.zeros(3)], dtype=object)
    assert _refusal(tmp_path, values=ragged).startswith(": holds Python objects, expected numbers")
    np.save(tmp_path / "a.npy", ragged)
    with pytest.raises(InputError, match="a.npy: holds Python objects"):
        read(tmp_path / "a.npy", SeriesColumns())
    (tmp_path / "b.npy").write_bytes(b"text")
    with pytest.raises(InputError, match="b.npy: (holds|cannot be read)"):
        read(tmp_path / "b.npy", SeriesColumns())


def test_a_damaged_file_is_one_sentence(tmp_path):
    np.savez(tmp_path / "a.npz", values=VALUES)
    content = (tmp_path / "a.npz").read_bytes()
    for broken in (content[:-30], content[:40], b"", content.replace(b"\0\0\0\0", b"\7\7\7\7")):
        (tmp_path / "a.npz").write_bytes(broken)
        with pytest.raises(
            InputError, match="a.npz: (cannot be read as a NumPy file|holds Python)"
        ):
            read(tmp_path / "a.npz", SeriesColumns())


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"value": VALUES}, ": there is no array 'values', expected one of 'value' (did you mean"),
        ({"values": VALUES[None]}, ": array 'values' has the shape (1, 2, 3, 2), expected (N, T,"),
        ({"values": ["a"]}, ": array 'values' holds <U1, expected numbers"),
        ({"values": [[1, np.inf]]}, ": values[0, 1] is infinite, expected a number"),
        ({"values": VALUES, "lengths": [3]}, ": array 'lengths' has the shape (1,), expected 2"),
        ({"values": VALUES, "lengths": [3, 4]}, ": lengths[1] is 4, expected a number of steps"),
        ({"values": VALUES, "labels": ["a"]}, ": array 'labels' has the shape (1,), expected 2"),
        ({"values": VALUES, "names": ["a", " "]}, ": names[1] is empty, expected a text"),
        ({"values": VALUES, "static": [1, 2]}, ": array 'static' has the shape (2,), expected (N"),
        ({"values": VALUES, "future": VALUES[:, :2]}, ": array 'future' has the shape (2, 2, 2)"),
        ({"values": VALUES, "future": VALUES * np.nan}, ": array 'future' has NaN"),
        ({"values": VALUES, "times": [1, 2, 3]}, ": array 'times' has the shape (3,), expected (T"),
    ],
)
def test_what_is_wrong_with_an_array_is_named(tmp_path, arrays, expected):
    assert _refusal(tmp_path, **arrays).startswith(expected)


def test_times_in_arrays_are_even_or_filled(tmp_path):
    times = np.array(["2024-01-01", "2024-01-02", "2024-01-04"], "M8[D]")
    message = _refusal(tmp_path, values=VALUES[0], times=times)
    assert message.startswith(": times:2: 1 step missing between 2024-01-02T00:00:00 in line 1")
    found = _read(tmp_path, True, values=VALUES[0], times=times, future=np.arange(5.0)[:, None])
    assert found.series[0].values[:, 0].tolist()[:2] == [0, 2]
    assert np.isnan(found.series[0].values[2]).all() and len(found.series[0].times) == 4
    assert found.series[0].future[:, 0].tolist() == [0, 1, 1, 2, 3, 4]
