"""Sequences of many lengths -> batches of a few lengths, with little padding, in a seeded order."""

import bisect
import math
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from zoo.system import bounded_batches

_MOST_CELLS = 600_000  # distinct lengths times buckets up to which bucket_lengths is exact
MEASURED_TOKENS = 2**15  # of a batch when a split is measured, padding counted


class LabelledBatches(Protocol):
    """The batches of a split, whatever its examples are: token ids, vectors or other numbers."""

    @property
    def encoded(self) -> Sized:
        """The split's examples as numbers."""

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The examples and the steps of each (B, T) of the batch that takes most memory."""

    @property
    def padding_share(self) -> float:
        """The share of the batches' places that hold padding, 0 to 1."""

    def __len__(self) -> int:
        """The number of batches."""

    def __call__(self, seed: tuple[int, int] | None = None) -> Iterator[Any]:
        """Goes through the split once: shuffled by the run's seed and the epoch, or in order.

        Yields:
            Inputs, labels, and the examples' places in the split; or what the recipe's own
            `epochs` takes.
        """

    def weight(self, labels: Any) -> int:
        """The number of examples or tokens that a batch's mean loss is a mean over."""


@dataclass(frozen=True)
class Encoded:
    """A split as numbers: token ids, or values, without padding and a label for each example."""

    rows: list[np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Int (N,), tokens of each example."""
        return np.array([len(row) for row in self.rows], np.int64)


def bucket_lengths(lengths: np.ndarray, buckets: int) -> list[int]:
    """The lengths to pad to that need the least padding over examples of some lengths, int (N,).

    Exact, by dynamic programming over the D distinct lengths, in time and memory proportional to
    D times `buckets`: the cost of a bucket is its length times the number of examples in it. Where
    that product is above 600,000, only as many of the distinct lengths, evenly spread among
    them, may be chosen, so that the result is near the best one.

    Returns:
        At most `buckets` lengths, in ascending order; the last is the longest example's.

    Example:
        >>> bucket_lengths(np.array([2, 2, 3, 9, 10]), 2)
        [3, 10]
    """
    distinct, counts = np.unique(lengths, return_counts=True)
    if len(distinct) <= buckets:
        return [int(size) for size in distinct]
    ends = np.arange(len(distinct))
    if len(distinct) * buckets > _MOST_CELLS:
        number = max(buckets, _MOST_CELLS // buckets)
        ends = np.unique(np.linspace(0, len(distinct) - 1, min(number, len(distinct))).astype(int))
    sizes = [int(size) for size in distinct[ends]]
    below = [0, *(int(count) for count in np.cumsum(counts)[ends])]
    if len(sizes) <= buckets:
        return sizes
    best: list[float] = [0, *[math.inf] * len(sizes)]
    choices = []
    for _ in range(buckets):
        best, choice = _one_more_bucket(best, sizes, below)
        choices.append(choice)
    found, end = [], len(sizes)
    for choice in reversed(choices):
        found.append(sizes[end - 1])
        end = int(choice[end])
    return sorted(found)


def _one_more_bucket(
    best: Sequence[float], sizes: Sequence[int], below: Sequence[int]
) -> tuple[list[float], np.ndarray]:
    """Adds a bucket behind the best choices of the buckets before it.

    `best` has the least cost of the first i lengths, for i = 0 to D, infinite where there is none;
    `below` has the number of examples below each of the D ascending `sizes`, and at the end all of
    them. Returns the costs with one bucket more, and int32 (D + 1,), how many lengths are in the
    buckets before it; of equal choices the smallest.

    The cost of lengths i to j - 1 in one bucket is sizes[j - 1] * (below[j] - below[i]), so that
    for each j the best i is the lowest of the lines best[i] - below[i] * x at x = sizes[j - 1].
    Their slopes fall and x rises: only lines of the lower hull are kept, and those that are passed
    are not checked again.
    """
    after = [math.inf] * len(best)
    choice = np.zeros(len(best), np.int32)
    hull: list[int] = []
    front = 0
    for end in range(1, len(best)):
        new = end - 1
        if best[new] < math.inf:
            while len(hull) - front > 1 and _hides(best, below, hull[-2], hull[-1], new):
                hull.pop()
            hull.append(new)
        if len(hull) == front:
            continue
        size = sizes[end - 1]
        while len(hull) - front > 1 and (
            best[hull[front + 1]] - below[hull[front + 1]] * size
            < best[hull[front]] - below[hull[front]] * size
        ):
            front += 1
        after[end] = best[hull[front]] + size * (below[end] - below[hull[front]])
        choice[end] = hull[front]
    return after, choice


def _hides(best: Sequence[float], below: Sequence[int], left: int, middle: int, right: int) -> bool:
    """Whether the middle one of three lines is nowhere below both others; slopes fall."""
    first = (best[middle] - best[left]) * (below[right] - below[left])
    return first >= (best[right] - best[left]) * (below[middle] - below[left])


@dataclass(frozen=True)
class SequenceBatches:
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
        order = np.argsort(bucket, kind="stable")
        borders = np.searchsorted(bucket[order], np.arange(1, len(self.lengths) + 1))
        return np.split(order, borders)

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

    def bounded(self, most: int) -> list[np.ndarray]:
        """The examples of each batch for measuring: by length, and smaller ones of long examples.

        A batch has `most` tokens at most, padding counted; a longer example is one by itself.
        """
        lengths = self.encoded.lengths
        batches = []
        for members in self.plan:
            ordered = members[np.argsort(lengths[members], kind="stable")]
            widths = [self._width(ordered[[place]]) for place in range(len(ordered))]
            found = bounded_batches.batches(widths, self.batch_size, most)
            batches += [ordered[places] for places in found]
        return batches

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Goes through the split once.

        Args:
            seed: The run's seed and the epoch, or None for no shuffling.
            most: Tokens of a batch at most without a seed, as `bounded` takes it; 0 = any.

        Yields:
            Inputs and labels as `batch` gives them, and the examples' places in the split (B,).
        """
        for members in self.bounded(most) if most else self.order(seed):
            yield *self.batch(members), members

    def batch(self, members: np.ndarray) -> tuple[Any, Any]:
        """The inputs and the labels of some examples: token ids int32 (B, T), labels (B,)."""
        return self.pad(members), self.encoded.labels[members]

    def pad(self, members: np.ndarray) -> np.ndarray:
        """The examples' token ids as int32 (B, T), 0 = PAD on the right."""
        return padded([self.encoded.rows[member] for member in members], self._width(members))

    def _width(self, members: np.ndarray) -> int:
        longest = int(self.encoded.lengths[members].max())
        place = bisect.bisect_left(self.lengths, longest)
        return self.lengths[place] if place < len(self.lengths) else longest

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


def padded(rows: Sequence[np.ndarray], width: int, fill: int = 0) -> np.ndarray:
    """The rows as int32 (B, `width`), with `fill` on the right."""
    table = np.full((len(rows), width), fill, np.int32)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table


def summary(classes: int, vocabulary: int, batches: SequenceBatches) -> str:
    """The line about a text's classes, tokens and batches before training."""
    lengths = ", ".join(map(str, batches.lengths[:20])) + (", ..." * (len(batches.lengths) > 20))
    return (
        f"classes: {classes}; vocabulary: {vocabulary:,} tokens; batches of {lengths} tokens, "
        f"{batches.padding_share:.1%} of their places padding"
    )
