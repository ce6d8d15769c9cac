"""Train, validation and test; a split that the data lacks is cut from train by a hash.

The side on which an item falls depends on its key and the seed alone. So it stays there when items
are added, removed or shuffled, on every platform, and no key is on both sides.
"""

import hashlib
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from zoo.errors import InputError

T = TypeVar("T")
U = TypeVar("U")

SPLITS = ("train", "validation", "test")
# The names of files and of splits of data sets -> the split that they mean.
SPLIT_OF = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Splits(Generic[T]):
    """The three parts of a data set, whatever its items are.

    Attributes:
        train: What the weights are fitted to.
        validation: What epochs and options are chosen by.
        test: What is measured once, at the end.
        left_out: The number of items of the data that cannot be used.
        continuous: Whether each item continues the one before, as documents of running text do.
    """

    train: list[T]
    validation: list[T]
    test: list[T]
    left_out: int = field(default=0, kw_only=True)
    continuous: bool = field(default=False, kw_only=True)

    @classmethod
    def of(cls, kind: Callable[..., T], parts: Iterable[Iterable[Sequence[Any]]]) -> "Splits[T]":
        """Builds items from the rows of a generated corpus: of train, validation and test."""
        return cls(*([kind(*row) for row in part] for part in parts))

    def parts(self) -> dict[str, list[T]]:
        """The three lists by name, train first."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def map(self, function: Callable[[list[T]], list[U]]) -> "Splits[U]":
        """Applies a function to each of the three lists."""
        parts = (function(part) for part in self.parts().values())
        return Splits(*parts, left_out=self.left_out, continuous=self.continuous)

    def encoded(
        self, encode: Callable[[list[Any]], Iterable[U]], what: Callable[[T], Any]
    ) -> dict[str, list[U]]:
        """Encodes `what` each item holds, in one call, since each call may trace a graph."""
        parts = self.parts()
        rows = iter(encode([what(item) for part in parts.values() for item in part]))
        return {name: list(islice(rows, len(part))) for name, part in parts.items()}


def hash_fraction(text: str, seed: int, salt: str = "") -> float:
    """Maps a text to a fixed number between 0 and 1.

    The first 53 bits of BLAKE2b over salt, seed and text, NFC-normalised and without the blanks
    around it, divided by 2^53. The numbers, in [0, 1), are evenly distributed over different
    texts. Another seed gives other ones; so does another salt, for cuts that must not depend on
    each other.

    Example:
        >>> hash_fraction("café", seed=1) == hash_fraction(" cafe\u0301 ", seed=1)
        True
    """
    place = f"{salt}\0{seed}\0{unicodedata.normalize('NFC', text).strip()}"
    digest = hashlib.blake2b(place.encode("utf-8"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def cut(
    items: Sequence[T], fraction: float, seed: int, salt: str = "", *, key: Callable[[T], str]
) -> tuple[list[T], list[T]]:
    """Cuts off about a fraction of the items; those with the same key stay together.

    The hash of the key decides; cuts with different salts are independent of each other. Returns
    the items that stay and those that are cut off, each in the order given.
    """
    stay: list[T] = []
    cut_off: list[T] = []
    for item in items:
        inside = hash_fraction(key(item), seed, salt) < fraction
        (cut_off if inside else stay).append(item)
    return stay, cut_off


def complete(
    parts: Mapping[str, list[T]],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    *,
    key: Callable[[T], str],
) -> Splits[T]:
    """Cuts from `train` whichever of `validation` and `test` is missing.

    The fractions are shares of the given `train`; the hash of the key and the seed decide.

    Raises:
        InputError: A fraction that is needed is not between 0 and 1, or nothing is left to train.
    """
    missing = missing_fractions(parts, validation_fraction, test_fraction)
    result, left = dict(parts), 1.0
    for name, fraction in missing.items():
        # Of what is left, so that both are shares of the whole.
        result["train"], result[name] = cut(result["train"], fraction / left, seed, name, key=key)
        left -= fraction
    return Splits(*(result[name] for name in SPLITS))


def missing_fractions(
    parts: Mapping[str, Any], validation_fraction: float, test_fraction: float
) -> dict[str, float]:
    """The fractions of train to cut off, by split, test first: of those that `parts` lacks.

    Raises:
        InputError: One is not between 0 and 1, or nothing is left to train.
    """
    wanted = {"test": test_fraction, "validation": validation_fraction}
    fractions = {name: fraction for name, fraction in wanted.items() if name not in parts}
    for name, fraction in fractions.items():
        if not 0 < fraction < 1:
            raise InputError(
                f"{name}_fraction must be a number between 0 and 1, got {fraction}: try 0.1, or "
                f"bring your own {name} file in a folder"
            )
    if sum(fractions.values()) >= 1:
        listed = " and ".join(f"{name}_fraction {value}" for name, value in fractions.items())
        raise InputError(f"{listed} leave nothing to train on, expected a sum below 1: lower them")
    return fractions


def all_as_test(data: str, parts: Mapping[str, list[T]]) -> Splits[T]:
    """Splits for measuring alone: test where the data has one, else everything, and no other.

    Raises:
        InputError: There is no item.

    Example:
        >>> all_as_test("x", {"train": [1, 2]}).test
        [1, 2]
        >>> all_as_test("x", {"train": [1, 2], "test": [3]}).test
        [3]
    """
    test = parts["test"] if "test" in parts else [item for part in parts.values() for item in part]
    if not test:
        raise InputError(f"{data}: there is nothing to measure, expected one example or more")
    return Splits([], [], test)


def check_sizes(
    sizes: Mapping[str, int],
    items: str,
    *,
    least: int = 1,
    note: str = "",
    mend: str = "bring more",
) -> None:
    """Refuses splits of which one is too small.

    Args:
        sizes: The number of items of each split.
        items: What is counted, such as `sentences`.
        least: The fewest items of train; another split needs one.
        note: What the error adds to the numbers.
        mend: What the error proposes, beside other fractions.

    Raises:
        InputError: A split is too small.
    """
    if any(size < (least if name == "train" else 1) for name, size in sizes.items()):
        counted = ", ".join(f"{size} in {name}" for name, size in sizes.items())
        expected = "each split" if least == 1 else f"each split, {least} in train"
        raise InputError(
            f"too few {items}: {counted}{note}, expected at least 1 in {expected}: {mend}, or "
            f"choose other fractions"
        )


def share_of(splits: Splits[T], fraction: float, seed: int) -> Splits[T]:
    """The splits with a fraction of train alone, to see what more data would give.

    A smaller share is part of each larger one. Items are drawn at random, at least one of each
    label; of continuous data, the share is the beginning.
    """
    if fraction == 1:
        return splits
    if splits.continuous:
        return replace(splits, train=_beginning(splits.train, fraction))
    order = np.random.default_rng(seed).permutation(len(splits.train)).tolist()
    chosen = set(order[: max(1, math.ceil(len(order) * fraction))])
    seen: set[Any] = set()
    for place in order:
        label = getattr(splits.train[place], "label", None)
        if label is not None and label not in seen:
            seen.add(label)
            chosen.add(place)
    return replace(splits, train=[splits.train[place] for place in sorted(chosen)])


def _beginning(items: Sequence[Any], fraction: float) -> list[Any]:
    """The first items, up to a fraction of their total length; the last one may be cut."""
    left = math.ceil(sum(map(len, items)) * fraction)
    first = []
    for item in items:
        if left <= 0:
            break
        first.append(item[:left])
        left -= len(item)
    return first
