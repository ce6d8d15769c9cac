"""How long to train where the user does not say: epochs and patience by the size of the data."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EXPONENT = 0.6  # below 1, so that a smaller training split always costs less time in all
MOST = 100  # epochs


@dataclass(frozen=True)
class EpochRule:
    """The number of epochs as a function of the size N of the training split.

    epochs(N) = least * (reference / N)^0.6, rounded up, from `least` to 100. A split of a tenth of
    the reference size gets four times as many epochs and 40 % as many steps; a split that is larger
    than the reference gets `least`. Patience keeps its share of the epochs, because an epoch of few
    steps changes the validation score little.

    Args:
        least: Epochs for the reference size and above.
        reference: The size for which `least` was chosen, in `unit`.
        patience: Epochs without a better validation score before training stops, at that size.
        unit: What N counts, in the plural, for the printed line.
    """

    least: int
    reference: int
    patience: int
    unit: str = "training rows"

    def epochs(self, size: int) -> int:
        """Returns the epochs for a training split of `size`.

        Example:
            >>> rule = EpochRule(least=3, reference=22_500, patience=2)
            >>> [rule.epochs(size) for size in (1_600, 22_500, 1_000_000)]
            [15, 3, 3]
        """
        factor = max(1.0, (self.reference / max(size, 1)) ** EXPONENT)
        return min(max(MOST, self.least), _up(self.least * factor))

    def patience_for(self, size: int) -> int:
        """Returns the patience, in epochs, for a training split of `size`."""
        return _up(self.patience * self.epochs(size) / self.least)


def _up(count: float) -> int:
    """Rounds up, but not because of a last bit."""
    return math.ceil(round(count, 6))


def size_of(train: Sequence[Any]) -> int:
    """Returns the size of a training split: its examples, or the characters of plain text."""
    if train and isinstance(train[0], str):
        return sum(map(len, train))
    return len(train)


def settled(config: Any, size: int) -> Any:
    """Returns the configuration with `epochs`, `patience` and the recipe's `by_size` options set.

    What the user gave is kept; None means not given. `size` is that of the training split, after
    `--train-fraction`. `--keep-epoch` raises a chosen number of epochs to that epoch.
    """
    changes = config.by_size(size)
    if config.epochs is None and "epochs" not in changes:
        changes["epochs"] = max(config.RULE.epochs(size), config.keep_epoch)
    if config.patience is None and "patience" not in changes:
        changes["patience"] = config.RULE.patience_for(size)
    return dataclasses.replace(config, **changes) if changes else config


def line_of(config: Any, size: int) -> str:
    """Returns the line that reports a settled number of epochs for a training split of `size`."""
    return (
        f"epochs: {config.epochs} at most ({size:,} {config.RULE.unit}; --epochs sets another "
        f"number), patience {config.patience}"
    )
