"""Texts -> consecutive windows of equal width, for truncated backpropagation through time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from recipes.training.batches import Encoded, SequenceBatches, bucket_lengths, padded
from zoo.text import BOS, EOS, PAD


class Window(NamedTuple):
    """A batch of windows.

    Attributes:
        token_ids: int32 (B, T), the inputs; 0 = PAD on the right.
        target_ids: int32 (B, T), the token after each input.
        first: Whether the rows start from the initial state; otherwise from the final state of the
            previous window.
    """

    token_ids: np.ndarray
    target_ids: np.ndarray
    first: bool

    @property
    def num_tokens(self) -> int:
        """Number of predicted tokens."""
        return int(np.count_nonzero(self.token_ids))


def encoded(rows: Sequence[np.ndarray]) -> Encoded:
    """Returns a split of texts' ids; n tokens give n + 1 inputs: BOS and each token."""
    read = [np.concatenate([[BOS], row]).astype(np.int32) for row in rows]
    return Encoded(read, np.zeros(len(rows), np.int32))


def targets_of(row: np.ndarray) -> np.ndarray:
    """Returns the targets of a text's inputs: its tokens and EOS."""
    return np.append(row[1:], EOS).astype(np.int32)


@dataclass(frozen=True)
class Streams:
    """All texts concatenated and cut into parallel streams, so that states pass between windows.

    Row b of each window continues row b of the previous one. An epoch reads every token once; the
    last stream may be shorter than the others, and the last window narrower.

    Args:
        encoded: The split.
        batch_size: B, number of streams.
        window: T, tokens per window: gradients are truncated at its start.
    """

    encoded: Encoded
    batch_size: int
    window: int

    @cached_property
    def text(self) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and targets of all texts, int32 (N,) both."""
        rows = self.encoded.rows
        return np.concatenate(rows), np.concatenate([targets_of(row) for row in rows])

    @property
    def _length(self) -> int:
        return -(-len(self.text[0]) // self.batch_size)

    def __len__(self) -> int:
        return -(-self._length // self.window)

    def __call__(self, seed: tuple[int, int] | None = None) -> Iterator[Window]:
        """Iterates over the split once.

        Args:
            seed: The run's seed and the epoch, from which a starting position is drawn, so that
                each epoch has other windows. None starts at the beginning.
        """
        start = 0 if seed is None else int(np.random.default_rng(seed).integers(len(self.text[0])))
        tokens, targets = (self._streams(np.roll(ids, -start)) for ids in self.text)
        for place in range(0, self._length, self.window):
            part = slice(place, place + self.window)
            yield Window(tokens[:, part], targets[:, part], place == 0)

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The shape of a window (B, T)."""
        return self.batch_size, min(self.window, self._length)

    def _streams(self, ids: np.ndarray) -> np.ndarray:
        missing = self._length * self.batch_size - len(ids)
        padded = np.pad(ids, (0, missing), constant_values=PAD)
        return padded.reshape(self.batch_size, self._length)

    @property
    def padding_share(self) -> float:
        """Fraction of padding in the streams, 0 to 1."""
        return 1 - len(self.text[0]) / (self._length * self.batch_size)


@dataclass(frozen=True)
class Documents:
    """Separate texts, each of which starts from the initial state.

    Texts of similar length are batched together; a text longer than a window continues in the next
    one, with its state.

    Args:
        encoded: The split.
        batch_size: B, texts per batch.
        window: T, tokens per window at most.
        buckets: Number of lengths that texts are padded to.
    """

    encoded: Encoded
    batch_size: int
    window: int
    buckets: int

    @cached_property
    def _batches(self) -> SequenceBatches:
        lengths = bucket_lengths(self.encoded.lengths, self.buckets)
        return SequenceBatches(self.encoded, self.batch_size, lengths)

    def __len__(self) -> int:
        return sum(1 for _ in self())

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The shape of a window (B, T) of the batch that needs most memory."""
        rows, longest = self._batches.largest_batch
        return rows, min(self.window, longest)

    def __call__(self, seed: tuple[int, int] | None = None) -> Iterator[Window]:
        """Iterates over the split once, in an order drawn by the seed and the epoch."""
        for tokens, _, members in self._batches(seed):
            rows = [targets_of(self.encoded.rows[member]) for member in members]
            targets = padded(rows, tokens.shape[1], PAD)
            longest = int(self.encoded.lengths[members].max())
            for place in range(0, longest, self.window):
                part = slice(place, place + self.window)
                yield Window(tokens[:, part], targets[:, part], place == 0)

    @property
    def padding_share(self) -> float:
        """Fraction of padding in the batches, 0 to 1."""
        return self._batches.padding_share
