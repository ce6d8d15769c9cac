"""The range of each decoding option: one table for Python calls, commands and served requests.

| option | range | default | |
|---|---|---|---|
| `temperature` | 0 to 100 | 1 | 0 takes the most likely token |
| `top_k` | 0 to 2147483647 | 0 | 0 keeps all tokens |
| `top_p` | above 0, at most 1 | 1 | 1 keeps all tokens |
| `min_p` | 0 to 1 | 0 | 0 keeps all tokens |
| `guidance` | 0 to 100 | 0 | 0 leaves the distribution as it is |
| `repetition_penalty` | 0.01 to 100 | 1 | 1 leaves the logits as they are |
| `max_tokens` | 0 to 10000 | 100 | |
| `min_tokens` | 0 to 10000 | 0 | |
| `seed` | 0 to 2147483647 | 0 | |
| `samples` | 1 to 10000 | 1 | |
| `beam_size` | 1 to 32 | 5 | 1 is greedy search |
| `n_best` | 1 to 32 | 1 | |
| `length_penalty` | 0 to 10 | 1 | 0 = none |
| `coverage_penalty` | 0 to 100 | 0 | 0 = none |
| `no_repeat` | 0 to 10000 | 0 | 0 = none |

In Python and on the command line a value out of its range is an `InputError`. A served model sets
it to the nearest value in the range, NaN to the default: an error would fail the whole
batch, other requests included. The upper bounds of sizes (`max_tokens`, `samples`, `beam_size`,
...) protect a server's memory and do not apply to Python calls.
"""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.errors import InputError
from zoo.recurrence import tracing

MOST_INT32 = 2**31 - 1
TINY = float(np.finfo(np.float32).tiny)  # the smallest normal float32: no processor rounds it to 0


@dataclass(frozen=True)
class Bound:
    """The range of an option.

    Attributes:
        low: The lowest value.
        high: The highest value.
        default: Replaces NaN.
        above: Whether `low` itself is out of the range.
        resource: Whether `high` protects a server and does not apply in Python.
    """

    low: float
    high: float
    default: float
    above: bool = False
    resource: bool = False

    @property
    def is_int(self) -> bool:
        """Whether values are whole numbers."""
        return isinstance(self.default, int)

    @property
    def dtype(self) -> str:
        """The type of a served option."""
        return "int32" if self.is_int else "float32"


BOUNDS = {
    "temperature": Bound(0.0, 100.0, 1.0),
    "top_k": Bound(0, MOST_INT32, 0),
    "top_p": Bound(0.0, 1.0, 1.0, above=True),
    "min_p": Bound(0.0, 1.0, 0.0),
    "guidance": Bound(0.0, 100.0, 0.0),
    "repetition_penalty": Bound(0.01, 100.0, 1.0),
    "max_tokens": Bound(0, 10_000, 100, resource=True),
    "min_tokens": Bound(0, 10_000, 0, resource=True),
    "seed": Bound(0, MOST_INT32, 0),
    "samples": Bound(1, 10_000, 1, resource=True),
    "beam_size": Bound(1, 32, 5, resource=True),
    "n_best": Bound(1, 32, 1, resource=True),
    "length_penalty": Bound(0.0, 10.0, 1.0),
    "coverage_penalty": Bound(0.0, 100.0, 0.0),
    "no_repeat": Bound(0, 10_000, 0, resource=True),
}


def require(name: str, value: Any, shown: str = "", served: bool = False) -> None:
    """Raises unless a number, or each of an array or eager tensor, is in the range of an option.

    A tensor of a graph is not checked: it has no values yet. `shown` is the name in the message,
    such as `--top-k`; by default `name`. With `served` the bounds that protect a server apply, too.

    Raises:
        InputError: It is not.

    Example:
        >>> require("top_k", -1)
        Traceback (most recent call last):
        zoo.errors.InputError: top_k must be at least 0, got -1
    """
    if keras.ops.is_tensor(value):
        if not tracing.is_known(value):
            return
        value = keras.ops.convert_to_numpy(value)
    bound, shown = BOUNDS[name], shown or name
    array = np.asarray(value)
    kinds = "iu" if bound.is_int else "iuf"
    if array.dtype.kind not in kinds:
        kind = "a whole number" if bound.is_int else "a number"
        raise InputError(f"{shown} must be {kind}, got {value!r}")
    for each in array.ravel().tolist():
        expected = _missed(bound, each, served)
        if expected:
            raise InputError(f"{shown} must be {expected}, got {each}")


def _missed(bound: Bound, value: float, served: bool) -> str:
    """The expected range, for a value that is out of it, else ""."""
    high = bound.high if served or not bound.resource else math.inf
    if math.isnan(value):
        return f"a number from {bound.low:g} to {bound.high:g}"
    if bound.above and value <= bound.low:
        return f"above {bound.low:g}"
    if value < bound.low:
        return f"at least {bound.low:g}"
    if value > high or math.isinf(value):
        return f"at most {bound.high:.10g}"
    return ""


def require_options(options: Any, names: tuple[str, ...], command: bool = False) -> None:
    """Raises unless the named attributes of `options` are in the ranges of served models.

    With `command` the message shows them as flags, `--top-k`.
    """
    for name in names:
        shown = "--" + name.replace("_", "-") if command else name
        require(name, getattr(options, name), shown, served=True)


def clamped(name: str, value: Any) -> Any:
    """Sets a served option to the nearest value in its range, NaN to its default.

    Example:
        >>> values = keras.ops.array([-1.0, 0.5, float("inf"), float("nan")])
        >>> clamped("temperature", values).numpy()
        array([  0. ,   0.5, 100. ,   1. ], dtype=float32)
    """
    import tensorflow as tf

    bound = BOUNDS[name]
    low = bound.low + TINY if bound.above else bound.low
    if not bound.is_int:
        value = tf.where(tf.math.is_nan(value), tf.cast(bound.default, value.dtype), value)
    return tf.clip_by_value(value, tf.cast(low, value.dtype), tf.cast(bound.high, value.dtype))


def spec(name: str) -> Any:
    """The signature of a served option: one value per row, (B,)."""
    import tensorflow as tf

    return tf.TensorSpec([None], BOUNDS[name].dtype, name=name)
