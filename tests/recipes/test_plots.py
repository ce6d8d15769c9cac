"""Plots of forecasts: what is drawn where."""

import numpy as np
import pytest

from recipes import plots
from zoo.errors import InputError

LEVELS = [0.025, 0.1, 0.5, 0.9, 0.975]
QUANTILES = np.arange(30.0).reshape(2, 3, 5)  # two series, three steps
PASTS = [np.arange(10.0), np.array([4.0, np.nan, 6.0])]
ACTUAL = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, which are written as well."""
    saved = []
    write = plots.save

    def save(figure, path):
        saved.append(figure)
        write(figure, path)

    monkeypatch.setattr(plots, "save", save)
    return saved


def lines(axes):
    """The points of each line that has a label."""
    return {
        line.get_label(): np.transpose(line.get_data())
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def test_a_fan_has_the_past_the_median_two_intervals_and_what_followed(figures, tmp_path):
    plots.forecast_fans(["a", "$b"], PASTS, QUANTILES, LEVELS, tmp_path / "a.png", actual=ACTUAL)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    first, second = figures[0].axes
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["a", r"\$b"]
    drawn = lines(first)
    assert list(drawn) == ["past", "median forecast", "actual"]
    assert drawn["past"].tolist() == [[step, step + 9] for step in range(-5, 1)]
    assert drawn["median forecast"].tolist() == [[1, 2], [2, 7], [3, 12]]
    assert drawn["actual"].tolist() == [[1, 1], [2, 2], [3, 3]]
    assert lines(second)["past"][:, 0].tolist() == [-2, -1, 0]
    wide, narrow = first.collections
    assert (wide.get_label(), narrow.get_label()) == ("95 % interval", "80 % interval")
    for band, low, high in ((wide, 0, 4), (narrow, 1, 3)):
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
        expected = {
            (step + 1, QUANTILES[0, step, place]) for step in range(3) for place in (low, high)
        }
        assert corners == expected


def test_of_many_intervals_the_widest_and_the_narrowest_are_drawn(figures, tmp_path):
    levels = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]
    plots.forecast_fans(["a"], PASTS[:1], np.zeros((1, 3, 7)), levels, tmp_path / "a.png")
    (axes,) = figures[0].axes
    assert [band.get_label() for band in axes.collections] == ["98 % interval", "40 % interval"]
    plots.forecast_fans(["a"], PASTS[:1], np.zeros((1, 3, 1)), [0.5], tmp_path / "a.png")
    assert not figures[1].axes[0].collections and "actual" not in lines(figures[1].axes[0])


def test_time_stamps_are_dates_on_the_axis(figures, tmp_path):
    times = np.datetime64("2024-02-27T00:00:00") + np.arange(13) * np.timedelta64(1, "D")
    options = {"times": [times]}
    plots.forecast_fans(["a"], PASTS[:1], QUANTILES[:1], LEVELS, tmp_path / "a.png", **options)
    (axes,) = figures[0].axes
    dates = [line.get_xdata().tolist() for line in axes.lines if len(line.get_xdata()) > 2]
    assert dates == [times[4:10].tolist(), times[10:].tolist()]
    texts = [label.get_text() for label in axes.get_xticklabels()]
    assert "05 Mar" in texts and "09 Mar" in texts


def test_a_fan_needs_a_median(tmp_path):
    with pytest.raises(InputError, match="needs the level 0.5"):
        plots.forecast_fans(["a"], PASTS[:1], QUANTILES[:1, :, :2], [0.1, 0.9], tmp_path / "a.png")


def test_coverage_is_drawn_in_percent_beside_the_nominal_one(figures, tmp_path):
    coverages = {0.8: np.array([0.7, np.nan, 0.9]), 0.95: np.array([0.94, 0.96, 0.92])}
    plots.coverage_by_horizon(coverages, tmp_path / "a.png")
    (axes,) = figures[0].axes
    drawn = lines(axes)
    assert list(drawn) == ["95 % intervals (mean 94.0)", "80 % intervals (mean 80.0)"]
    wide, narrow = drawn.values()
    np.testing.assert_allclose(wide, [[1, 94], [2, 96], [3, 92]])
    np.testing.assert_allclose(narrow, [[1, 70], [2, np.nan], [3, 90]])
    nominal = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert nominal == [95, 80]


def test_coverage_without_any_value_is_drawn(figures, tmp_path):
    plots.coverage_by_horizon({0.95: np.full(3, np.nan)}, tmp_path / "a.png")
    assert list(lines(figures[0].axes[0])) == ["95 % intervals (no values)"]
