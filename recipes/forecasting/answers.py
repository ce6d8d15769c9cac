"""The answers of a served forecaster to files of series: numbers, a table and a picture."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from recipes import plots
from recipes.data.series.calendar import with_calendar
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.reading import read
from recipes.data.series.times import along
from recipes.data.series.windows import ahead
from recipes.forecasting.batches import inputs_of
from recipes.forecasting.config import reading_of
from recipes.forecasting.evaluation import Measure
from recipes.forecasting.info import SeriesInfo
from zoo.errors import InputError
from zoo.metrics.forecasting import central_intervals
from zoo.system import durable

SHOWN = 6  # series in a picture or in a table
EXAMPLES = 3  # series in the file of examples


def answer(signatures: Any, path: str, options: Any, number: int = 1) -> dict[str, Any]:
    """Forecasts the series of a file; the pictures of the second one and later are numbered.

    Returns:
        `file`, `picture` (the PNG written, or ""), and `series`: for each the `name`, and for each
        target under `forecasts` the `time` of each step, the median `forecast`, and the
        `quantiles` by level.

    Raises:
        InputError: The file cannot be read, or has other columns than the model.
    """
    described = signatures["description"](streams=tf.range(1))["description"].numpy()[0]
    info = SeriesInfo.from_mapping(json.loads(described), "the exported model")
    data = read(path, reading_of(options, info.reading))
    if info.calendar:
        data = with_calendar(data, info.horizon)
    places = info.places(data)
    windows = ahead(data, info.look_back, info.horizon, places[: info.targets])
    inputs = inputs_of(windows.batch(), places)
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    found = {n: v.numpy() for n, v in signatures["serving_default"](**tensors).items()}
    for each, valid in zip(data.series, found["valid"], strict=True):
        if not valid:
            raise InputError(
                f"{path}: series {each.name!r} has a missing value among its last "
                f"{info.look_back}, and the model was trained without: fill it in, or train with "
                "--missing indicator"
            )
    levels = [round(float(level), 6) for level in found["levels"][0]]
    rows = [
        _row(each, data, info, found["quantiles"][place], levels)
        for place, each in enumerate(data.series)
    ]
    picture = ""
    if options.picture:
        place = Path(options.picture)
        place = place if number == 1 else place.with_stem(f"{place.stem}-{number}")
        picture = str(place)
        _draw(place, data, info, found["quantiles"], levels)
    return {"file": str(path), "picture": picture, "series": rows}


def _row(
    series: Series, data: SeriesSet, info: SeriesInfo, quantiles: np.ndarray, levels: list[float]
) -> dict[str, Any]:
    """One series' answer."""
    times = _times(series, data, info.horizon)
    forecasts = {
        name: {
            "time": times,
            "forecast": quantiles[:, place, levels.index(0.5)].tolist(),
            "quantiles": {
                str(level): quantiles[:, place, q].tolist() for q, level in enumerate(levels)
            },
        }
        for place, name in enumerate(info.columns[: info.targets])
    }
    return {"name": series.name, "forecasts": forecasts}


def _times(series: Series, data: SeriesSet, horizon: int) -> list[Any]:
    """The time stamps of the steps that are forecast; their numbers, from 1, without times."""
    if series.times is None or data.step is None:
        return list(range(1, horizon + 1))
    stamps = along(series.times[0], data.step, len(series) + horizon)[len(series) :]
    return [str(stamp).replace("T", " ").removesuffix(" 00:00:00") for stamp in stamps]


def _draw(
    path: Path, data: SeriesSet, info: SeriesInfo, quantiles: np.ndarray, levels: list[float]
) -> None:
    place, some = info.places(data)[0], data.series[:SHOWN]
    starts = [each.times[0] for each in some if each.times is not None]
    times = None
    if data.step is not None and len(starts) == len(some):
        times = [
            along(start, data.step, len(each) + info.horizon)
            for start, each in zip(starts, some, strict=True)
        ]
    plots.forecast_fans(
        [each.name or info.columns[0] for each in some],
        [each.values[:, place] for each in some],
        quantiles[: len(some), :, 0],
        levels,
        path,
        times=times,
    )


def table(row: dict[str, Any]) -> str:
    """The forecasts as a table for the terminal."""
    lines = []
    for series in row["series"][:SHOWN]:
        for column, found in series["forecasts"].items():
            levels = [float(level) for level in found["quantiles"]]
            intervals = central_intervals(levels)
            heads = ["time", "median", *(f"{100 * share:g} %" for share in intervals)]
            cells = [heads]
            values = list(found["quantiles"].values())
            for step, time in enumerate(found["time"]):
                bounds = [
                    f"{_number(values[low][step])} to {_number(values[high][step])}"
                    for low, high in intervals.values()
                ]
                cells.append([str(time), _number(found["forecast"][step]), *bounds])
            lines.append(f"{series['name']} {column}".strip())
            lines += _aligned(cells)
    if len(row["series"]) > SHOWN:
        lines.append(f"and {len(row['series']) - SHOWN} more series: --json prints all")
    if row["picture"]:
        lines.append(f"picture: {row['picture']}")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]


def example(measure: Measure) -> Path:
    """Writes the history of a few series into the run's folder, as a file for `predict`."""
    info, data = measure.info, measure.data
    path = measure.folder / "example.csv"
    own = [
        name for name in data.future_columns if name in info.reading["covariate_columns"].split(",")
    ]
    places = [data.future_columns.index(name) for name in own]
    series_column, *_ = (info.reading["series_column"] or "series").split(",")
    time_column = info.reading["time_column"].split(",")[0]
    with durable.replacing(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        heads = [series_column] if info.reading["series_column"] else []
        timed = data.step is not None
        writer.writerow(
            [*heads, *([time_column] if timed else []), *data.columns, *own, *data.static_columns]
        )
        for each in data.series[:EXAMPLES]:
            _write(writer, each, info, places, bool(heads), timed)
    return path


def _write(
    writer: Any, each: Series, info: SeriesInfo, places: list[int], named: bool, timed: bool
) -> None:
    """Writes a series up to `horizon` steps before its end, and the covariates of these steps."""
    end = len(each) - info.horizon
    last = len(each) if places else end
    for step in range(max(0, end - 2 * info.look_back), last):
        cells: list[Any] = [each.name] if named else []
        if timed and each.times is not None:
            cells.append(str(each.times[step]).replace("T", " "))
        values = each.values[step]
        cells += ["" if step >= end or np.isnan(v) else f"{v:.10g}" for v in values]
        if each.future is not None:
            cells += [f"{each.future[step, place]:.10g}" for place in places]
        if each.static is not None:
            cells += [f"{value:.10g}" for value in each.static]
        writer.writerow(cells)
