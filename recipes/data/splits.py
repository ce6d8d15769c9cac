"""Examples -> train, validation and test; what the data does not bring along is cut by a hash.

The side on which an example falls depends on its text and the seed alone. So it stays there when
rows are added, removed or shuffled, on every platform, and no text stands on both sides.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from recipes.data.table import Example
from zoo.errors import InputError


@dataclass(frozen=True)
class Splits:
    """The three parts of a data set.

    Attributes:
        train: What the weights are fitted to.
        validation: What epochs and hidden sizes are chosen by.
        test: What is measured once, at the end.
    """

    train: list[Example]
    validation: list[Example]
    test: list[Example]


def hash_fraction(text: str, seed: int, salt: str = "") -> float:
    """Gives a text its fixed place between 0 and 1.

    The first 53 bits of BLAKE2b over salt, seed and text, NFC-normalised and without the blanks
    around it, divided by 2^53.

    Args:
        text: Any text.
        seed: Another seed gives all texts other places.
        salt: So does another salt, for cuts that must not depend on each other.

    Returns:
        A number in [0, 1), evenly distributed over different texts.

    Example:
        >>> hash_fraction("café", seed=1) == hash_fraction(" cafe\u0301 ", seed=1)
        True
    """
    place = f"{salt}\0{seed}\0{unicodedata.normalize('NFC', text).strip()}"
    digest = hashlib.blake2b(place.encode("utf-8"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def cut(
    examples: Sequence[Example], fraction: float, seed: int, salt: str = ""
) -> tuple[list[Example], list[Example]]:
    """Cuts off about a fraction of the examples; those with the same text stay together.

    Args:
        examples: Any number of examples.
        fraction: The share of distinct texts to cut off, 0 to 1.
        seed: Chooses which.
        salt: Names the cut; cuts with different salts are independent of each other.

    Returns:
        The examples kept and those cut off, each in the order given.
    """
    kept: list[Example] = []
    cut_off: list[Example] = []
    for example in examples:
        inside = hash_fraction(example.text, seed, salt) < fraction
        (cut_off if inside else kept).append(example)
    return kept, cut_off


def complete(
    parts: Mapping[str, list[Example]],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> Splits:
    """Cuts from `train` whichever of `validation` and `test` is missing.

    Args:
        parts: Examples under `train`, and perhaps under `validation` and `test`.
        validation_fraction: Size of a missing validation split, a share of the given `train`.
        test_fraction: Size of a missing test split, a share of the given `train`.
        seed: Chooses which examples are cut off.

    Returns:
        All three; those that were given are as they were.

    Raises:
        InputError: A fraction that is needed is not between 0 and 1, or nothing is left to train.
    """
    wanted = {"test": test_fraction, "validation": validation_fraction}
    missing = {name: fraction for name, fraction in wanted.items() if name not in parts}
    _check_fractions(missing)
    result, left = dict(parts), 1.0
    for name, fraction in missing.items():
        # Of what is left, so that both are shares of the whole.
        result["train"], result[name] = cut(result["train"], fraction / left, seed, salt=name)
        left -= fraction
    return Splits(result["train"], result["validation"], result["test"])


def _check_fractions(fractions: Mapping[str, float]) -> None:
    for name, fraction in fractions.items():
        if not 0 < fraction < 1:
            raise InputError(
                f"{name}_fraction must be a number between 0 and 1, got {fraction}: try 0.1, or "
                f"bring your own {name} file in a folder"
            )
    if sum(fractions.values()) >= 1:
        given = " and ".join(f"{name}_fraction {value}" for name, value in fractions.items())
        raise InputError(f"{given} leave nothing to train on, expected a sum below 1: lower them")


def check_labels(splits: Splits) -> None:
    """Refuses splits that a classifier cannot be trained or measured on.

    Args:
        splits: Freshly loaded.

    Raises:
        InputError: A split is empty, train has fewer than two classes, or another split has a
            class that train lacks.
    """
    _check_sizes(splits)
    classes = {example.label for example in splits.train}
    if len(classes) < 2:
        raise InputError(
            f"one class only: all {len(splits.train)} training examples are labelled "
            f"{classes.pop()!r}, expected two classes or more: add examples of another class, or "
            f"choose another --label-column"
        )
    for name in ("validation", "test"):
        counts = Counter(example.label for example in getattr(splits, name))
        for label in sorted(counts.keys() - classes):
            raise InputError(
                f"{name} has {_examples(counts[label])} labelled {label!r}, a class that train "
                f"never has: add such examples to train, take these out, or, if the split was cut "
                f"by hash, choose another --split-seed"
            )


def _check_sizes(splits: Splits) -> None:
    sizes = {field.name: len(getattr(splits, field.name)) for field in fields(splits)}
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        counted = ", ".join(f"{size} in {name}" for name, size in sizes.items())
        raise InputError(
            f"too little data: of {_examples(sum(sizes.values()))} none is in {empty[0]} "
            f"({counted}), expected at least one in each split: bring more examples or cut off "
            f"other fractions"
        )


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count} examples"
