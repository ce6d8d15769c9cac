"""JSON <-> tensors by the rules of TensorFlow Serving's REST API.

Source of the rules, of the errors' wording and of the limits of whole numbers in floats:
tensorflow_serving/util/json_tensor.cc (the code here is our own).
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from zoo.saved_model.session import Arrays, Spec
from zoo.serving.json_text import shown
from zoo.serving.refusals import Refused, wrong

_JSON = {
    type(None): "Null",
    str: "String",
    dict: "Object",
    list: "Array",
    int: "Number",
    float: "Number",
}
_WHOLE = {"float": 2**24 - 1, "double": 2**53 - 1, "half": 2**11 - 1}  # exact in such a float


def check_shape(spec: Spec, shape: Sequence[int]) -> None:
    """Refuses a tensor of a shape that the signature does not take."""
    if not spec.fits(tuple(shape)):
        sizes = [-1 if size is None else size for size in spec.shape or ()]
        raise wrong(
            f"input {spec.name!r} has shape {_axes(shape)}, but the signature expects "
            f"{_axes(sizes)}"
        )


def rows_of(inputs: Arrays) -> int:
    """The number of rows; a scalar is one."""
    return next((len(array) for array in inputs.values() if array.ndim), 1)


def from_request(document: Any, specs: Mapping[str, Spec]) -> tuple[Arrays, bool]:
    """The tensors of a predict request, and whether it is in the row format (`instances`).

    Raises:
        Refused: The document does not fit the signature.
    """
    if "instances" in document and "inputs" in document:
        raise wrong(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of 'inputs' "
            "or 'instances' keys to exist"
        )
    if "instances" in document:
        arrays = _from_instances(document, specs)
    elif "inputs" in document:
        arrays = _from_inputs(document["inputs"], specs)
    else:
        raise wrong("Missing 'inputs' or 'instances' key")
    for name, array in arrays.items():
        check_shape(specs[name], array.shape)
    return arrays, "instances" in document


def _from_instances(document: Any, specs: Mapping[str, Spec]) -> Arrays:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise wrong(f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise wrong(f"JSON Value: {shown(document)} No values in 'instances' array")
    if not isinstance(rows[0], dict) and len(specs) > 1:
        raise wrong(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    if not _is_named(rows[0]):
        for place, row in enumerate(rows):
            if _is_named(row):
                raise wrong(f"Expecting value/list but got object at item {place} of input list")
        (spec,) = specs.values()
        return {spec.name: _column(rows, spec, "")}
    for place, row in enumerate(rows):
        if not _is_named(row):
            raise wrong(f"Expecting object but got list at item {place} of input list")
        if row.keys() != specs.keys():
            unknown = next((name for name in row if name not in specs), None)
            if unknown is not None:
                raise wrong(
                    f"Failed to process element: {place} key: {shown(unknown)[1:-1]} of "
                    "'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named "
                    f"input: {shown(unknown)[1:-1]}"
                )
            raise wrong(
                f"Failed to process element: {place} of 'instances' list. JSON object: "
                f"{shown(row)} keys must be equal to: {','.join(sorted(specs))}"
            )
    return {
        name: _column([row[name] for row in rows], spec, f" key: {name}")
        for name, spec in specs.items()
    }


def _from_inputs(given: Any, specs: Mapping[str, Spec]) -> Arrays:
    if not _is_named(given):
        if len(specs) > 1:
            raise wrong(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        (spec,) = specs.values()
        return {spec.name: tensor(given, spec)}
    for name in specs:
        if name not in given:
            raise wrong(f"Missing named input: {name} in 'inputs' object.")
    return {name: tensor(given[name], spec) for name, spec in specs.items()}


def _is_named(value: Any) -> bool:
    """Whether a value is an object of named inputs, not of base64."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _column(values: list[Any], spec: Spec, place: str) -> np.ndarray:
    """A value for each row, all of one shape; an error names the row."""
    try:
        return tensor(values, spec)
    except Refused:
        shape = None
        for row, value in enumerate(values):
            start = f"Failed to process element: {row}{place} of 'instances' list. Error: "
            try:
                here = tensor(value, spec).shape
            except Refused as error:
                raise wrong(f"{start}INVALID_ARGUMENT: {error.sentence}") from None
            shape = here if shape is None else shape
            if np.prod(here) != np.prod(shape):
                sizes = f"Expecting tensor size: {np.prod(shape, dtype=int)} but got: "
                raise wrong(f"{start}INVALID_ARGUMENT: {sizes}{np.prod(here, dtype=int)}") from None
            if here != shape:
                raise wrong(
                    f"{start}INVALID_ARGUMENT: Expecting shape {_axes(shape)} but got: "
                    f"{_axes(here)}"
                ) from None
        raise


