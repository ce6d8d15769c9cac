"""Option values in JSON's types, so that saving and loading keep a study; and in words."""

import enum
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zoo.errors import InputError

SCALARS = (bool, int, float, str, type(None))


def plain(name: str, value: Any) -> Any:
    """A value in JSON's own types; the option's name is for the error.

    NumPy scalars, arrays and tensors become Python numbers and lists; tuples, ranges and iterators
    become lists; sets become sorted lists; paths become strings.

    Raises:
        InputError: JSON has no such value (an object, infinity, NaN).

    Example:
        >>> import numpy as np
        >>> plain("units", (np.int64(4), np.array([0.5, 1.0])))
        [4, [0.5, 1.0]]
    """
    if type(value) in SCALARS:
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{name} must be a number, got {value}")
        return value
    if isinstance(value, np.generic):
        return plain(name, _item(name, value))
    if isinstance(value, enum.Enum):
        return plain(name, value.value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): plain(name, part) for key, part in value.items()}
    if isinstance(value, list | tuple | range | Iterator):
        return [plain(name, part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(
            (plain(name, part) for part in value), key=lambda part: (str(type(part)), part)
        )
    if hasattr(value, "__array__"):
        return plain(name, np.asarray(value).tolist())
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise InputError(
        f"{name} must be a number, a string, True, False, None, or a list or dict of these, got "
        f"{value!r}"
    )


def _item(name: str, value: np.generic) -> Any:
    item = value.item()
    if isinstance(item, np.generic):  # NumPy's longdouble has no Python type
        raise InputError(f"{name} must be a number that Python can represent, got {value!r}")
    return item


def whole(name: str, value: Any, least: int) -> int:
    """Converts to a whole number of at least `least`; 4.0 is accepted.

    Raises:
        InputError: It is something else.
    """
    number = plain(name, value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise InputError(f"{name} must be a whole number, got {value!r}")
    if number < least:
        raise InputError(f"{name} must be at least {least}, got {number}")
    return number


def label(value: Any) -> str:
    """A unique text for a value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def shown(value: Any) -> str:
    """A value in words: a number with at most four digits, lists and dicts as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def in_words(values: Mapping[str, Any]) -> str:
    """Values of options in words, `units 64, cell gru`."""
    return ", ".join(f"{name} {shown(value)}" for name, value in values.items())
