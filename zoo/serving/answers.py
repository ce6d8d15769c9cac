"""Tensors -> JSON by the rules of TensorFlow Serving's REST API: the answers' side of `tensors`.

A single output is not wrapped in its name; `*_bytes` is base64; float32 has as few digits as it
needs to be read back.
"""

import base64
from typing import Any

import numpy as np

from zoo.saved_model.session import Arrays
from zoo.serving import json_text


def predictions(outputs: Arrays) -> bytes:
    """The answer in the row format: `{"predictions": [...]}`, an object or a value for each row."""
    columns, write = _columns(outputs)
    if len(columns) == 1:
        (column,) = columns.values()
        return write({"predictions": column})
    rows = zip(*columns.values(), strict=True)
    return write({"predictions": [dict(zip(columns, row, strict=True)) for row in rows]})


def outputs(found: Arrays) -> bytes:
    """The answer in the column format: `{"outputs": ...}`."""
    columns, write = _columns(found)
    return write({"outputs": next(iter(columns.values())) if len(columns) == 1 else columns})


def _columns(found: Arrays) -> tuple[dict[str, Any], Any]:
    """Each output as what the JSON writer takes, and that writer."""
    bare = not all(np.isfinite(array).all() for array in found.values() if array.dtype.kind == "f")
    columns = {name: plain(array, name, as_lists=bare) for name, array in sorted(found.items())}
    return columns, json_text.dumps_bare if bare else json_text.dumps


def plain(array: np.ndarray, name: str = "", as_lists: bool = False) -> Any:
    """An array as what `json_text.dumps` takes; strings become lists of `str`.

    With `as_lists` numbers become nested lists, for `json_text.dumps_bare`.
    """
    if array.dtype == object:
        return texts(array.tolist(), name.endswith("_bytes"))
    if as_lists:
        # float32 -> its shortest decimal form -> the Python number that is written like it
        short = array.astype(str).astype(np.float64) if array.dtype.kind == "f" else array
        return short.tolist()
    return np.ascontiguousarray(array, np.float32 if array.dtype == np.float16 else array.dtype)


def texts(values: Any, as_base64: bool = False) -> Any:
    """Nested lists of bytes as `str`, bytes that are not UTF-8 as U+FFFD; or as base64 objects."""
    if isinstance(values, list):
        return [texts(value, as_base64) for value in values]
    if as_base64:
        return {"b64": base64.b64encode(values).decode()}
    return values.decode("utf-8", "replace")
