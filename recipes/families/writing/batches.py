"""Encoded texts and labels -> batches of a decoder's inputs and targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.families.language.windows import encoded, targets_of
from recipes.training.batches import Encoded, SequenceBatches
from zoo.losses import IGNORED


def encode(texts: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> Encoded:
    """Returns a split of texts' ids; n tokens give n + 1 inputs: BOS and each token."""
    return Encoded(encoded(texts).rows, np.asarray(labels, np.int32))


@dataclass(frozen=True)
class WritingBatches(SequenceBatches):
    """The batches of a split: labels, texts and targets."""

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Iterates over the split once.

        Args:
            seed: The run's seed and the epoch, or None for no shuffling.
            most: Tokens of a batch at most without a seed, as `bounded` takes it; 0 = any.

        Yields:
            `class_ids` int32 (B,) and `token_ids` int32 (B, T), BOS first, 0 = PAD on the right;
            the targets int32 (B, T), EOS last, -1 in the padding; and the texts' indices in the
            split (B,).
        """
        for members in self.bounded(most) if most else self.order(seed):
            token_ids = self.pad(members)
            targets = np.full_like(token_ids, IGNORED)
            for row, member in zip(targets, members, strict=True):
                text = self.encoded.rows[member]
                row[: len(text)] = targets_of(text)
            class_ids = self.encoded.labels[members]
            yield {"class_ids": class_ids, "token_ids": token_ids}, targets, members

    def weight(self, labels: np.ndarray) -> int:
        """Returns the number of real tokens, EOS included, over which a batch's loss is a mean."""
        return int((labels != IGNORED).sum())
