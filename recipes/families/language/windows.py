"""Texts -> windows of equal width that follow each other, so that the state can be carried on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from recipes.training.batches import Encoded, SequenceBatches, bucket_lengths
from zoo.text import BOS, EOS, PAD


class Window(NamedTuple):
    """A piece of several texts beside each other.

    Attributes:
        token_ids: int32 (B, T), what is read; 0 = PAD on the right.
        target_ids: int32 (B, T), what follows each of them.
        first: Whether the rows begin with the initial state; else with that after the window
            before.
    """

    token_ids: np.ndarray
    target_ids: np.ndarray
    first: bool

    @property
    def num_tokens(self) -> int:
        """How many tokens are told."""
        return int(np.count_nonzero(self.token_ids))


def encoded(rows: Sequence[np.ndarray]) -> Encoded:
    """Texts' ids -> a split; a text of n tokens has n + 1 places: BOS and each token are read."""
    read = [np.concatenate([[BOS], row]).astype(np.int32) for row in rows]
    return Encoded(read, np.zeros(len(rows), np.int32))


def targets_of(row: np.ndarray) -> np.ndarray:
    """What follows each token of a text as it is read: its tokens and EOS."""
    return np.append(row[1:], EOS).astype(np.int32)


@dataclass(frozen=True)
class Streams:
    """All texts one after the other, cut into parallel streams: the state is carried throughout.

    Stream b goes on in row b of each window where the window before it ended. Every token is read
    once in an epoch; the last stream may end before the others, and the last window may be
    narrower.

    Args:
        encoded: The split.
        batch_size: B, streams.
        window: T, tokens of a window: gradients reach so far back (truncated backpropagation).
    """

    encoded: Encoded
    batch_size: int
    window: int

    @cached_property
    def text(self) -> tuple[np.ndarray, np.ndarray]:
        """All that is read, and what follows each token: int32 (N,) both."""
        rows = self.encoded.rows
        return np.concatenate(rows), np.concatenate([targets_of(row) for row in rows])

    @property
    def _length(self) -> int:
        return -(-len(self.text[0]) // self.batch_size)

    def __len__(self) -> int:
        return -(-self._length // self.window)

    def __call__(self, seed: tuple[int, int] | None = None) -> Iterator[Window]:
        """Goes through the split once.

        Args:
            seed: The run's seed and the epoch: the text is begun at a place drawn by them, so that
                windows begin and end elsewhere in each epoch. None begins at its start.
        """
        start = 0 if seed is None else int(np.random.default_rng(seed).integers(len(self.text[0])))
        tokens, targets = (self._streams(np.roll(ids, -start)) for ids in self.text)
        for place in range(0, self._length, self.window):
            part = slice(place, place + self.window)
            yield Window(tokens[:, part], targets[:, part], place == 0)

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The streams and the tokens of a window (B, T)."""
        return self.batch_size, min(self.window, self._length)

    def _streams(self, ids: np.ndarray) -> np.ndarray:
        missing = self._length * self.batch_size - len(ids)
        padded = np.pad(ids, (0, missing), constant_values=PAD)
        return padded.reshape(self.batch_size, self._length)

    @property
    def padding_share(self) -> float:
        """The share of the streams' places that hold padding, 0 to 1."""
        return 1 - len(self.text[0]) / (self._length * self.batch_size)


@dataclass(frozen=True)
class Documents:
    """Each text by itself: it begins with the initial state, whatever stood before it.

    Texts of like lengths come together; one that is longer than a window goes on in the next, with
    its state.

    Args:
        encoded: The split.
        batch_size: B, texts at a time.
        window: T, tokens of a window at most.
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
        """The texts and the tokens of a window (B, T) of the batch that takes most memory."""
        rows, longest = self._batches.largest_batch
        return rows, min(self.window, longest)

    def __call__(self, seed: tuple[int, int] | None = None) -> Iterator[Window]:
        """Goes through the split once, in an order drawn by the seed and the epoch."""
        for tokens, _, members in self._batches(seed):
            targets = np.zeros_like(tokens)
            for row, member in zip(targets, members, strict=True):
                found = targets_of(self.encoded.rows[member])
                row[: len(found)] = found
            longest = int(self.encoded.lengths[members].max())
            for place in range(0, longest, self.window):
                part = slice(place, place + self.window)
                yield Window(tokens[:, part], targets[:, part], place == 0)

    @property
    def padding_share(self) -> float:
        """The share of the batches' places that hold padding, 0 to 1."""
        return self._batches.padding_share
