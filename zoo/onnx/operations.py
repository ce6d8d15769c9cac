"""Converters of Keras operations, by the names of their classes."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.errors import InputError
from zoo.onnx.trace import Call, converts

FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max  # the ends of an axis in a slice

SAME = {
    "Absolute": "Abs",
    "ConvertToTensor": "Identity",
    "Elu": "Elu",
    "Erf": "Erf",
    "Exp": "Exp",
    "Floor": "Floor",
    "Log": "Log",
    "LogicalNot": "Not",
    "Negative": "Neg",
    "Reciprocal": "Reciprocal",
    "Relu": "Relu",
    "Selu": "Selu",
    "Sigmoid": "Sigmoid",
    "Sign": "Sign",
    "Sin": "Sin",
    "Softplus": "Softplus",
    "Softsign": "Softsign",
    "Sqrt": "Sqrt",
    "StopGradient": "Identity",
    "Tanh": "Tanh",
}
ARITHMETIC = {
    "Add": "Add",
    "Subtract": "Sub",
    "Multiply": "Mul",
    "Divide": "Div",
    "TrueDivide": "Div",
    "Matmul": "MatMul",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mod": "Mod",
    "Power": "Pow",
    "LogicalAnd": "And",
    "LogicalOr": "Or",
}
COMPARISONS = {
    "Equal": "Equal",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "Less": "Less",
    "LessEqual": "LessOrEqual",
}
REDUCTIONS = {
    "Logsumexp": "ReduceLogSumExp",
    "Max": "ReduceMax",
    "Mean": "ReduceMean",
    "Min": "ReduceMin",
    "Prod": "ReduceProd",
    "Sum": "ReduceSum",
}


def dtype_of(value: Any) -> Any:
    """The type of a tensor, or that of a Python number."""
    return getattr(value, "dtype", type(value))


def listed(axis: Any) -> list[int]:
    """Axes as a list."""
    return [axis] if isinstance(axis, int) else list(axis)


@converts(*SAME)
def same(call: Call, x: Any) -> str:
    """An operation of one value that ONNX has."""
    return str(call.graph.node(SAME[type(call.operation).__name__], call.name(x, call.dtype)))


@converts(*ARITHMETIC)
def arithmetic(call: Call, a: Any, b: Any) -> str:
    """An operation of two values of one type."""
    kind = ARITHMETIC[type(call.operation).__name__]
    return str(call.graph.node(kind, call.name(a, call.dtype), call.name(b, call.dtype)))


@converts(*COMPARISONS, "NotEqual")
def comparison(call: Call, a: Any, b: Any) -> str:
    """A comparison of two values."""
    common = keras.backend.result_type(dtype_of(a), dtype_of(b))
    kind = COMPARISONS.get(type(call.operation).__name__, "Equal")
    found = call.graph.node(kind, call.name(a, common), call.name(b, common))
    if type(call.operation).__name__ == "NotEqual":
        found = call.graph.node("Not", found)
    return str(found)


@converts(*REDUCTIONS)
def reduction(call: Call, x: Any) -> str:
    """A sum and the like over axes."""
    axis, operation = call.operation.axis, call.operation
    axes = "" if axis is None else call.graph.axes(*listed(axis))
    kind = REDUCTIONS[type(operation).__name__]
    return str(
        call.graph.node(kind, call.name(x, call.dtype), axes, keepdims=int(operation.keepdims))
    )


@converts("Any", "All")
def quantifier(call: Call, x: Any) -> str:
    """Whether any or all values over axes are true."""
    g, axis = call.graph, call.operation.axis
    axes = "" if axis is None else g.axes(*listed(axis))
    kind = "ReduceMax" if type(call.operation).__name__ == "Any" else "ReduceMin"
    numbers = g.cast(call.name(x), "int32")
    found = g.node(kind, numbers, axes, keepdims=int(call.operation.keepdims))
    return g.cast(found, "bool")


@converts("Cast")
def cast(call: Call, x: Any) -> str:
    """A conversion to another type."""
    return call.name(x, call.dtype)


@converts("Where")
def where(call: Call, condition: Any, a: Any, b: Any) -> str:
    """One of two values, by a condition."""
    names = (call.name(a, call.dtype), call.name(b, call.dtype))
    return str(call.graph.node("Where", call.name(condition, "bool"), *names))


@converts("Square")
def square(call: Call, x: Any) -> str:
    """The function x x."""
    name = call.name(x, call.dtype)
    return str(call.graph.node("Mul", name, name))


@converts("Rsqrt")
def rsqrt(call: Call, x: Any) -> str:
    """1 / sqrt(x)."""
    return str(call.graph.node("Reciprocal", call.graph.node("Sqrt", call.name(x))))


@converts("Expm1")
def expm1(call: Call, x: Any) -> str:
    """The function exp(x) - 1 = tanh(x / 2) (exp(x) + 1), which is precise near 0."""
    g, name = call.graph, call.name(x)
    half = g.node("Tanh", g.node("Mul", name, g.constant(0.5, call.dtype)))
    return str(g.node("Mul", half, g.node("Add", g.node("Exp", name), g.constant(1, call.dtype))))


@converts("LogSigmoid")
def log_sigmoid(call: Call, x: Any) -> str:
    """-softplus(-x)."""
    g = call.graph
    return str(g.node("Neg", g.node("Softplus", g.node("Neg", call.name(x)))))


@converts("Silu")
def silu(call: Call, x: Any) -> str:
    """The function x sigmoid(x)."""
    name = call.name(x)
    return str(call.graph.node("Mul", name, call.graph.node("Sigmoid", name)))


@converts("Gelu")
def gelu(call: Call, x: Any) -> str:
    """The function x Phi(x), exactly or by tanh."""
    g, name = call.graph, call.name(x)
    if call.operation.approximate:
        cube = g.node("Mul", name, g.node("Mul", name, name))
        inner = g.node("Add", name, g.node("Mul", cube, g.constant(0.044715, call.dtype)))
        inner = g.node("Mul", inner, g.constant(math.sqrt(2 / math.pi), call.dtype))
        share = g.node("Tanh", inner)
    else:
        share = g.node("Erf", g.node("Mul", name, g.constant(math.sqrt(0.5), call.dtype)))
    half = g.node("Mul", name, g.constant(0.5, call.dtype))
    return str(g.node("Mul", half, g.node("Add", share, g.constant(1, call.dtype))))


@converts("HardSigmoid")
def hard_sigmoid(call: Call, x: Any) -> str:
    """relu6(x + 3) / 6."""
    return str(call.graph.node("HardSigmoid", call.name(x), alpha=1 / 6, beta=0.5))


@converts("LeakyRelu")
def leaky_relu(call: Call, x: Any) -> str:
    """The value x, or a fraction of it below 0."""
    slope = float(call.operation.negative_slope)
    return str(call.graph.node("LeakyRelu", call.name(x), alpha=slope))


@converts("ReLU")
def bounded_relu(call: Call, x: Any) -> str:
    """The layer's form of relu: with a slope below 0, or an upper bound."""
    operation, g, name = call.operation, call.graph, call.name(x)
    slope, most = operation.negative_slope, operation.max_value
    if operation.threshold or (slope and most is not None):
        raise InputError(
            "relu with a threshold, or with a slope and a bound, cannot be written as ONNX: use "
            "one of relu, relu6 and leaky_relu"
        )
    if slope:
        return str(g.node("LeakyRelu", name, alpha=float(slope)))
    if most is None:
        return str(g.node("Relu", name))
    return str(g.node("Clip", name, g.constant(0, call.dtype), g.constant(most, call.dtype)))


