"""Naive forecasts: by hand, against a second implementation, and M4's published results."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from zoo import metrics

NAN = float("nan")
M4 = Path(__file__).parents[4] / "shared" / "data" / "m4_hourly"


def test_the_seasonal_naive_forecast_repeats_the_last_season():
    past = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert metrics.seasonal_naive(past, 5, 3).tolist() == [4, 5, 6, 4, 5]
    assert metrics.seasonal_naive(past, 2, 1).tolist() == [6, 6]
    assert metrics.seasonal_naive(past, 3, 8).tolist() == [6, 9, 1]
    assert metrics.seasonal_naive(past, 3, 20).tolist() == [6, 6, 6]


def test_a_missing_value_is_replaced_by_the_last_known_one_of_its_place():
    past = [1.0, NAN, 3.0, 4.0, NAN, NAN, 7.0, NAN, NAN]
    assert metrics.seasonal_naive(past, 4, 3).tolist() == [7, 7, 3, 7]


def seasonal_series(length=48, season=4, noise=0.0):
    steps = np.arange(length)
    factors = np.resize([0.6, 1.4, 1.2, 0.8], length)
    return (50 + 2.0 * steps) * factors + noise * np.random.default_rng(1).normal(size=length)


def test_naive2_of_a_seasonal_series_has_the_season_and_no_trend():
    past = seasonal_series()
    found = metrics.naive2(past, 6, 4)
    level = 50 + 2 * 47
    np.testing.assert_allclose(found, level * np.array([0.6, 1.4, 1.2, 0.8, 0.6, 1.4]), rtol=0.01)
    np.testing.assert_allclose(found[3], past[-1])


def by_hand(past, horizon, season):
    """Naive 2 in loops: the test of the season, the decomposition, the forecast."""
    mean, length = sum(past) / len(past), len(past)
    power = sum((value - mean) ** 2 for value in past)

    def correlation(lag):
        pairs = ((past[t] - mean) * (past[t + lag] - mean) for t in range(length - lag))
        return sum(pairs) / power

    spread = 1 + 2 * sum(correlation(lag) ** 2 for lag in range(1, season))
    if abs(correlation(season)) <= 1.645 * (spread / length) ** 0.5:
        return [past[-1]] * horizon
    half, ratios = season // 2, {}
    for t in range(half, length - half):
        window = past[t - half : t + half + 1]
        if season % 2 == 0:
            window = [window[0] / 2, *window[1:-1], window[-1] / 2]
        ratios.setdefault(t % season, []).append(past[t] / (sum(window) / season))
    means = [sum(ratios[place]) / len(ratios[place]) for place in range(season)]
    factors = [one * season / sum(means) for one in means]
    level = past[-1] / factors[(length - 1) % season]
    return [level * factors[(length + step) % season] for step in range(horizon)]


@pytest.mark.parametrize(
    ("length", "season", "noise"), [(48, 4, 5.0), (47, 5, 20.0), (50, 3, 1.0), (33, 4, 60.0)]
)
def test_naive2_is_as_in_a_second_implementation(length, season, noise):
    past = abs(seasonal_series(length, season, noise)) + 1
    found = metrics.naive2(past, 7, season)
    np.testing.assert_allclose(found, by_hand(list(past), 7, season), rtol=1e-10)


def test_the_cases_of_the_second_implementation_are_seasonal_and_not():
    flat = [
        len(set(metrics.naive2(abs(seasonal_series(*case)) + 1, 7, case[1]).round(6))) == 1
        for case in [(48, 4, 5.0), (33, 4, 600.0)]
    ]
    assert flat == [False, True]


@pytest.mark.parametrize(
    "past",
    [
        [5.0, 5.0, 5.0, 5.0, 5.0, 5.0],  # constant
        [1.0, 2.0, 1.0, 2.0, 7.0],  # shorter than three seasons
        [0.0, 1.0, -1.0, 0.0, 1.0, -1.0, 0.0, 1.0, -1.0, 0.0, 1.0, 7.0],  # a mean around 0
    ],
)
def test_naive2_without_a_season_is_the_last_value(past):
    assert metrics.naive2(past, 3, 2 if len(past) == 6 else 3).tolist() == [past[-1]] * 3


def test_naive2_interpolates_missing_values():
    past = seasonal_series(noise=3.0)
    holes = past.copy()
    holes[[10, 11, 30]] = NAN
    filled = past.copy()
    filled[10] = past[9] + (past[12] - past[9]) / 3
    filled[11] = past[9] + 2 * (past[12] - past[9]) / 3
    filled[30] = (past[29] + past[31]) / 2
    np.testing.assert_allclose(metrics.naive2(holes, 5, 4), metrics.naive2(filled, 5, 4))


def read_m4(split):
    with gzip.open(M4 / f"Hourly-{split}.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [np.array([float(cell) for cell in row[1:] if cell]) for row in rows]


@pytest.mark.skipif(not M4.is_dir(), reason=f"no M4 series in {M4}")
def test_the_baselines_have_the_published_scores_on_the_hourly_series_of_m4():
    pasts, targets = read_m4("train"), np.array(read_m4("test"))
    scales = [metrics.seasonal_scale(past, 24) for past in pasts]
    baseline = np.array([metrics.naive2(past, 48, 24) for past in pasts])
    repeated = np.array([metrics.seasonal_naive(past, 48, 24) for past in pasts])
    found = [
        (metrics.smape(targets, rows), metrics.mase(targets, rows, scales))
        for rows in (baseline, repeated)
    ]
    np.testing.assert_allclose(found, [(18.383, 2.395), (13.912, 1.193)], atol=0.0006)
    assert metrics.owa(targets, repeated, scales, baseline) == pytest.approx(0.6275, abs=5e-5)
