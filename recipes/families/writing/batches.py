"""Encoded texts and labels -> batches of a decoder's inputs and targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.families.language.windows import encoded, targets_of
from recipes.training.batches import Encoded, SequenceBatches, padded
from zoo.losses import IGNORED


def encode(texts: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> Encoded:
    """Returns a split of texts' ids; n tokens give n + 1 inputs: BOS and each token."""
    return Encoded(encoded(texts).rows, np.asarray(labels, np.int32))


@dataclass(frozen=True)
class WritingBatches(SequenceBatches):
    """The batches of a split: labels, texts and targets."""

    def batch(self, members: np.ndarray) -> tuple[Any, Any]:
        """Returns the inputs and the targets of some texts.

        `class_ids` int32 (B,) and `token_ids` int32 (B, T), BOS first, 0 = PAD on the right; the
        targets int32 (B, T), EOS last, -1 in the padding.
        """
        inputs = {"class_ids": self.encoded.labels[members], "token_ids": self.pad(members)}
        targets = [targets_of(self.encoded.rows[member]) for member in members]
        return inputs, padded(targets, self._width(members), IGNORED)

    def weight(self, labels: np.ndarray) -> int:
        """Returns the number of real tokens, EOS included, over which a batch's loss is a mean."""
        return int((labels != IGNORED).sum())
