"""The built-in signals: three channels with the same three motifs, in six orders and timings.

Each series has each motif once, at random amplitudes, on random offsets and in noise. Its class is
the order of the motifs, of which there are three, and whether the middle one is nearer to the first
(`early`) or to the last (`late`). So means, variances and the motifs themselves distinguish no
classes: only their order and the time between them do.
"""

import numpy as np

from recipes.data.series.items import Series, SeriesSet

TRAIN, VALIDATION, TEST = 200, 40, 40  # series of each class
LENGTHS = (40, 120)  # time steps
ORDERS = ("abc", "bca", "cba")
TIMINGS = ("early", "late")
CLASSES = tuple(f"{order}-{timing}" for order in ORDERS for timing in TIMINGS)
COLUMNS = ("x", "y", "z")
MOTIF = 8  # time steps of a motif; 7 to 9 in a series
NOISE = 0.15
_PHASE = np.linspace(0, 1, 64)
# shapes of a motif: one hump, one wave, one ramp; and its weight in each channel
_SHAPES = {
    "a": (np.sin(np.pi * _PHASE), (1.0, -0.6, 0.4)),
    "b": (np.sin(2 * np.pi * _PHASE), (0.5, 1.0, -0.7)),
    "c": (2 * _PHASE - 1, (-0.6, 0.5, 1.0)),
}


def motif(name: str, length: int = MOTIF) -> np.ndarray:
    """The values of a motif of amplitude 1: float64 (length, 3).

    Example:
        >>> motif("c", 3).round(1).tolist()
        [[0.6, -0.5, -1.0], [-0.0, 0.0, 0.0], [-0.6, 0.5, 1.0]]
    """
    shape, weights = _SHAPES[name]
    values = np.interp(np.linspace(0, 1, length), _PHASE, shape)
    return values[:, None] * np.array(weights)


def generate(
    seed: int = 0, sizes: tuple[int, int, int] = (TRAIN, VALIDATION, TEST)
) -> dict[str, SeriesSet]:
    """Makes the sets of train, validation and test, of `sizes` series of each class."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, size in zip(("train", "validation", "test"), sizes, strict=True):
        labels = rng.permutation(np.repeat(CLASSES, size)).tolist()
        series = [
            Series(f"{name}-{number}", _values(rng, label), label=label)
            for number, label in enumerate(labels, start=1)
        ]
        found[name] = SeriesSet(series, COLUMNS)
    return found


def _values(rng: np.random.Generator, label: str) -> np.ndarray:
    """A series of a class: float64 (T, 3)."""
    order, timing = label.split("-")
    length = int(rng.integers(LENGTHS[0], LENGTHS[1] + 1))
    values = rng.normal(0, NOISE, (length, len(COLUMNS)))
    sizes = rng.integers(MOTIF - 1, MOTIF + 2, len(order)).tolist()
    pauses = _pauses(rng, length - sum(sizes), timing)
    start = 0
    for name, size, pause in zip(order, sizes, pauses, strict=True):
        start += pause
        values[start : start + size] += rng.uniform(0.7, 1.5) * motif(name, size)
        start += size
    return values + rng.normal(0, 1, len(COLUMNS))


def _pauses(rng: np.random.Generator, free: int, timing: str) -> list[int]:
    """The time steps before each motif: a short and a long one between them, 1 to 3 or more."""
    longest = max(free // 4, 3)
    short = int(rng.integers(1, longest // 2 + 1))
    long = int(rng.integers(2 * short + 1, 2 * short + longest))
    long = min(long, free - short)
    before = int(rng.integers(0, free - short - long + 1))
    return [before, *((short, long) if timing == "early" else (long, short))]
