"""Data that is measured and not trained on: one split, of which nothing is cut off."""

from collections.abc import Mapping
from typing import TypeVar

from zoo.errors import InputError

T = TypeVar("T")


def one_split(data: str, parts: Mapping[str, list[T]]) -> list[T]:
    """The test part where the data has one, else all its parts in their order.

    Args:
        data: What the error calls the data.
        parts: Examples under `train`, and perhaps under `validation` and `test`.

    Raises:
        InputError: There is no example.

    Example:
        >>> one_split("x", {"train": [1, 2]}), one_split("x", {"train": [1, 2], "test": [3]})
        ([1, 2], [3])
    """
    chosen = parts["test"] if "test" in parts else [one for part in parts.values() for one in part]
    if not chosen:
        raise InputError(f"{data}: there is nothing to measure, expected one example or more")
    return chosen
