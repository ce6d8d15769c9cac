"""Forecasting metrics, in float64: errors of points, quantiles and intervals.

Targets and forecasts are (N, H): a row for each series (or window, or column of a multivariate
series), H steps. NaN in the targets, where a value is missing or a row is shorter, is left out. A
mean over nothing is NaN.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.errors import InputError

MSIS_ALPHA = 0.05


def mae(targets: Any, forecasts: Any) -> float:
    """The mean absolute error over all N H values, mean |y - f|."""
    errors, real = _errors(targets, forecasts)
    return _mean(abs(errors), real)


def mse(targets: Any, forecasts: Any) -> float:
    """The mean squared error over all N H values, mean (y - f)^2."""
    errors, real = _errors(targets, forecasts)
    return _mean(errors**2, real)


def rmse(targets: Any, forecasts: Any) -> float:
    """The root of the mean squared error over all N H values."""
    return float(np.sqrt(mse(targets, forecasts)))


def smape(targets: Any, forecasts: Any) -> float:
    """The symmetric mean absolute percentage error of M4, 0 to 200 percent.

        mean over series, mean over steps of 200 |y - f| / (|y| + |f|);   0 where y = f = 0

    Source: Makridakis, Spiliotis and Assimakopoulos, The M4 Competition (2020), equation 1.

    Example:
        >>> smape([[1.0, 0.0, np.nan]], [[3.0, 0.0, 5.0]])
        50.0
    """
    errors, real = _errors(targets, forecasts)
    sizes = abs(np.where(real, targets, 0.0)) + abs(np.asarray(forecasts, np.float64))
    shares = 200 * np.divide(abs(errors), sizes, out=np.zeros_like(errors), where=sizes != 0)
    return _mean_of_rows(shares, real)


def mase(targets: Any, forecasts: Any, scales: Any) -> float:
    """The mean absolute scaled error: each series' mean absolute error divided by its scale.

        mean over series of (mean over steps of |y - f|) / scale

    Args:
        targets: (N, H).
        forecasts: (N, H).
        scales: (N,), `seasonal_scale` of each series; a series whose scale is NaN is left out.

    Source: Hyndman and Koehler, International Journal of Forecasting 22 (2006).
    """
    errors, real = _errors(targets, forecasts)
    return _mean_of_rows(*_scaled(abs(errors), real, scales))


def owa(targets: Any, forecasts: Any, scales: Any, baseline: Any) -> float:
    """The overall weighted average of M4: sMAPE and MASE relative to the forecasts of a baseline.

        (sMAPE / sMAPE of the baseline + MASE / MASE of the baseline) / 2

    Args:
        targets: (N, H).
        forecasts: (N, H).
        scales: (N,), as of `mase`.
        baseline: (N, H); in M4 the rows are those of `naive2`.
    """
    relative_smape = smape(targets, forecasts) / smape(targets, baseline)
    return (relative_smape + mase(targets, forecasts, scales) / mase(targets, baseline, scales)) / 2


def quantile_losses(targets: Any, quantiles: Any, levels: Sequence[float]) -> np.ndarray:
    """The quantile loss ("pinball") of each value and level, (N, H, Q): NaN where the target is.

        max(q (y - f_q), (q - 1) (y - f_q))

    Args:
        targets: (N, H).
        quantiles: f, (N, H, Q).
        levels: q, (Q,), above 0, below 1 and increasing.
    """
    values, bounds = np.asarray(targets, np.float64), np.asarray(quantiles, np.float64)
    shares = np.asarray(levels, np.float64)
    if not np.all((shares > 0) & (shares < 1)) or np.any(np.diff(shares) <= 0):
        raise InputError(f"levels must increase from above 0 to below 1, got {list(levels)}")
    if bounds.shape != (*values.shape, len(shares)):
        raise InputError(
            f"quantiles must have the shape {(*values.shape, len(shares))}, of the targets "
            f"{values.shape} and {len(shares)} levels, got {bounds.shape}"
        )
    errors = values[..., None] - bounds
    return np.maximum(shares * errors, (shares - 1) * errors)


def quantile_loss(targets: Any, quantiles: Any, levels: Sequence[float]) -> float:
    """The mean of `quantile_losses` over all values and levels."""
    losses = quantile_losses(targets, quantiles, levels)
    return _mean(losses, ~np.isnan(losses))


def weighted_quantile_loss(targets: Any, quantiles: Any, levels: Sequence[float]) -> float:
    """The quantile losses of all values relative to the values' size (wQL), mean over the levels.

        mean over q of (2 sum of the losses at q) / (sum of |y|)

    Source: Salinas, Flunkert and Gasthaus, DeepAR, arXiv:1704.04110, section 4.2 (rho-risk).
    """
    losses = quantile_losses(targets, quantiles, levels)
    size = np.nansum(abs(np.asarray(targets, np.float64)))
    return float(2 * np.nansum(losses) / losses.shape[-1] / size) if size else float("nan")


def crps(targets: Any, quantiles: Any, levels: Sequence[float]) -> float:
    """The continuous ranked probability score, from quantiles; mean over all values.

        CRPS(y) = integral over q from 0 to 1 of 2 max(q (y - f_q), (q - 1) (y - f_q))

    Each level counts for the range of levels that are nearest to it; of the median
    alone the score is the absolute error.

    Source: Gneiting and Ranjan, Comparing density forecasts (2011), equation 14.
    """
    losses = quantile_losses(targets, quantiles, levels)
    borders = [0.0, *(np.add(levels[1:], levels[:-1]) / 2), 1.0]
    scores = 2 * losses @ np.diff(borders)
    return _mean(scores, ~np.isnan(scores))


def msis(targets: Any, lower: Any, upper: Any, scales: Any, alpha: float = MSIS_ALPHA) -> float:
    """The mean scaled interval score of the intervals that miss a share alpha of the values.

        mean over series of (mean over steps of
            (u - l) + 2 / alpha (l - y) [y < l] + 2 / alpha (y - u) [y > u]) / scale

    Args:
        targets: y, (N, H).
        lower: l, (N, H): the quantiles at alpha / 2.
        upper: u, (N, H): the quantiles at 1 - alpha / 2.
        scales: (N,), as of `mase`.
        alpha: 0.05 for intervals of 95 %, as in M4.

    Source: Gneiting and Raftery (2007), equation 43; M4's guide for competitors (2018).
    """
    below, real = _errors(lower, targets, of=targets)
    above, _ = _errors(targets, upper)
    width = np.asarray(upper, np.float64) - np.asarray(lower, np.float64)
    scores = width + 2 / alpha * (np.maximum(below, 0) + np.maximum(above, 0))
    return _mean_of_rows(*_scaled(scores, real, scales))


def coverage(targets: Any, lower: Any, upper: Any) -> np.ndarray:
    """The share of targets in their intervals, bounds included, at each step: (H,), 0 to 1."""
    below, real = _errors(lower, targets, of=targets)
    above, _ = _errors(targets, upper)
    inside = (below <= 0) & (above <= 0) & real
    count = real.sum(axis=0)
    return np.where(count > 0, inside.sum(axis=0) / np.maximum(count, 1), np.nan)


def central_intervals(levels: Sequence[float]) -> dict[float, tuple[int, int]]:
    """The central intervals among levels: nominal coverage -> the places of both bounds.

    Example:
        >>> central_intervals([0.025, 0.1, 0.5, 0.9, 0.975])
        {0.95: (0, 4), 0.8: (1, 3)}
    """
    places = {round(level, 9): place for place, level in enumerate(levels)}
    pairs = {low: round(1 - low, 9) for low in places if low < 0.5}
    return {
        round(high - low, 9): (places[low], places[high])
        for low, high in pairs.items()
        if high in places
    }


def point_scores(targets: Any, forecasts: Any, scales: Any) -> dict[str, float]:
    """MAE, RMSE, MSE, sMAPE and MASE, and what they leave out.

    Returns:
        `mae`, `rmse`, `mse`, `smape` (percent), `mase`, `missing_targets` (the number of values
        that are NaN) and `unscaled_series` (the number of series without a scale, left out of
        MASE).
    """
    return {
        "mae": mae(targets, forecasts),
        "rmse": rmse(targets, forecasts),
        "mse": mse(targets, forecasts),
        "smape": smape(targets, forecasts),
        "mase": mase(targets, forecasts, scales),
        "missing_targets": int(np.isnan(np.asarray(targets, np.float64)).sum()),
        "unscaled_series": int(np.isnan(np.asarray(scales, np.float64)).sum()),
    }


def quantile_scores(
    targets: Any, quantiles: Any, levels: Sequence[float], scales: Any
) -> dict[str, float]:
    """The scores of quantiles (N, H, Q), and of the central intervals among them.

    Returns:
        `quantile_loss`, `weighted_quantile_loss`, `crps`, `coverage_P` (0 to 1, over all steps) for
        each central interval of P percent, and `msis` where that of 95 percent is among them.
    """
    scores = {
        "quantile_loss": quantile_loss(targets, quantiles, levels),
        "weighted_quantile_loss": weighted_quantile_loss(targets, quantiles, levels),
        "crps": crps(targets, quantiles, levels),
    }
    bounds = np.moveaxis(np.asarray(quantiles, np.float64), -1, 0)
    for nominal, (low, high) in central_intervals(levels).items():
        flat = [np.reshape(each, (-1, 1)) for each in (targets, bounds[low], bounds[high])]
        scores[f"coverage_{100 * nominal:g}"] = float(coverage(*flat)[0])
        if nominal == round(1 - MSIS_ALPHA, 9):
            scores["msis"] = msis(targets, bounds[low], bounds[high], scales)
    return scores


def _errors(first: Any, second: Any, of: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The difference (N, H) of the first and the second, and where the targets are known."""
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.ndim != 2 or one.shape != other.shape:
        raise InputError(
            f"targets and forecasts must have the same shape, (series, steps), got {one.shape} and "
            f"{other.shape}"
        )
    real = ~np.isnan(one if of is None else np.asarray(of, np.float64))
    return np.where(real, one - other, 0.0), real


def _scaled(scores: np.ndarray, real: np.ndarray, scales: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N, H) divided by the series' scales; series without one are not real."""
    sizes = np.asarray(scales, np.float64)
    if sizes.shape != scores.shape[:1]:
        raise InputError(
            f"scales must have one number for each of {scores.shape[0]} series, got the shape "
            f"{sizes.shape}"
        )
    known = ~np.isnan(sizes)
    return scores / np.where(known, sizes, 1.0)[:, None], real & known[:, None]


def _mean(values: np.ndarray, real: np.ndarray) -> float:
    return float(values[real].mean()) if real.any() else float("nan")


def _mean_of_rows(values: np.ndarray, real: np.ndarray) -> float:
    """The mean over rows of their means over the real entries; rows without any are left out."""
    counts = real.sum(axis=1)
    means = np.where(real, values, 0.0).sum(axis=1) / np.maximum(counts, 1)
    return _mean(means, counts > 0)
