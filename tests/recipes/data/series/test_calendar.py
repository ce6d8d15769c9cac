"""Calendar covariates: which parts vary with the step, their phases, and their future."""

import numpy as np
import pytest

from recipes.data.series.calendar import calendar, with_calendar
from recipes.data.series.items import Series, SeriesSet

HOUR, DAY, MONTH = (np.timedelta64(1, unit) for unit in ("h", "D", "M"))


def _times(first, step, count):
    return (np.datetime64(first) + np.arange(count) * step).astype("M8[s]")


@pytest.mark.parametrize(
    ("step", "parts"),
    [
        (np.timedelta64(15, "m"), ["hour", "weekday", "day", "month"]),
        (HOUR, ["hour", "weekday", "day", "month"]),
        (DAY, ["weekday", "day", "month"]),
        (7 * DAY, ["day", "month"]),
        (36 * HOUR, ["hour", "weekday", "day", "month"]),
        (MONTH, ["month"]),
        (3 * MONTH, ["month"]),
        (12 * MONTH, []),
    ],
)
def test_only_what_varies_from_step_to_step_is_made(step, parts):
    values, names = calendar(np.array(["2024-01-01", "2024-02-01"], "M8[s]"), step)
    assert names == tuple(f"{part}_{wave}" for part in parts for wave in ("sin", "cos"))
    assert values.shape == (2, len(names))


def test_phases_are_sine_and_cosine_of_hour_weekday_day_and_month():
    values, names = calendar(_times("2024-05-15T18", HOUR, 2), HOUR)  # a Wednesday
    found = dict(zip(names, values[0], strict=True))
    for name, phase in {"hour": 18 / 24, "weekday": 2 / 7, "day": 14 / 31, "month": 4 / 12}.items():
        assert found[f"{name}_sin"] == pytest.approx(np.sin(2 * np.pi * phase))
        assert found[f"{name}_cos"] == pytest.approx(np.cos(2 * np.pi * phase))


def test_the_calendar_goes_on_for_the_horizon():
    values, _ = calendar(_times("2024-02-27", DAY, 2), DAY, horizon=3)
    longer, _ = calendar(_times("2024-02-27", DAY, 5), DAY)
    assert values.shape == (5, 6) and values.tolist() == longer.tolist()
    months, _ = calendar(np.array(["2024-11-30", "2024-12-31"], "M8[s]"), MONTH, horizon=1)
    assert months[2].tolist() == pytest.approx([0, 1])  # January


def test_it_is_added_to_other_covariates_as_far_as_these_are_known():
    times, values = _times("2024-01-01", DAY, 3), np.zeros((3, 1))
    one = Series("a", values, times, future=np.arange(4.0)[:, None])
    found = with_calendar(SeriesSet([one], ("x",), ("promotion",), step=DAY), 5)
    assert found.future_columns[:2] == ("promotion", "weekday_sin")
    assert found.series[0].future.shape == (4, 7)
    assert found.series[0].future[:, 0].tolist() == [0, 1, 2, 3]
    alone = SeriesSet([Series("a", values, times)], ("x",), step=DAY)
    assert with_calendar(alone, 5).series[0].future.shape == (8, 6)
    without = SeriesSet([Series("a", values)], ("x",))
    assert with_calendar(without, 5) is without
