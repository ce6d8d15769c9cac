"""The built-in sales: counts by shop and day over three years, with promotions known in advance.

The mean of a day is the shop's size times a trend, the season of the week and of the year, the
effect of a promotion (less on the days after it) and of the days before a holiday, on which shops
are closed. Counts are negative binomial around it; a few are missing.
"""

import numpy as np

from recipes.data.series.items import Series, SeriesSet

SHOPS = ("north", "south", "east", "west", "harbour", "market", "station", "park")
FIRST, DAYS, AHEAD = np.datetime64("2022-01-01", "D"), 1096, 28  # the last: days of plans known
HOLIDAYS = ("01-01", "05-01", "10-03", "12-25", "12-26")
WEEK = np.array([0.85, 0.8, 0.9, 1.0, 1.3, 1.55, 0.6])  # from Monday on
MISSING = 0.004  # probability of a value
PROMOTED, AFTER = 1.6, 0.85  # times the mean during a promotion, and for some days after it
SHAPE = 12.0  # of the negative binomial: the variance is mean + mean^2 / shape


def generate(seed: int = 0) -> SeriesSet:
    """Makes one series for each shop: sales, with promotions and holidays for 28 days more."""
    rng = np.random.default_rng(seed)
    days = FIRST + np.arange(DAYS + AHEAD)
    closed = np.isin([str(day)[5:] for day in days], HOLIDAYS)
    series = []
    for name in SHOPS:
        size = float(rng.uniform(20, 90))
        promotion = _promotions(rng, len(days))
        mean = size * _season(rng, days, closed) * _effect(promotion)
        counts = rng.poisson(mean * rng.gamma(SHAPE, 1 / SHAPE, len(days))).astype(np.float64)
        counts[closed] = 0
        counts[rng.random(len(days)) < MISSING] = np.nan
        series.append(
            Series(
                name,
                counts[:DAYS, None],
                days[:DAYS].astype("datetime64[s]"),
                future=np.stack([promotion, closed.astype(np.float64)], axis=1),
                static=np.array([np.log(size)]),
            )
        )
    names = ("promotion", "holiday")
    return SeriesSet(series, ("sales",), names, ("log_size",), np.timedelta64(86_400, "s"))


def _promotions(rng: np.random.Generator, count: int) -> np.ndarray:
    """1 on the days of promotions, of 4 to 10 days with 2 to 7 weeks between them: (count,)."""
    found = np.zeros(count)
    day = int(rng.integers(0, 30))
    while day < count:
        length = int(rng.integers(4, 11))
        found[day : day + length] = 1
        day += length + int(rng.integers(14, 50))
    return found


def _season(rng: np.random.Generator, days: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """Trend, week, year and the days before a holiday, as factors: (days,)."""
    number = days.astype(np.int64)
    weekday = (number + 3) % 7  # 1970-01-01 was a Thursday
    year = 2 * np.pi * ((days - days.astype("datetime64[Y]")) / np.timedelta64(1, "D")) / 365.25
    depth, peak = rng.uniform(0.1, 0.3), rng.uniform(0, 2 * np.pi)
    trend = 1 + rng.uniform(-0.15, 0.35) * np.arange(len(days)) / len(days)
    soon = np.zeros(len(days), bool)
    for late in (1, 2):
        soon[:-late] |= closed[late:]
    return trend * WEEK[weekday] * (1 + depth * np.cos(year - peak)) * np.where(soon, 1.35, 1)


def _effect(promotion: np.ndarray) -> np.ndarray:
    """The factor of promotions, and of the five days after each: (days,)."""
    after = np.zeros(len(promotion), bool)
    for late in range(1, 6):
        after[late:] |= promotion[:-late] > 0
    return np.where(promotion > 0, PROMOTED, np.where(after, AFTER, 1))
