"""Converters of Keras operations that join, cut, move and look up values."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.errors import InputError
from zoo.onnx.operations import listed
from zoo.onnx.trace import Call, converts

FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max  # the ends of an axis in a slice


@converts("Concatenate")
def concatenate(call: Call, xs: Sequence[Any]) -> str:
    """Values side by side."""
    names = [call.name(x, call.dtype) for x in xs]
    return str(call.graph.node("Concat", *names, axis=call.operation.axis))


@converts("Stack")
def stack(call: Call, xs: Sequence[Any]) -> str:
    """Values along a new axis."""
    g, axis = call.graph, call.operation.axis
    names = [g.node("Unsqueeze", call.name(x, call.dtype), g.axes(axis)) for x in xs]
    return str(g.node("Concat", *names, axis=axis))


@converts("Split", "Unstack")
def split(call: Call, x: Any) -> list[str]:
    """The parts of a value."""
    g, axis, count = call.graph, call.operation.axis, len(call.outputs)
    unstacks = type(call.operation).__name__ == "Unstack"
    sizes = [1 if unstacks else each.shape[axis] for each in call.outputs]
    if None in sizes:
        raise InputError("a split of an axis of dynamic size cannot be written as ONNX")
    parts = [call.name(x)]
    if count > 1:
        parts = g.node("Split", *parts, g.axes(*sizes), outputs=count, axis=axis)
    if unstacks:
        parts = [g.node("Squeeze", part, g.axes(axis)) for part in parts]
    return list(parts)


@converts("ExpandDims")
def expand_dims(call: Call, x: Any) -> str:
    """A value with further axes of size 1."""
    axes = call.graph.axes(*listed(call.operation.axis))
    return str(call.graph.node("Unsqueeze", call.name(x), axes))


@converts("Squeeze")
def squeeze(call: Call, x: Any) -> str:
    """A value without axes of size 1."""
    axis = call.operation.axis
    axes = "" if axis is None else call.graph.axes(*listed(axis))
    return str(call.graph.node("Squeeze", call.name(x), axes))


@converts("Transpose")
def transpose(call: Call, x: Any) -> str:
    """A value with its axes in another order."""
    axes = call.operation.axes
    order = None if axes is None else list(axes)
    return str(call.graph.node("Transpose", call.name(x), perm=order))


@converts("Moveaxis")
def moveaxis(call: Call, x: Any) -> str:
    """A value with axes at other places."""
    order = np.moveaxis(
        np.empty((0,) * 0 + tuple(range(1, len(x.shape) + 1))),
        call.operation.source,
        call.operation.destination,
    ).shape
    return str(call.graph.node("Transpose", call.name(x), perm=[size - 1 for size in order]))


@converts("Reshape")
def reshape(call: Call, x: Any) -> str:
    """A value of another shape, of which one size at most is dynamic."""
    sizes = [-1 if size is None else size for size in call.operation.newshape]
    if sizes.count(-1) > 1:
        raise InputError("a reshape to several dynamic sizes cannot be written as ONNX")
    return call.graph.reshape(call.name(x), *sizes)


@converts("Flip")
def flip(call: Call, x: Any) -> str:
    """A value in the reverse order along axes."""
    g, axes = call.graph, listed(call.operation.axis)
    ends = ([LAST] * len(axes), [FIRST] * len(axes), axes, [-1] * len(axes))
    return str(g.node("Slice", call.name(x), *(g.axes(*each) for each in ends)))


@converts("Cumsum")
def cumsum(call: Call, x: Any) -> str:
    """Running sums."""
    axis = call.graph.constant(call.operation.axis, "int64")
    return str(call.graph.node("CumSum", call.name(x, call.dtype), axis))


@converts("Pad")
def pad(call: Call, x: Any, constant_values: Any = None) -> str:
    """A value with constants around it."""
    widths, axes = call.operation.pad_width, len(x.shape)
    if call.operation.mode != "constant":
        raise InputError(f"padding by {call.operation.mode!r} cannot be written as ONNX")
    widths = list(widths) * axes if len(widths) == 1 else widths
    sizes = [width[0] for width in widths] + [width[1] for width in widths]
    fill = call.name(constant_values or 0, call.dtype)
    return str(call.graph.node("Pad", call.name(x), call.graph.axes(*sizes), fill))


@converts("Tile")
def tile(call: Call, x: Any) -> str:
    """A value repeated as a whole along its axes."""
    repeats = listed(call.operation.repeats)
    repeats = [1] * (len(x.shape) - len(repeats)) + repeats
    return str(call.graph.node("Tile", call.name(x), call.graph.axes(*repeats)))


@converts("Repeat")
def repeat(call: Call, x: Any) -> str:
    """A value with each entry of an axis repeated."""
    g, axis = call.graph, call.operation.axis % len(x.shape)
    wide = g.node("Unsqueeze", call.name(x), g.axes(axis + 1))
    counts = [1] * (len(x.shape) + 1)
    counts[axis + 1] = call.operation.repeats
    wide = g.node("Tile", wide, g.axes(*counts))
    sizes: list[Any] = [0] * axis + [-1]
    sizes += [g.size(call.name(x), place) for place in range(axis + 1, len(x.shape))]
    return g.reshape(wide, *sizes)


@converts("Take")
def take(call: Call, x: Any, indices: Any) -> str:
    """Entries of an axis by their places; of a flat value without an axis."""
    axis, name = call.operation.axis, call.name(x)
    if axis is None:
        name, axis = call.graph.reshape(name, -1), 0
    return str(call.graph.node("Gather", name, call.name(indices), axis=axis))


@converts("TakeAlongAxis")
def take_along_axis(call: Call, x: Any, indices: Any) -> str:
    """Entries of an axis by places of their own for each row."""
    axis = call.operation.axis
    return str(call.graph.node("GatherElements", call.name(x), call.name(indices), axis=axis))


@converts("Argmax")
def argmax(call: Call, x: Any) -> str:
    """The place of the highest value along an axis."""
    g, operation = call.graph, call.operation
    keep = int(operation.keepdims)
    return g.cast(g.node("ArgMax", call.name(x), axis=operation.axis, keepdims=keep), call.dtype)


@converts("OneHot")
def one_hot(call: Call, x: Any) -> str:
    """A row for each id, 1 at its place."""
    g = call.graph
    depth = g.constant(call.operation.num_classes, "int64")
    values = g.constant([0, 1], "float32")
    found = g.node("OneHot", call.name(x, "int64"), depth, values, axis=call.operation.axis)
    return g.cast(found, call.dtype)


@converts("ZerosLike", "OnesLike", "FullLike")
def like(call: Call, x: Any, fill_value: Any = None, dtype: Any = None) -> str:
    """A constant of the shape of a value."""
    fill = {"ZerosLike": 0, "OnesLike": 1}.get(type(call.operation).__name__, fill_value)
    g = call.graph
    return str(g.node("Expand", call.name(fill, call.dtype), g.node("Shape", call.name(x))))


@converts("GetItem")
def get_item(call: Call, x: Any, key: Any) -> str:
    """Entries by places and ranges."""
    keys = list(key) if isinstance(key, tuple | list) else [key]
    if Ellipsis in [each for each in keys if each is None or each is Ellipsis]:
        place = next(n for n, each in enumerate(keys) if each is Ellipsis)
        used = sum(each is not None and each is not Ellipsis for each in keys)
        keys[place : place + 1] = [slice(None)] * (len(x.shape) - used)
    g, name = call.graph, call.name(x)
    ranges, single, new, axis, place = [], [], [], 0, 0
    for each in keys:
        if each is None:
            new.append(place)
            place += 1
            continue
        if isinstance(each, slice):
            if each != slice(None):
                ranges.append((*_ends(each), axis))
            place += 1
        else:
            single.append((axis, each))
        axis += 1
    if ranges:
        starts, ends, steps, axes = zip(*ranges, strict=True)
        name = g.node("Slice", name, *(g.axes(*each) for each in (starts, ends, axes, steps)))
    for axis, index in reversed(single):
        name = g.node("Gather", name, call.name(index), axis=axis)
    return str(g.node("Unsqueeze", name, g.axes(*new)) if new else name)


def _ends(part: slice) -> tuple[int, int, int]:
    """Start, end and step of a slice; those that it leaves out are the ends of the axis."""
    step = 1 if part.step is None else part.step
    bounds = [part.start, part.stop]
    if any(isinstance(bound, keras.KerasTensor) for bound in bounds):
        raise InputError("a slice of dynamic bounds cannot be written as ONNX")
    start, stop = bounds
    first, last = (0, LAST) if step > 0 else (LAST, FIRST)
    return (first if start is None else start), (last if stop is None else stop), step
