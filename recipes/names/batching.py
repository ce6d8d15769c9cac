"""Names as numbers -> batches of what a decoder reads, and of what it is to tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.families.language.windows import encoded, targets_of
from recipes.training.batches import Batches, Encoded
from zoo.losses import IGNORED


def encode(names: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> Encoded:
    """Names' ids -> a split; a name of n letters has n + 1 places: BOS and each letter are read."""
    return Encoded(encoded(names).rows, np.asarray(labels, np.int32))


@dataclass(frozen=True)
class NameBatches(Batches):
    """The batches of a split: a class and a name each, and the letters that follow."""

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Goes through the split once.

        Args:
            seed: The run's seed and the epoch, or None for no shuffling.
            most: Tokens of a batch at most without a seed, as `bounded` takes it; 0 = any.

        Yields:
            `class_ids` int32 (B,) and `token_ids` int32 (B, T), BOS first, 0 = PAD on the right;
            the targets int32 (B, T), EOS last, -1 in the padding; and the names' places in the
            split (B,).
        """
        for members in self.bounded(most) if most else self.order(seed):
            token_ids = self.pad(members)
            targets = np.full_like(token_ids, IGNORED)
            for row, member in zip(targets, members, strict=True):
                name = self.encoded.rows[member]
                row[: len(name)] = targets_of(name)
            class_ids = self.encoded.labels[members]
            yield {"class_ids": class_ids, "token_ids": token_ids}, targets, members

    def weight(self, labels: np.ndarray) -> int:
        """What a batch's mean loss is a mean over: its real letters, ends counted."""
        return int((labels != IGNORED).sum())
