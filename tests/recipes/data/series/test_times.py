"""Time stamps: their forms, offsets, months, numbers, and the step that follows from them."""

import numpy as np
import pytest

from recipes.data.series.grids import grids, shown_step
from recipes.data.series.times import Lines, along, is_time, parse
from zoo.errors import InputError


def _grid(cells: list[str], fill_gaps: bool = False):
    lines = Lines("a.csv", range(2, 2 + len(cells)), cells)
    found, step = grids(lines, parse(lines, "date"), {"": np.arange(len(cells))}, fill_gaps)
    return found[""], step


@pytest.mark.parametrize(
    ("cells", "step", "last"),
    [
        (["2016-07-01", "2016-07-02"], np.timedelta64(1, "D"), "2016-07-02T00:00:00"),
        (["20160731", "20160801"], np.timedelta64(1, "D"), "2016-08-01T00:00:00"),
        (["2016-07-01T13:00", "2016-07-01T13:15"], np.timedelta64(15, "m"), "2016-07-01T13:15:00"),
        (["2016-01", "2016-02", "2016-03"], np.timedelta64(1, "M"), "2016-03-01T00:00:00"),
        (["2016-01-31", "2016-02-29"], np.timedelta64(1, "M"), "2016-02-29T00:00:00"),
        (["2016-01-15", "2016-04-15"], np.timedelta64(3, "M"), "2016-04-15T00:00:00"),
        (["2016-01-01", "2016-01-29"], np.timedelta64(28, "D"), "2016-01-29T00:00:00"),
        (
            ["2016-07-01 00:00:00+02:00", "2016-07-01 01:00:00+02:00"],
            np.timedelta64(1, "h"),
            "2016-07-01T01:00:00",
        ),
        (["2016-07-01 00:00Z", "2016-07-01 01:00Z"], np.timedelta64(1, "h"), "2016-07-01T01:00:00"),
        (
            ["2016-10-30 02:00+02:00", "2016-10-30 02:00+01:00"],  # clocks are set back
            np.timedelta64(1, "h"),
            "2016-10-30T01:00:00",
        ),
    ],
)
def test_times_give_the_step_between_rows(cells, step, last):
    grid, found = _grid(cells)
    assert found == step
    assert str(grid.times[-1]) == last and grid.times.dtype == "M8[s]"


def test_numbers_are_steps_or_rounded_seconds():
    grid, step = _grid(["0", "1", "2"])
    assert step is None and grid.times is None and grid.positions.tolist() == [0, 1, 2]
    assert _grid(["0.000", "0.017", "0.033", "0.050"])[0].positions.tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match="^a.csv:4: 1 step missing between 2 in line 3 and 4"):
        _grid(["1", "2", "4"])
    assert _grid(["1", "2", "4"], fill_gaps=True)[0].positions.tolist() == [0, 1, 3]
    with pytest.raises(InputError, match="^a.csv:4: 1.5 units after line 3"):
        _grid(["1", "2", "3.5"])


def test_a_wrong_time_stamp_is_no_gap_of_a_million_steps():
    with pytest.raises(
        InputError, match="^a.csv:4: 999998 steps missing after line 3, expected at"
    ):
        _grid(["0", "1", "1000000"], fill_gaps=True)
    with pytest.raises(InputError, match="^a.csv:3: '1e999' in column 'date' is no time stamp"):
        _grid(["0", "1e999"])


def test_fractions_of_a_second_have_a_step_and_no_times():
    grid, step = _grid([f"2016-07-01 00:00:00.{n}0" for n in range(4)])
    assert step == np.timedelta64(100, "ms") and grid.times is None


def test_months_that_are_missing_are_counted_in_months():
    with pytest.raises(InputError, match="^a.csv:4: 2 steps missing between 2016-02 in line 3"):
        _grid(["2016-01", "2016-02", "2016-05"])
    grid, _ = _grid(["2016-01", "2016-02", "2016-05"], fill_gaps=True)
    assert [str(time)[:7] for time in grid.times] == [f"2016-0{n}" for n in range(1, 6)]


def test_numbers_and_times_are_not_mixed():
    with pytest.raises(InputError, match="^a.csv:3: '7' in column 'date' is no time stamp"):
        _grid(["2016-07-01", "7"])
    with pytest.raises(InputError, match="^a.csv:2: 'now' in column"):
        _grid(["now", "2016-07-01"])


@pytest.mark.parametrize(
    "cell",
    ["2024-01-01 022016-0700", "01.07.2016", "2024-13-01", "2024-01-01 25:00", "", "NaT", "now"],
)
def test_what_is_no_time_is_named_with_its_line(cell):
    with pytest.raises(InputError) as caught:
        _grid(["2024-01-01 00:00", cell])
    assert str(caught.value).startswith(f"a.csv:3: {cell!r} in column 'date' is no time stamp, exp")


def test_time_goes_on_by_steps_of_months_on_last_days():
    month = np.timedelta64(1, "M")
    found = along(np.datetime64("2023-11-30"), month, 4).astype("M8[D]").astype(str).tolist()
    assert found == ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"]
    found = along(np.datetime64("2024-01-10T06"), month, 2).astype(str).tolist()
    assert found == ["2024-01-10T06:00:00", "2024-02-10T06:00:00"]
    assert is_time("2024-01-10") and not is_time("10.01.2024")
    assert shown_step(90 * 60e6) == "90 minutes" and shown_step(3, "month") == "3 months"
