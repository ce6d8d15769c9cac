"""Sequences of many lengths -> batches of a few lengths, with little padding, in a seeded order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Encoded:
    """A split as numbers: token ids without padding and a label id for each example."""

    rows: list[np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Int (N,), tokens of each example."""
        return np.array([len(row) for row in self.rows], np.int64)


def bucket_lengths(lengths: np.ndarray, buckets: int) -> list[int]:
    """The lengths to pad to that need the least padding over all examples.

    Exact, by dynamic programming over the distinct lengths: the cost of a bucket is its length
    times the number of examples in it.

    Args:
        lengths: int (N,), tokens of each example.
        buckets: How many different lengths there may be.

    Returns:
        At most `buckets` lengths, in ascending order; the last is the longest example's.

    Example:
        >>> bucket_lengths(np.array([2, 2, 3, 9, 10]), 2)
        [3, 10]
    """
    sizes, counts = np.unique(lengths, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])  # below[i]: examples shorter than sizes[i]
    count = len(sizes)
    best = np.full(count + 1, np.inf)
    best[0] = 0
    choices: list[np.ndarray] = []
    for _ in range(min(buckets, count)):
        # after[i, j]: the cost if sizes i to j - 1 are one bucket behind what was best for i
        after = best[:, None] + (below[None, :] - below[:, None]) * np.append(0, sizes)[None, :]
        after[np.tril_indices(count + 1)] = np.inf
        choices.append(after.argmin(axis=0))
        best = after.min(axis=0)
    ends, end = [], count
    for choice in reversed(choices):
        ends.append(int(sizes[end - 1]))
        end = int(choice[end])
    return sorted(ends)


@dataclass(frozen=True)
class Batches:
    """The batches of a split.

    Args:
        encoded: The split.
        batch_size: Examples a batch; the last one of a length may be smaller.
        lengths: The lengths to pad to, ascending; a longer example gets a batch of its own length.
    """

    encoded: Encoded
    batch_size: int
    lengths: Sequence[int]

    @cached_property
    def plan(self) -> list[np.ndarray]:
        """The examples of each length in the order of the split."""
        bucket = np.searchsorted(np.asarray(self.lengths), self.encoded.lengths)
        return [np.flatnonzero(bucket == number) for number in range(len(self.lengths) + 1)]

    def __len__(self) -> int:
        return sum(-(-len(members) // self.batch_size) for members in self.plan)

    def order(self, seed: tuple[int, int] | None) -> list[np.ndarray]:
        """Which examples come together: shuffled by the seed, or as they stand."""
        rng = None if seed is None else np.random.default_rng(seed)
        batches = []
        for members in self.plan:
            mixed = members if rng is None else rng.permutation(members)
            steps = range(0, len(mixed), self.batch_size)
            batches += [mixed[start : start + self.batch_size] for start in steps]
        if rng is not None:
            batches = [batches[number] for number in rng.permutation(len(batches))]
        return batches

    def __call__(
        self, seed: tuple[int, int] | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Goes through the split once.

        Args:
            seed: The run's seed and the epoch, or None for no shuffling.

        Yields:
            Token ids int32 (B, T), labels (B,), and the examples' places in the split (B,).
        """
        for members in self.order(seed):
            yield self.pad(members), self.encoded.labels[members], members

    def pad(self, members: np.ndarray) -> np.ndarray:
        """The examples' token ids as int32 (B, T), 0 = PAD on the right."""
        token_ids = np.zeros((len(members), self._width(members)), np.int32)
        for row, member in enumerate(members):
            token_ids[row, : len(self.encoded.rows[member])] = self.encoded.rows[member]
        return token_ids

    def _width(self, members: np.ndarray) -> int:
        longest = int(self.encoded.lengths[members].max())
        return next((length for length in self.lengths if length >= longest), longest)

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The examples and the tokens of each (B, T) of the batch that takes most memory."""
        sizes = [(len(m), int(self.encoded.lengths[m].max())) for m in self.order(None)]
        return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))

    def weight(self, labels: np.ndarray) -> int:
        """What a batch's mean loss is a mean over: its examples."""
        return len(labels)

    @property
    def padding_share(self) -> float:
        """The share of the batches' places that hold padding, 0 to 1."""
        places = sum(self._width(members) * len(members) for members in self.order(None))
        return float(1 - self.encoded.lengths.sum() / places)


def summary(classes: int, vocabulary: int, batches: Batches) -> str:
    """What is told of a text's classes, tokens and batches before training."""
    lengths = ", ".join(map(str, batches.lengths))
    return (
        f"classes: {classes}; vocabulary: {vocabulary:,} tokens; batches of {lengths} tokens, "
        f"{batches.padding_share:.1%} of their places padding"
    )
