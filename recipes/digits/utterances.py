"""Recordings -> utterances: joined with pauses, the training split's other ones in each epoch."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.data.series.items import Series
from recipes.data.series.joining import joined
from recipes.training.batches import Encoded
from recipes.training.number_batches import NumberBatches

OFTEN = 2  # times that a recording is drawn, for an epoch or a fixed split


def utterances(
    recordings: Sequence[Series],
    most: int,
    rate: int,
    seed: int | Sequence[int],
    varied: bool = False,
) -> list[Series]:
    """Joins recordings to series of 1 to `most` of them; with `most` 1 they stay as they are.

    With `varied` pauses a model hears words in silence and in noise, and where a recording is cut
    closely.
    """
    if most == 1:
        return list(recordings)
    count = -(-OFTEN * 2 * len(recordings) // (most + 1))
    number = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return joined(recordings, count, number, most=most, rate=rate, varied=varied)


@dataclass(frozen=True)
class JoinedBatches(NumberBatches):
    """The batches of train: utterances of recordings, drawn by the run's seed and the epoch.

    Without a seed they are those of `encoded`.

    Args:
        recordings: The split's recordings.
        draw: Recordings and a seed -> the utterances as numbers.
    """

    recordings: Sequence[Series] = ()
    draw: Callable[[Sequence[Series], Sequence[int]], Encoded] | None = None

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Goes through an epoch's utterances once; see `SequenceBatches`."""
        if seed is None or self.draw is None:
            yield from super().__call__(seed, most)
            return
        rng = np.random.default_rng((*seed, 2))
        changed = self.recordings
        if self.augmentation.is_active:
            changed = [
                dataclasses.replace(
                    each, values=self.augmentation(each.values.astype(np.float32), rng)
                )
                for each in self.recordings
            ]
        drawn = self.draw(changed, seed)
        own = NumberBatches(drawn, self.batch_size, self.lengths, hop=self.hop)
        yield from own(seed, most)
