"""Random numbers for the rows of a batch, each from its own seed: those of `zoo.decoding`."""

from typing import Any

import numpy as np

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
HALF = 2.0**-32


def uniform(seed: Any, rows: int, steps: int) -> np.ndarray:
    """Uniform numbers in [0, 1), one for each row and step: float64 (B, T), of 32 random bits each.

    A number depends on the row's seed and the step; seeds are int (B,), one a row. With one int for
    all rows it also depends on the place of the row.

    Example:
        >>> bool((uniform([7, 7], 2, 5)[0] == uniform(7, 1, 5)[0]).all())
        True
    """
    seeds = np.asarray(seed, np.uint32)
    place = np.arange(rows, dtype=np.uint32) * np.uint32(seeds.ndim == 0)
    size = [rows, steps]
    first = np.broadcast_to(np.broadcast_to(seeds, [rows])[:, None], size)
    count = np.broadcast_to(np.arange(steps, dtype=np.uint32)[None], size)
    return threefry(first, np.broadcast_to(place[:, None], size), count) * HALF


def threefry(seed: np.ndarray, place: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Threefry-2x32 with 20 rounds: random bits, uint32, of the key (seed, place) and a counter.

    Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011), section 3.3.
    """
    keys = [seed, place, seed ^ place ^ np.uint32(PARITY)]
    first, second = count + keys[0], np.zeros_like(count) + keys[1]
    for group in range(5):
        for bits in ROTATIONS[group % 2]:
            first = first + second
            second = (second << np.uint32(bits) | second >> np.uint32(32 - bits)) ^ first
        first = first + keys[(group + 1) % 3]
        second = second + keys[(group + 2) % 3] + np.uint32(group + 1)
    return first
