"""Windows of series -> the inputs and the labels of a forecaster, in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recipes.data.series.windows import Batch, Windows

SMALLEST = 0.1  # size of a value that an error is divided by, in units of the series' scale
MEASURED = 256  # windows of a batch when a split is measured


@dataclass(frozen=True, eq=False)
class WindowBatches:
    """The batches of a split.

    Args:
        encoded: The windows.
        batch_size: Windows a batch.
        columns: The places of the values in the order that the model reads them, targets first.
        weights: Of each series and target, float32 (N, D): 1 / what errors are divided by.
        relative: Of each target, float32 (D,): what is added to that, divided by a value's size.
        most: Windows of an epoch at most; 0 = all.
        fed: Whether the inputs contain the targets, for a model that is fed with them.
    """

    encoded: Windows
    batch_size: int
    columns: Sequence[int]
    weights: np.ndarray
    relative: np.ndarray | None = None
    most: int = 0
    fed: bool = False

    def __len__(self) -> int:
        """The number of batches of an epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def rows(self) -> int:
        """The number of windows of an epoch."""
        return min(self.most, len(self.encoded)) if self.most else len(self.encoded)

    def __call__(
        self, seed: tuple[int, int] | None = None
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
        """Goes through the split once: shuffled by the run's seed and the epoch, or in order.

        Yields:
            The inputs by name; the labels float32 (B, H, D, 2), value and weight, NaN and 0 where
            a value is missing; the windows' places (B,).
        """
        order, size = np.arange(len(self.encoded)), MEASURED
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)[: self.rows]
            size = self.batch_size
        for start in range(0, len(order), size):
            members = order[start : start + size]
            yield *self.batch(members), members

    def batch(self, members: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The inputs and the labels of some windows."""
        read = self.encoded.batch(members)
        inputs = inputs_of(read, self.columns)
        if self.fed:
            inputs["targets"] = read.targets
        weights = self.weights[self.encoded.series[members]][:, None]
        if self.relative is not None:
            weights = weights + self.relative / np.maximum(np.abs(read.targets), SMALLEST / weights)
        weights = np.where(np.isfinite(read.targets), weights, np.float32(0))
        return inputs, np.stack([read.targets, weights], axis=-1)

    @property
    def largest_batch(self) -> tuple[int, int]:
        """The windows and the steps of a batch, those that are forecast included."""
        return self.batch_size, self.encoded.look_back + self.encoded.horizon

    @property
    def padding_share(self) -> float:
        """The share of the pasts that is padding, 0 to 1."""
        lengths = np.minimum(self.encoded.positions, self.encoded.look_back)
        return float(1 - lengths.mean() / self.encoded.look_back)

    def weight(self, labels: np.ndarray) -> int:
        """What a batch's mean loss is a mean over: its known values."""
        return int(np.count_nonzero(labels[..., 1]))


def inputs_of(read: Batch, columns: Sequence[int]) -> dict[str, np.ndarray]:
    """The inputs of a model from the arrays of windows."""
    past = read.past[..., list(columns)]
    inputs = {
        "values": np.concatenate([past, read.past_covariates], axis=-1),
        "lengths": read.past_lengths,
    }
    if read.future.shape[-1]:
        inputs["future"] = read.future
    if read.static.shape[-1]:
        inputs["static"] = read.static
    return inputs
