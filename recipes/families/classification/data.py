"""The `--data` option of a recipe that gives a text one label."""

from collections.abc import Callable, Sequence
from typing import Any

from recipes.data import labelled
from recipes.data.splits import Splits
from recipes.data.table import Example

Pairs = Sequence[tuple[str, str]]  # texts and labels


def load(
    config: Any, builtin: Callable[[int], tuple[Pairs, Pairs, Pairs]], whole: bool = False
) -> Splits:
    """The three splits that `config.data` names; `builtin` makes the recipe's own from a seed.

    `whole` gives all of it as `test`, for measuring.
    """
    return labelled.load(
        config.data,
        builtin=lambda: from_pairs(builtin(config.split_seed)),
        text_column=config.text_column,
        label_column=config.label_column,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        split_seed=config.split_seed,
        download=config.download,
        format=config.format,
        header=config.header,
        whole=whole,
    )


def from_pairs(parts: tuple[Pairs, Pairs, Pairs]) -> Splits:
    """A generated corpus as splits: train, validation, test."""
    train, validation, test = ([Example(*pair) for pair in part] for part in parts)
    return Splits(train, validation, test)
