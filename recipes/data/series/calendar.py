"""Calendar covariates from time stamps, which are known for the future too.

Each part of the calendar is a phase p from 0 up to 1, such as 0.25 at 6 o'clock, given as
sin(2 pi p) and cos(2 pi p): the end of a day is then next to its beginning.
"""

from dataclasses import replace

import numpy as np

from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.times import along

_DAY = np.timedelta64(1, "D")
_MONDAY = 3  # 1970-01-01, day 0 of NumPy, was a Thursday


def calendar(
    times: np.ndarray, step: np.timedelta64, horizon: int = 0
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Makes sine and cosine of the phases that vary from step to step.

    The hour of the day if the step is no whole number of days; the day of the week if it is no
    whole number of weeks; the day of the month if it is shorter than a month; the month of the
    year if it is no whole number of years.

    Args:
        times: datetime64[s] (T,), evenly spaced.
        step: Time between them; in months for months.
        horizon: Steps H after the last one.

    Returns:
        float64 (T + H, G), and the names of the G columns.

    Example:
        >>> values, names = calendar(np.array(["2024-01-01T06"], "M8[s]"), np.timedelta64(6, "h"))
        >>> names[:4], values[0, :4].round(3).tolist()
        (('hour_sin', 'hour_cos', 'weekday_sin', 'weekday_cos'), [1.0, 0.0, 0.0, 1.0])
    """
    stamps = along(times[0], step, len(times) + horizon)
    phases = _phases(stamps, step)
    columns = [wave(2 * np.pi * phase) for phase in phases.values() for wave in (np.sin, np.cos)]
    names = tuple(f"{name}_{wave}" for name in phases for wave in ("sin", "cos"))
    values = np.stack(columns, axis=1) if columns else np.zeros((len(stamps), 0))
    return values, names


def _phases(stamps: np.ndarray, step: np.timedelta64) -> dict[str, np.ndarray]:
    days, months = stamps.astype("datetime64[D]"), stamps.astype("datetime64[M]")
    found = {}
    in_months = np.datetime_data(step.dtype)[0] == "M"
    if not in_months and step % _DAY:
        found["hour"] = (stamps - days) / _DAY
    if not in_months and step % (7 * _DAY):
        found["weekday"] = (days.astype(np.int64) + _MONDAY) % 7 / 7
    if not in_months and step < 28 * _DAY:
        length = (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")
        found["day"] = (days - months) / length
    if step.astype(np.int64) % 12 if in_months else step < 365 * _DAY:
        found["month"] = months.astype(np.int64) % 12 / 12
    return found


def with_calendar(data: SeriesSet, horizon: int) -> SeriesSet:
    """Adds calendar covariates to the others; data without time stamps stays as it is.

    They reach `horizon` steps after the values, or as far as the other covariates do.
    """
    if data.step is None or any(each.times is None for each in data.series):
        return data
    names: tuple[str, ...] = ()
    found: list[Series] = []
    for each in data.series:
        assert each.times is not None
        made, names = calendar(each.times, data.step, horizon)
        if each.future is not None:
            rows = min(len(made), len(each.future))
            made = np.concatenate([each.future[:rows], made[:rows]], axis=1)
        found.append(replace(each, future=made))
    return replace(data, series=found, future_columns=data.future_columns + names)
