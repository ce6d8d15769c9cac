"""Forecasting metrics against sums by hand, loops and closed forms."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from zoo import metrics
from zoo.errors import InputError

NAN = float("nan")
TARGETS = np.array([[1.0, NAN, 4.0], [0.0, -2.0, 10.0], [NAN, NAN, NAN]])
FORECASTS = np.array([[2.0, 7.0, 2.0], [0.0, -1.0, 10.0], [1.0, 1.0, 1.0]])
SCALES = np.array([0.5, NAN, 3.0])


def test_errors_of_points_by_hand():
    assert metrics.mae(TARGETS, FORECASTS) == pytest.approx((1 + 2 + 0 + 1 + 0) / 5)
    assert metrics.mse(TARGETS, FORECASTS) == pytest.approx((1 + 4 + 0 + 1 + 0) / 5)
    assert metrics.rmse(TARGETS, FORECASTS) == pytest.approx(math.sqrt(6 / 5))
    first = (200 / 3 + 400 / 6) / 2
    second = (0 + 200 / 3 + 0) / 3
    assert metrics.smape(TARGETS, FORECASTS) == pytest.approx((first + second) / 2)
    assert metrics.mase(TARGETS, FORECASTS, SCALES) == pytest.approx(1.5 / 0.5)


def test_missing_targets_and_series_without_a_scale_are_counted():
    scores = metrics.point_scores(TARGETS, FORECASTS, SCALES)
    assert (scores["missing_targets"], scores["unscaled_series"]) == (4, 1)
    assert scores["mase"] == metrics.mase(TARGETS, FORECASTS, SCALES)
    assert {name: scores[name] for name in ("mae", "rmse", "mse", "smape")} == {
        name: getattr(metrics, name)(TARGETS, FORECASTS) for name in ("mae", "rmse", "mse", "smape")
    }


def test_a_mean_over_nothing_is_nan():
    nothing = np.full((2, 2), NAN)
    scores = metrics.point_scores(nothing, np.zeros((2, 2)), np.ones(2))
    assert all(math.isnan(scores[name]) for name in ("mae", "rmse", "mse", "smape", "mase"))
    assert math.isnan(metrics.mase(TARGETS, FORECASTS, np.full(3, NAN)))
    assert math.isnan(metrics.weighted_quantile_loss(nothing, np.zeros((2, 2, 1)), [0.5]))


def test_smape_counts_a_right_zero_as_zero_and_is_at_most_200():
    assert metrics.smape([[0.0, 5.0]], [[0.0, 5.0]]) == 0
    assert metrics.smape([[0.0, 5.0]], [[3.0, -5.0]]) == 200


def test_the_scale_is_the_error_of_the_seasonal_naive_forecast_in_the_past():
    past = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0]
    assert metrics.seasonal_scale(past, 1) == pytest.approx((2 + 3 + 3 + 4 + 4) / 5)
    assert metrics.seasonal_scale(past, 4) == pytest.approx((2 + 8) / 2)
    assert metrics.seasonal_scale([3.0, NAN, 4.0, 1.0], 2) == pytest.approx(1)
    assert math.isnan(metrics.seasonal_scale([2.0, 2.0, 2.0]))
    assert math.isnan(metrics.seasonal_scale([1.0, 2.0, 3.0], season=3))


def test_owa_is_the_mean_of_both_ratios_to_the_baseline():
    targets, scales = np.array([[10.0, 20.0], [5.0, 5.0]]), np.array([2.0, 1.0])
    forecasts, baseline = targets + [[1.0, -2.0], [1.0, 0.0]], targets + [[2.0, 2.0], [-3.0, 1.0]]
    smape = metrics.smape(targets, forecasts) / metrics.smape(targets, baseline)
    mase = ((1.5 / 2 + 0.5) / 2) / ((2 / 2 + 2) / 2)
    found = metrics.owa(targets, forecasts, scales, baseline)
    assert found == pytest.approx((smape + mase) / 2)
    assert metrics.owa(targets, baseline, scales, baseline) == pytest.approx(1)


LEVELS = [0.025, 0.5, 0.9, 0.975]
QUANTILES = np.array(
    [[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]], [[-1.0, 0.0, 5.0, 9.0], [1.0, 1.5, 2.0, 2.5]]]
)
VALUES = np.array([[3.5, NAN], [-2.0, 2.0]])


def pinball_sums():
    """The sum of the losses of each level, in a loop."""
    sums = []
    for place, level in enumerate(LEVELS):
        total = 0.0
        for row, step in [(0, 0), (1, 0), (1, 1)]:
            error = VALUES[row, step] - QUANTILES[row, step, place]
            total += level * error if error > 0 else (1 - level) * -error
        sums.append(total)
    return np.array(sums)


def test_quantile_losses_by_hand_and_in_a_loop():
    losses = metrics.quantile_losses(VALUES, QUANTILES, LEVELS)
    np.testing.assert_allclose(losses[0, 0], [0.025 * 2.5, 0.5 * 1.5, 0.9 * 0.5, 0.025 * 0.5])
    assert np.all(np.isnan(losses[0, 1]))
    sums = pinball_sums()
    mean = metrics.quantile_loss(VALUES, QUANTILES, LEVELS)
    assert mean == pytest.approx(sums.sum() / (3 * 4))
    weighted = metrics.weighted_quantile_loss(VALUES, QUANTILES, LEVELS)
    assert weighted == pytest.approx(np.mean(2 * sums / (3.5 + 2 + 2)))
    widths = [0.2625, 0.4375, 0.2375, 0.0625]  # of the levels nearest to each
    assert metrics.crps(VALUES, QUANTILES, LEVELS) == pytest.approx(2 * sums @ widths / 3)


def test_crps_of_many_quantiles_is_its_integral_and_of_the_median_the_absolute_error():
    levels = np.linspace(0.001, 0.999, 999)
    quantiles = scipy.stats.norm(2, 3).ppf(levels)
    for value in (-4.0, 2.0, 3.3):
        cdf = scipy.stats.norm(2, 3).cdf
        points = np.linspace(-20, 24, 200_001)
        expected = scipy.integrate.trapezoid((cdf(points) - (points >= value)) ** 2, points)
        found = metrics.crps([[value]], quantiles[None, None], levels)
        assert found == pytest.approx(expected, rel=3e-3)
    assert metrics.crps([[3.0]], [[[1.0]]], [0.5]) == pytest.approx(2)


def test_the_interval_score_by_hand():
    lower, upper = np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[3.0, 3.0], [4.0, 2.0]])
    values, scales = np.array([[0.5, 2.0], [NAN, 2.25]]), np.array([2.0, 4.0])
    first = ((2 + 40 * 0.5) + 2) / 2 / 2
    second = (2 + 40 * 0.25) / 4
    found = metrics.msis(values, lower, upper, scales)
    assert found == pytest.approx((first + second) / 2)
    narrow = metrics.msis(values[:1], lower[:1], upper[:1], scales[:1], alpha=0.2)
    assert narrow == pytest.approx((2 + 10 * 0.5 + 2) / 2 / 2)
    assert metrics.msis(values, lower, upper, [2.0, NAN]) == pytest.approx(first)


def test_coverage_is_the_share_inside_at_each_step_bounds_included():
    values = np.array([[1.0, 5.0, NAN], [3.0, 2.0, NAN], [0.9, NAN, NAN], [2.0, 2.0, NAN]])
    lower, upper = np.full((4, 3), 1.0), np.full((4, 3), 3.0)
    np.testing.assert_allclose(metrics.coverage(values, lower, upper), [3 / 4, 2 / 3, NAN])


def test_the_scores_of_quantiles_are_those_of_each_function():
    scores = metrics.quantile_scores(VALUES, QUANTILES, LEVELS, [1.0, 2.0])
    assert list(scores) == [
        "quantile_loss",
        "weighted_quantile_loss",
        "crps",
        "coverage_95",
        "msis",
    ]
    assert scores["coverage_95"] == pytest.approx(2 / 3)
    low, high = QUANTILES[..., 0], QUANTILES[..., 3]
    assert scores["msis"] == metrics.msis(VALUES, low, high, [1.0, 2.0])
    assert scores["crps"] == metrics.crps(VALUES, QUANTILES, LEVELS)
    narrow = metrics.quantile_scores(VALUES, QUANTILES[..., 1:3], [0.1, 0.9], [1.0, 2.0])
    assert list(narrow)[3:] == ["coverage_80"]


def test_intervals_are_the_pairs_of_levels_around_the_median():
    levels = [0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.999]
    assert metrics.central_intervals(levels) == {0.95: (1, 5), 0.8: (2, 4)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.mae(np.zeros((2, 3)), np.zeros((2, 4))), "got \\(2, 3\\) and \\(2, 4\\)"),
        (lambda: metrics.smape(np.zeros(3), np.zeros(3)), "must have the same shape, \\(series"),
        (lambda: metrics.mase(TARGETS, FORECASTS, [1.0]), "one number for each of 3 series"),
        (lambda: metrics.quantile_loss(VALUES, QUANTILES, [0.1, 0.9]), "must have the shape"),
        (lambda: metrics.crps(VALUES, QUANTILES, [0.5, 0.4, 0.6, 0.7]), "must increase"),
        (lambda: metrics.crps(VALUES, QUANTILES, [0.1, 0.4, 0.6, 1.0]), "must increase"),
        (lambda: metrics.naive2([NAN, NAN], 2, 1), "with 0 known values"),
        (lambda: metrics.seasonal_naive([[1.0]], 2, 1), "shape \\(1, 1\\)"),
        (lambda: metrics.seasonal_naive([1.0], 0, 1), "horizon must be a positive int"),
        (lambda: metrics.seasonal_scale([1.0], 0), "season must be a positive int"),
    ],
)
def test_wrong_input_is_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()
