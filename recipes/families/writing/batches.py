"""Texts and labels as numbers -> batches of a decoder's inputs and targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.families.language.windows import encoded, targets_of
from recipes.training.batches import Encoded, SequenceBatches
from zoo.losses import IGNORED


def encode(texts: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> Encoded:
    """The ids of texts -> a split; n tokens have n + 1 places: BOS and each token are read."""
    return Encoded(encoded(texts).rows, np.asarray(labels, np.int32))


@dataclass(frozen=True)
class WritingBatches(SequenceBatches):
    """The batches of a split: a label and a text each, and the tokens that follow."""

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Goes through the split once.

        Args:
            seed: The run's seed and the epoch, or None for no shuffling.
            most: Tokens of a batch at most without a seed, as `bounded` takes it; 0 = any.

        Yields:
            `class_ids` int32 (B,) and `token_ids` int32 (B, T), BOS first, 0 = PAD on the right;
            the targets int32 (B, T), EOS last, -1 in the padding; and the texts' places in the
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
        """What a batch's mean loss is a mean over: its real tokens, ends counted."""
        return int((labels != IGNORED).sum())