@converts("Relu6")
def relu6(call: Call, x: Any) -> str:
    """Values between 0 and 6."""
    g = call.graph
    return str(g.node("Clip", call.name(x), g.constant(0, call.dtype), g.constant(6, call.dtype)))


@converts("Softmax", "LogSoftmax")
def softmax(call: Call, x: Any) -> str:
    """A softmax over an axis, or its logarithm."""
    kind = type(call.operation).__name__
    return str(call.graph.node(kind, call.name(x, call.dtype), axis=call.operation.axis))


@converts("Clip")
def clip(call: Call, x: Any) -> str:
    """Values between two bounds."""
    bounds = (call.operation.x_min, call.operation.x_max)
    names = (call.name(bound, call.dtype) for bound in bounds)
    return str(call.graph.node("Clip", call.name(x, call.dtype), *names))


@converts("Isfinite", "Isnan")
def finite(call: Call, x: Any) -> str:
    """Whether a number is finite, or none."""
    g, name = call.graph, call.name(x)
    missing = g.node("IsNaN", name)
    if type(call.operation).__name__ == "Isnan":
        return str(missing)
    return str(g.node("Not", g.node("Or", missing, g.node("IsInf", name))))


@converts("FloorDivide")
def floor_divide(call: Call, a: Any, b: Any) -> str:
    """The quotient rounded down; of ints that are not negative."""
    g = call.graph
    found = g.node("Div", call.name(a, call.dtype), call.name(b, call.dtype))
    return str(found if "int" in call.dtype else g.node("Floor", found))


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
