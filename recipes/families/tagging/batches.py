"""Encoded sentences -> batches of a tagger's inputs and targets."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import keras
import numpy as np

from recipes.training.batches import SequenceBatches, padded
from zoo.losses import IGNORED

LETTERS_MULTIPLE = 4  # L is rounded up to a multiple, which gives fewer shapes


@dataclass(frozen=True)
class EncodedSentences:
    """An encoded split.

    Attributes:
        rows: For each sentence `token_ids` (T,), `character_ids` (T, L) and `casing_ids` (T,).
        labels: For each sentence its tags' ids (T,), -1 for a tag that train lacks.
        others: The ids of further kinds of tags by name, in the same form.
    """

    rows: list[dict[str, np.ndarray]]
    labels: list[np.ndarray]
    others: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Int (N,), tokens of each sentence."""
        return np.array([len(labels) for labels in self.labels], np.int64)


@dataclass(frozen=True)
class TagBatches(SequenceBatches):
    """The batches of a split of tagged sentences.

    Args:
        encoded: The split.
        batch_size: Sentences a batch.
        lengths: The lengths to pad to, ascending.
        inputs: Names of the model's inputs; `token_ids` alone is passed as an array.
    """

    encoded: Any
    inputs: tuple[str, ...] = ("token_ids", "character_ids", "casing_ids")

    def batch(self, members: np.ndarray) -> tuple[Any, Any]:
        """Returns the model's inputs and the tags of some sentences.

        The tags are int32 (B, T) with -1 in the padding, or with further tags a dict of `tags` and
        their names.
        """
        tags = self._labels(self.encoded.labels, members)
        if not self.encoded.others:
            return self.pad(members), tags
        others = self.encoded.others.items()
        further = {name: self._labels(labels, members) for name, labels in others}
        return self.pad(members), {"tags": tags, **further}

    def fitted(self, model: keras.Model) -> Self:
        """Returns batches with exactly the inputs of a model."""
        taken = tuple(model.input) if isinstance(model.input, dict) else ("token_ids",)
        return replace(self, inputs=taken)

    def _labels(self, labels: list[np.ndarray], members: np.ndarray) -> np.ndarray:
        return padded([labels[member] for member in members], self._width(members), IGNORED)

    def pad(self, members: np.ndarray) -> Any:
        """Returns the inputs of some sentences, padded on the right with 0 = PAD."""
        rows = [self.encoded.rows[member] for member in members]
        width = self._width(members)
        inputs = {name: _padded([row[name] for row in rows], width) for name in self.inputs}
        return inputs if len(inputs) > 1 else inputs["token_ids"]

    def weight(self, labels: Any) -> int:
        """Returns the number of real tokens, over which a batch's loss is a mean."""
        tags = labels["tags"] if isinstance(labels, dict) else labels
        return int((tags != IGNORED).sum())


def _padded(arrays: list[np.ndarray], width: int) -> np.ndarray:
    """Arrays (T,) or (T, L) -> int32 (B, width) or (B, width, L rounded up)."""
    shape: tuple[int, ...] = (len(arrays), width)
    if arrays[0].ndim == 2:
        longest = max(array.shape[1] for array in arrays)
        shape = (*shape, -(-longest // LETTERS_MULTIPLE) * LETTERS_MULTIPLE)
    result = np.zeros(shape, np.int32)
    for row, array in zip(result, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return result
