"""Converters of Keras operations on each value, and of sums over axes."""

import math
from typing import Any

import keras

from zoo.errors import InputError
from zoo.onnx.trace import Call, converts

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
