"""Sequences of recordings with pauses: single words -> utterances of several words."""

from collections.abc import Sequence

import numpy as np

from recipes.data.series.items import Series
from zoo.errors import require_positive_int


def joined(
    recordings: Sequence[Series],
    count: int,
    seed: int,
    *,
    most: int = 6,
    rate: int,
    pauses: tuple[float, float] = (0.05, 0.3),
    noise: float = 0.002,
    varied: bool = False,
) -> list[Series]:
    """Draws utterances of 1 to `most` recordings, at random and each as often as the others.

    Pauses are before, between and after them, filled with noise. With `varied` they are like those
    of any microphone and any cut: the noise of an utterance is up to ten times louder or softer,
    or there is none at all in a quarter of them; and half of the utterances begin without a pause,
    and half end without one.

    Args:
        recordings: What is joined, (T, 1) each.
        count: The number of utterances.
        seed: The same seed gives the same utterances.
        most: The most recordings of one.
        rate: Samples per second.
        pauses: The shortest and the longest pause, in seconds.
        noise: Standard deviation of the samples in a pause.
        varied: Vary the noise, and leave out pauses at the ends.

    Returns:
        Series with the labels of their recordings, with blanks between them: `3 1 4`.
    """
    require_positive_int("count", count)
    require_positive_int("most", most)
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, most + 1, count).tolist()
    found = []
    waiting: list[int] = []
    for number, length in enumerate(lengths, start=1):
        while len(waiting) < length:
            waiting += rng.permutation(len(recordings)).tolist()
        chosen, waiting = [recordings[place] for place in waiting[:length]], waiting[length:]
        loud = noise
        if varied:
            loud *= float(rng.choice([0.0, 10 ** rng.uniform(-1, 1)], p=[0.25, 0.75]))
        pieces = [_pause(rng, rate, pauses, loud)]
        for each in chosen:
            pieces += [each.values.astype(np.float32), _pause(rng, rate, pauses, loud)]
        if varied:
            begin, end = rng.integers(0, 2, 2)
            pieces = pieces[begin : len(pieces) - end]
        label = " ".join(each.label for each in chosen)
        found.append(Series(str(number), np.concatenate(pieces), label=label))
    return found


def _pause(
    rng: np.random.Generator, rate: int, seconds: tuple[float, float], noise: float
) -> np.ndarray:
    count = int(rate * rng.uniform(*seconds))
    return rng.normal(0, noise, (count, 1)).astype(np.float32)
