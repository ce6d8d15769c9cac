"""Encoded pairs -> batches of source ids, target ids and labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.training.batches import padded
from zoo.losses import IGNORED
from zoo.text import BOS, EOS, PAD

POOL = 64  # batches whose pairs are sorted together


@dataclass(frozen=True)
class EncodedPairs:
    """An encoded split: ids of each source and target, without padding, BOS and EOS."""

    sources: list[np.ndarray]
    targets: list[np.ndarray]

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets):
            raise ValueError(
                f"number of sources must be that of targets, got {len(self.sources)} and "
                f"{len(self.targets)}: encode both sides of the same pairs"
            )

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Int (N, 2), length of each source and target, EOS or BOS included."""
        sides = (self.sources, self.targets)
        return np.array([[len(row) + 1 for row in side] for side in sides], np.int64).T


Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class PairBatches:
    """The batches of a split: pairs of similar lengths.

    With a seed the pairs are shuffled, sorted by the lengths of target and source within pools of
    64 batches, and the batches shuffled. Without a seed all pairs are sorted.

    Args:
        encoded: The split.
        batch_size: Pairs per batch; the last batch of a pool may be smaller.
        step: T_x and T_y are multiples of it, so that there are few shapes.
    """

    encoded: EncodedPairs
    batch_size: int
    step: int = 8

    def __len__(self) -> int:
        return -(-len(self.encoded) // self.batch_size)

    def order(self, seed: tuple[int, int] | None) -> list[np.ndarray]:
        """Returns the indices of the pairs of each batch; without a seed they are not shuffled."""
        lengths = self.encoded.lengths
        if seed is None:
            return self._cut(_sorted(np.arange(len(lengths)), lengths))
        rng = np.random.default_rng(seed)
        mixed = rng.permutation(len(lengths))
        size = POOL * self.batch_size
        pools = [mixed[start : start + size] for start in range(0, len(mixed), size)]
        batches = [batch for pool in pools for batch in self._cut(_sorted(pool, lengths))]
        return [batches[number] for number in rng.permutation(len(batches))]

    def bounded(self, most: int) -> list[np.ndarray]:
        """Returns the indices of the pairs of each batch for evaluation, in order of length.

        A batch's longer side has `most` tokens at most, padding included; a longer pair has a batch
        of its own.
        """
        lengths = self.encoded.lengths
        batches: list[np.ndarray] = []
        batch: list[int] = []
        for member in _sorted(np.arange(len(lengths)), lengths):
            widest = max(self._widths(lengths[[*batch, member]]))
            if batch and (len(batch) == self.batch_size or (len(batch) + 1) * widest > most):
                batches.append(np.array(batch))
                batch = []
            batch.append(int(member))
        return [*batches, np.array(batch)] if batch else batches

    def _cut(self, members: np.ndarray) -> list[np.ndarray]:
        steps = range(0, len(members), self.batch_size)
        return [members[start : start + self.batch_size] for start in steps]

    def __call__(
        self, seed: tuple[int, int] | None = None, most: int = 0
    ) -> Iterator[tuple[Inputs, np.ndarray, np.ndarray]]:
        """Iterates over the split once.

        Args:
            seed: The run's seed and the epoch, or None for no shuffling.
            most: Tokens of a batch at most without a seed, as `bounded` takes it; 0 = any.

        Yields:
            `source_ids` int32 (B, T_x), EOS last, and `target_ids` int32 (B, T_y), BOS first, both
            with 0 = PAD on the right; the labels int32 (B, T_y), the token after each target
            id, EOS last, -1 in the padding; and the pairs' indices in the split (B,).
        """
        encoded = self.encoded
        for members in self.bounded(most) if most else self.order(seed):
            sources = [encoded.sources[member] for member in members]
            targets = [encoded.targets[member] for member in members]
            widths = self._widths(encoded.lengths[members])
            inputs = {
                "source_ids": padded([np.append(row, EOS) for row in sources], widths[0], PAD),
                "target_ids": padded([np.append(BOS, row) for row in targets], widths[1], PAD),
            }
            labels = padded([np.append(row, EOS) for row in targets], widths[1], IGNORED)
            yield inputs, labels, members

    def _widths(self, lengths: np.ndarray) -> tuple[int, int]:
        """Returns T_x and T_y of a batch."""
        longest = -(-lengths.max(axis=0) // self.step) * self.step
        return int(longest[0]), int(longest[1])

    @property
    def largest_batch(self) -> tuple[int, int]:
        """Number of pairs and length of the shorter side (B, T) of the largest batch."""
        lengths = self.encoded.lengths
        sizes = [(len(m), int(lengths[m].max(axis=0).min())) for m in self.order(None)]
        return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))

    def weight(self, labels: np.ndarray) -> int:
        """Returns the number of real tokens, EOS included, over which a batch's loss is a mean."""
        return int((labels != IGNORED).sum())

    @property
    def padding_share(self) -> float:
        """Fraction of padding on both sides in a shuffled epoch, 0 to 1."""
        lengths = self.encoded.lengths
        places = sum(
            sum(self._widths(lengths[members])) * len(members) for members in self.order((0, 0))
        )
        return float(1 - lengths.sum() / places)


def _sorted(members: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Sorts by length of target, then of source; the sort is stable."""
    sources, targets = lengths[members].T
    return members[np.lexsort((sources, targets))]
