"""Naive forecasts of a series, the baselines of forecasting, and the scale of its errors.

A series' past is (T,), float64, with NaN where a value is missing; a forecast is (H,). The season
is m steps, such as 24 for hourly values; 1 where there is none.
"""

from typing import Any

import numpy as np

from zoo.errors import InputError, require_positive_int

CRITICAL = 1.645  # of the normal distribution, 90 % in two tails: the seasonality test of M4


def seasonal_scale(history: Any, season: int = 1) -> float:
    """The mean absolute error of the seasonal naive forecast in a series' past (T,).

        mean over t > m of |y_t - y_(t-m)|

    Pairs with a missing value (NaN) are left out. NaN where the mean is 0 (a constant series) or no
    pair is left: such a series has no MASE.

    Args:
        history: The values before the forecast, (T,).
        season: m, the steps of a period.

    Example:
        >>> seasonal_scale([1.0, 2.0, 3.0, 6.0], season=2)
        3.0
    """
    past = _history(history, season)
    changes = abs(past[season:] - past[:-season])
    changes = changes[~np.isnan(changes)]
    return float(changes.mean()) if np.any(changes) else float("nan")


def seasonal_naive(history: Any, horizon: int, season: int) -> np.ndarray:
    """Forecasts the last season (m steps) of a series (T,) over and over: (H,).

    A missing value (NaN) is replaced by the last known one at the same place of the season; if
    there is none, as in a series shorter than a season, by the last known value.

    Example:
        >>> seasonal_naive([1.0, 2.0, 3.0, np.nan, 5.0], horizon=4, season=3).tolist()
        [3.0, 1.0, 5.0, 3.0]
    """
    past = _history(history, season)
    require_positive_int("horizon", horizon)
    last = past[~np.isnan(past)][-1]
    phases = [past[(len(past) + place) % season :: season] for place in range(season)]
    known = [phase[~np.isnan(phase)] for phase in phases]
    pattern = [phase[-1] if len(phase) else last for phase in known]
    return np.resize(np.array(pattern), horizon)


def naive2(history: Any, horizon: int, season: int) -> np.ndarray:
    """Forecasts the last value of a series (T,), adjusted by the season where there is one: (H,).

    The series is seasonal if it has three seasons of m steps and the autocorrelation at lag m is
    beyond the 90 % limits:

        |r_m| > 1.645 sqrt((1 + 2 (r_1^2 + ... + r_(m-1)^2)) / T)

    Then the factors of a classical multiplicative decomposition divide the last value and multiply
    the forecasts. A factor is the mean ratio of the values at one place of the season to their
    centred moving average over m steps, divided by the mean of all factors. Missing values (NaN)
    are interpolated first. If a factor is not positive, as in series with negative values, there is
    no adjustment.

    Source: Assimakopoulos and Nikolopoulos (2000); M4's guide for competitors (2018), Naive 2.
    """
    past = _interpolated(_history(history, season))
    require_positive_int("horizon", horizon)
    factors = _seasonal_factors(past, season) if _is_seasonal(past, season) else np.ones(season)
    if not (np.all(np.isfinite(factors)) and np.all(factors > 0)):
        factors = np.ones(season)
    steps = np.arange(len(past) - 1, len(past) + horizon) % season
    return past[-1] / factors[steps[0]] * factors[steps[1:]]


def _is_seasonal(past: np.ndarray, season: int) -> bool:
    centred = past - past.mean()
    power = centred @ centred
    if season == 1 or len(past) < 3 * season or power == 0:
        return False
    lags = range(1, season + 1)
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in lags]) / power
    spread = 1 + 2 * np.sum(correlations[:-1] ** 2)
    return bool(abs(correlations[-1]) > CRITICAL * np.sqrt(spread / len(past)))


def _seasonal_factors(past: np.ndarray, season: int) -> np.ndarray:
    """The factor of each place of the season, (m,), from the series' first value on."""
    weights = np.ones(season) if season % 2 else np.array([0.5, *[1.0] * (season - 1), 0.5])
    trend = np.convolve(past, weights / season, mode="valid")
    start = len(weights) // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = past[start : start + len(trend)] / trend
        places = np.arange(start, start + len(trend)) % season
        factors = np.bincount(places, ratios) / np.bincount(places)
        return factors / factors.mean()


def _interpolated(past: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(~np.isnan(past))
    return np.interp(np.arange(len(past)), known, past[known])


def _history(history: Any, season: int) -> np.ndarray:
    """A series' past as float64 (T,), with one known value at least."""
    require_positive_int("season", season)
    past = np.asarray(history, np.float64)
    if past.ndim != 1 or np.all(np.isnan(past)):
        raise InputError(
            f"a history must be one series (T,) with a value that is not NaN, got the shape "
            f"{past.shape} with {int((~np.isnan(past)).sum())} known values"
        )
    return past
