"""A backtest on a rolling origin: a model of its own for each of the last origins."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipes.config import read_json, write_json
from recipes.data.series.time_splits import Borders, folds
from recipes.data.series.windows import Windows, windows_of
from recipes.forecasting.evaluation import Measure
from zoo.system import durable

FOLDER, RESULT = "folds", "result.json"
REPORTED = ("mae", "rmse", "smape", "mase", "standardized_mse", "standardized_mae", "msis")

Score = Callable[[dict[str, Windows], Borders, Path], dict[str, Any]]


def run(measure: Measure, config: Any, directory: Path, score: Score) -> dict[str, Any]:
    """Trains and measures a model for each origin; what is there already is not done again.

    Args:
        measure: The series and their columns.
        config: The run's options; `folds` is the number of origins, one horizon apart.
        directory: The run's folder; each fold has a folder in it.
        score: Trains a model on windows with their borders in a folder, and returns its scores on
            the windows of test.

    Returns:
        `folds`, and for each score its mean, its standard deviation over the folds, and the mean
        of the seasonal naive forecast's.
    """
    found = []
    targets = measure.info.places(measure.data)[: measure.info.targets]
    for number, borders in enumerate(folds(measure.data, config.folds, config.horizon), 1):
        folder = directory / FOLDER / str(number)
        if not (folder / RESULT).exists():
            durable.make_folder(folder)
            print(f"fold {number} of {config.folds}", flush=True)
            sizes = (config.look_back, config.horizon)
            windows = windows_of(
                measure.data, borders, *sizes, stride=config.stride, targets=targets
            )
            write_json(folder / RESULT, score(windows, borders, folder))
        found.append(read_json(folder / RESULT, dict))
    return summary(found)


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of each score over the folds, its spread, and that of the naive forecast."""
    rows: dict[str, Any] = {"folds": len(found)}
    for name in REPORTED:
        values = [each[name] for each in found if name in each]
        if values:
            rows[name] = statistics.fmean(values)
            rows[f"{name}_spread"] = statistics.stdev(values) if len(values) > 1 else 0.0
        naive = [each["seasonal_naive"][name] for each in found if name in each["seasonal_naive"]]
        if naive:
            rows.setdefault("seasonal_naive", {})[name] = statistics.fmean(naive)
    return rows
