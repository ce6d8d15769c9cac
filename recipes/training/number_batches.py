"""Series of many lengths -> batches of values and lengths, changed at random in training."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.training.augmentation import Augmentation
from recipes.training.batches import SequenceBatches
from zoo.layers.numeric import pad_series

DRAWS = 1  # beside the seed of the order: those of the changes


@dataclass(frozen=True)
class NumberBatches(SequenceBatches):
    """The batches of a split whose rows are series, float32 (T, F).

    Args:
        hop: Steps of a series that a model reads as one: those of a spectrum of a waveform.
        augmentation: What is changed where the batches are shuffled, as in training.
    """

    hop: int = 1
    augmentation: Augmentation = Augmentation()

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Goes through the split once; see `SequenceBatches`."""
        if seed is None or not self.augmentation.is_active:
            yield from super().__call__(seed, most)
            return
        rng = np.random.default_rng((*seed, DRAWS))
        for members in self.order(seed):
            rows = [self.augmentation(self.encoded.rows[member], rng) for member in members]
            inputs = pad_series(rows, self._width(members))
            yield inputs, self.encoded.labels[members], members

    def pad(self, members: np.ndarray) -> Any:
        """The examples as `values` float32 (B, T, F), 0 on the right, and `lengths` int32 (B,)."""
        return pad_series([self.encoded.rows[member] for member in members], self._width(members))

    def bounded(self, most: int) -> list[np.ndarray]:
        """As of `SequenceBatches`; `most` counts the steps that a model reads."""
        return super().bounded(most * self.hop)

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The examples, and the steps that a model reads, of the largest batch."""
        rows, steps = super().largest_batch
        return rows, -(-steps // self.hop)