def tensor(value: Any, spec: Spec) -> np.ndarray:
    """A JSON value or nested list as a tensor.

    Raises:
        Refused: Lists of unequal length, or a value of another type.
    """
    shape: list[int] = []
    level = [value]
    while isinstance(level[0], list):
        kinds, sizes = set(map(type, level)), {len(part) for part in level if type(part) is list}
        expected = len(level[0])
        if kinds != {list}:
            other = next(part for part in level if type(part) is not list)
            raise wrong(
                f"JSON Value: {shown(other)} found at incorrect level: {len(shape) + 1} in the "
                f"JSON DOM. Expected at level: {_depth(value)}"
            )
        if len(sizes) > 1:
            raise wrong(
                f"Encountered list at unexpected size: {next(iter(sizes - {expected}))} at level: "
                f"{len(shape)} expected size: {expected}"
            )
        shape.append(expected)
        level = list(chain.from_iterable(level))
        if not level:
            return np.zeros(shape, spec.dtype)
    if any(type(part) is list for part in level):
        raise wrong(f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}")
    return _leaves(level, spec).reshape(shape)


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list) and value:
        value, depth = value[0], depth + 1
    return depth


def _leaves(values: list[Any], spec: Spec) -> np.ndarray:
    """Values of one type, (N,)."""
    kinds = set(map(type, values))
    kind = spec.dtype.kind
    if kind == "O":
        return _bytes(values, kinds, spec)
    allowed: set[type] = {int}
    if kind in "fb":
        allowed = {bool} if kind == "b" else {int, float}
    if not kinds <= allowed:
        raise _type_error(next(v for v in values if type(v) not in allowed), spec)
    if kind in "iu":
        info = np.iinfo(spec.dtype)
        if not (info.min <= min(values) and max(values) <= info.max):
            wide = next(v for v in values if not info.min <= v <= info.max)
            raise _type_error(wide, spec)
    if kind == "f":
        _check_exact(values, kinds, spec)
    return np.array(values, spec.dtype)


def _check_exact(values: list[Any], kinds: set[type], spec: Spec) -> None:
    """Refuses whole numbers that the float cannot hold, and numbers out of its range."""
    most, high = _WHOLE[spec.type], float(np.finfo(spec.dtype).max)
    bad: Any = None
    if int in kinds:
        bad = next((v for v in values if type(v) is int and abs(v) > most), None)
    if bad is None and float in kinds and spec.type != "double":
        bad = next((v for v in values if high < abs(v) < float("inf")), None)
    if bad is not None:
        raise wrong(
            f"Cannot convert JSON value: {shown(bad)} to {spec.type} without loss of precision."
        )


def _bytes(values: list[Any], kinds: set[type], spec: Spec) -> np.ndarray:
    array = np.empty(len(values), object)
    try:
        if kinds == {str}:
            array[:] = [value.encode() for value in values]
        else:
            array[:] = [_byte_string(value, spec) for value in values]
    except UnicodeEncodeError as error:
        raise wrong("a string has half of a surrogate pair, which UTF-8 cannot hold") from error
    return array


def _byte_string(value: Any, spec: Spec) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, dict):
        raise _type_error(value, spec)
    if not _is_base64(value):
        raise wrong(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong("Unable to base64 decode") from error


def _type_error(value: Any, spec: Spec) -> Refused:
    name = str(value) if isinstance(value, bool) else _JSON[type(value)]
    return wrong(f"JSON Value: {shown(value)} Type: {name} is not of expected type: {spec.type}")


def _axes(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"
