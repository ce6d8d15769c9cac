"""How good forecasts are: scores of points, quantiles and intervals beside the naive forecast."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes import plots
from recipes.data.series.items import SeriesSet
from recipes.data.series.windows import Windows
from recipes.forecasting.batches import WindowBatches
from recipes.forecasting.info import SeriesInfo
from recipes.training.backends import graph
from zoo.metrics import forecasting as scores
from zoo.metrics.naive import naive2, seasonal_naive, seasonal_scale

SHOWN = 6  # series in the picture of forecasts
STANDARD = ("mse", "mae")


@dataclass(frozen=True, eq=False)
class Measure:
    """What forecasts of a data set are compared with.

    Attributes:
        data: The series.
        info: Their columns.
        mean: Of each target in train, (D,).
        deviation: Likewise.
        folder: The run's.
    """

    data: SeriesSet
    info: SeriesInfo
    mean: np.ndarray
    deviation: np.ndarray
    folder: Path

    def scores(
        self, windows: Windows, quantiles: np.ndarray, levels: list[float], insample: Any
    ) -> dict[str, Any]:
        """The scores of quantiles (W, H, D, Q), and those of the seasonal naive forecast.

        `insample` has, for each series, the number of its steps that scale MASE and MSIS.
        """
        targets = windows.batch().targets
        median = quantiles[..., levels.index(0.5)]
        scales = self.scales(insample)[windows.series].reshape(-1)
        naive = self.naive(windows)
        found: dict[str, Any] = self._standardized(targets, median)
        found |= scores.point_scores(_rows(targets), _rows(median), scales)
        found |= scores.quantile_scores(_rows(targets), _rows(quantiles), levels, scales)
        baseline = self._standardized(targets, naive)
        baseline |= scores.point_scores(_rows(targets), _rows(naive), scales)
        kept = ("standardized_mse", "standardized_mae", "mae", "rmse", "smape", "mase")
        found["seasonal_naive"] = {name: baseline[name] for name in kept}
        if len(windows) == len(self.data.series):  # one window a series, as in M4
            second = self.naive2(windows)
            found["owa"] = scores.owa(_rows(targets), _rows(median), scales, _rows(second))
            found["naive2"] = {
                name: scores.point_scores(_rows(targets), _rows(second), scales)[name]
                for name in ("smape", "mase")
            }
        empty = [name for name in ("missing_targets", "unscaled_series") if not found[name]]
        return _known({name: value for name, value in found.items() if name not in empty})

    def _standardized(self, targets: np.ndarray, forecasts: np.ndarray) -> dict[str, float]:
        """Errors in units of each column's standard deviation in train."""
        one = (targets - self.mean) / self.deviation
        other = (forecasts - self.mean) / self.deviation
        return {
            f"standardized_{name}": getattr(scores, name)(_rows(one), _rows(other))
            for name in STANDARD
        }

    def scales(self, insample: Any) -> np.ndarray:
        """The mean seasonal change of each series and target: (N, D)."""
        places = self.info.places(self.data)[: self.info.targets]
        found = np.full((len(self.data.series), len(places)), np.nan)
        for row, (each, end) in enumerate(zip(self.data.series, insample, strict=True)):
            for column, place in enumerate(places):
                past = each.values[:end, place]
                if np.isfinite(past).any():
                    found[row, column] = seasonal_scale(past, self.info.season)
        return found

    def naive(self, windows: Windows) -> np.ndarray:
        """The seasonal naive forecast of each window: (W, H, D)."""
        return self._by_history(windows, seasonal_naive, 3 * self.info.season)

    def naive2(self, windows: Windows) -> np.ndarray:
        """The naive forecast of each window, adjusted by the season: (W, H, D)."""
        return self._by_history(windows, naive2, 0)

    def _by_history(self, windows: Windows, forecast: Any, steps: int) -> np.ndarray:
        places = self.info.places(self.data)[: self.info.targets]
        found = np.full((len(windows), windows.horizon, len(places)), np.nan)
        pairs = zip(windows.series.tolist(), windows.positions.tolist(), strict=True)
        for row, (series, position) in enumerate(pairs):
            first = max(0, position - steps) if steps else 0
            past = self.data.series[series].values[first:position]
            for column, place in enumerate(places):
                if np.isfinite(past[:, place]).any():
                    found[row, :, column] = forecast(
                        past[:, place], windows.horizon, self.info.season
                    )
        return found


def _known(found: dict[str, Any]) -> dict[str, Any]:
    """The scores that are numbers: there is no MASE where no series has a scale."""
    parts = {
        name: _known(value) if isinstance(value, dict) else value for name, value in found.items()
    }
    return {name: value for name, value in parts.items() if value == value}


def _rows(values: np.ndarray) -> np.ndarray:
    """(W, H, D, ...) as a row for each window and column: (W D, H, ...)."""
    moved = np.moveaxis(values, 2, 1)
    return moved.reshape(-1, *moved.shape[2:])


def forecasts(model: keras.Model, batches: WindowBatches) -> np.ndarray:
    """The quantiles of a split, in its order: (W, H, D, Q)."""
    forecast = graph(lambda inputs: model.forecast(inputs)["quantiles"])
    parts = []
    for inputs, _, _ in batches():
        own = {name: value for name, value in inputs.items() if name != "targets"}
        parts.append(keras.ops.convert_to_numpy(forecast(own)))
    return np.concatenate(parts)


def draw(
    directory: Path,
    measure: Measure,
    windows: Windows,
    quantiles: np.ndarray,
    levels: list[float],
) -> None:
    """Draws `forecasts.png`, a few series, and `coverage.png`, how often intervals hold."""
    rows = np.linspace(0, len(windows) - 1, min(SHOWN, len(windows))).astype(int)
    names, histories, times = [], [], []
    place = measure.info.places(measure.data)[0]
    several = len(measure.info.columns) > 1 or not measure.data.series[0].name
    for series, position in zip(windows.series[rows], windows.positions[rows], strict=True):
        each, end = measure.data.series[series], int(position)
        names.append(f"{each.name} {measure.info.columns[0] if several else ''}".strip())
        histories.append(each.values[:end, place])
        if each.times is not None:
            times.append(each.times[: end + windows.horizon])
    plots.forecast_fans(
        names,
        histories,
        quantiles[rows, :, 0],
        levels,
        directory / "forecasts.png",
        actual=windows.batch(rows).targets[:, :, 0],
        times=times if len(times) == len(rows) else None,
    )
    targets = _rows(windows.batch().targets)
    covered = {
        nominal: scores.coverage(targets, _rows(quantiles[..., low]), _rows(quantiles[..., high]))
        for nominal, (low, high) in scores.central_intervals(levels).items()
    }
    if covered:
        plots.coverage_by_horizon(covered, directory / "coverage.png")
