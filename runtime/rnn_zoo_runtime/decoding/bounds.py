"""The range of each decoding option: the table of `zoo.decoding.bounds`.

A value out of its range is an `InputError`. The upper bounds of sizes (`max_tokens`, `beam_size`)
are those of a server: a larger value is set to the bound, as by the SavedModel.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from rnn_zoo_runtime.errors import InputError

MOST_INT32 = 2**31 - 1
TINY = float(np.finfo(np.float32).tiny)


class Bound(NamedTuple):
    """The range of an option.

    Attributes:
        low: The lowest value.
        high: The highest value.
        is_int: Whether values are whole numbers.
        above: Whether `low` itself is out of the range.
        resource: Whether a value above `high` is set to it.
    """

    low: float
    high: float
    is_int: bool = False
    above: bool = False
    resource: bool = False


BOUNDS = {
    "temperature": Bound(0.0, 100.0),
    "top_k": Bound(0, MOST_INT32, is_int=True),
    "top_p": Bound(0.0, 1.0, above=True),
    "min_p": Bound(0.0, 1.0),
    "guidance": Bound(0.0, 100.0),
    "repetition_penalty": Bound(0.01, 100.0),
    "max_tokens": Bound(0, 10_000, is_int=True, resource=True),
    "min_tokens": Bound(0, 10_000, is_int=True, resource=True),
    "seed": Bound(0, MOST_INT32, is_int=True),
    "beam_size": Bound(1, 32, is_int=True, resource=True),
    "n_best": Bound(1, 32, is_int=True, resource=True),
    "length_penalty": Bound(0.0, 10.0),
    "coverage_penalty": Bound(0.0, 100.0),
    "no_repeat": Bound(0, 10_000, is_int=True, resource=True),
}


def require(name: str, value: Any, shown: str = "") -> None:
    """Raises unless a number, or each of an array, is in the range of an option.

    `shown` is the name in the message, by default `name`.

    Raises:
        InputError: It is not.

    Example:
        >>> require("top_k", -1)
        Traceback (most recent call last):
        rnn_zoo_runtime.errors.InputError: top_k must be at least 0, got -1
    """
    bound, shown = BOUNDS[name], shown or name
    array = np.asarray(value)
    if array.dtype.kind not in ("iu" if bound.is_int else "iuf"):
        kind = "a whole number" if bound.is_int else "a number"
        raise InputError(f"{shown} must be {kind}, got {value!r}")
    for each in array.ravel().tolist():
        expected = _missed(bound, each)
        if expected:
            raise InputError(f"{shown} must be {expected}, got {each}")


def _missed(bound: Bound, value: float) -> str:
    """The expected range, for a value that is out of it, else ""."""
    if math.isnan(value):
        return f"a number from {bound.low:g} to {bound.high:g}"
    if bound.above and value <= bound.low:
        return f"above {bound.low:g}"
    if value < bound.low:
        return f"at least {bound.low:g}"
    if math.isinf(value) or value > bound.high and not bound.resource:
        return f"at most {bound.high:.10g}"
    return ""


def column(name: str, value: Any, rows: int) -> np.ndarray:
    """The values of an option, one for each row: (B,), checked and within the bounds of a server.

    Raises:
        InputError: A value is out of its range, or there is not one for each row.
    """
    require(name, value)
    bound = BOUNDS[name]
    values = np.asarray(value, np.int32 if bound.is_int else np.float32)
    if values.ndim and len(values) != rows:
        raise InputError(f"{name} has {len(values)} values, expected one for each of {rows} rows")
    low = bound.low + TINY if bound.above else bound.low
    return np.clip(np.broadcast_to(values, [rows]), low, bound.high).astype(values.dtype)
