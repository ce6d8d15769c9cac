"""Converters of layers: of stock Keras, and of the zoo where a layer asks for dynamic sizes."""

from typing import Any

import keras
import numpy as np

from zoo.layers import ActivationRegularization, RowDropout
from zoo.layers.decoder import ScheduledSampling
from zoo.layers.numeric import LengthMask, SpecAugment
from zoo.onnx.graph import Graph
from zoo.onnx.trace import Call, converts


@converts(
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    RowDropout,
    SpecAugment,
    ScheduledSampling,
)
def unchanged(call: Call, inputs: Any, *_arguments: Any, **_named: Any) -> str:
    """A layer that acts in training alone."""
    return call.name(inputs)


@converts(ActivationRegularization)
def regularized(call: Call, states: Any, dropped: Any, **_named: Any) -> str:
    """The second input; the loss is for training."""
    return call.name(dropped)


@converts(keras.layers.Dense)
def dense(call: Call, inputs: Any, **_named: Any) -> str:
    """The sum x W + b, and an activation."""
    layer, trace = call.operation, call.trace
    name, kernel = call.name(inputs), call.name(layer.kernel)
    product = _of_few if call.graph.memo.get(("sparse", name)) else _of_all
    found = product(call.graph, name, kernel)
    if layer.bias is not None:
        found = call.graph.node("Add", found, call.name(layer.bias))
    activation = layer.activation
    if activation in (None, keras.activations.linear):
        return str(found)
    shape = (*inputs.shape[:-1], layer.units)
    return trace.name(activation(trace.symbol(found, shape)))


def _of_all(g: Graph, values: str, kernel: str) -> str:
    """The product of values (..., D) and a kernel (D, K)."""
    return str(g.node("MatMul", values, kernel))


def _of_few(g: Graph, values: str, kernel: str) -> str:
    """The product of values (B, D), most of them 0, and a kernel: the rows of the others."""
    found = g.node("NonZero", values)  # (2, N): rows and columns
    row, column = (g.node("Gather", found, g.constant(at, "int64"), axis=0) for at in (0, 1))
    known = g.node("GatherND", values, g.node("Transpose", found, perm=[1, 0]))
    rows = g.node("Squeeze", g.size(values, 0), g.axes(0))
    rows = g.node("Range", g.constant(0, "int64"), rows, g.constant(1, "int64"))
    own = g.node("Equal", g.node("Unsqueeze", rows, g.axes(1)), row)  # (B, N)
    shares = g.node("Where", own, known, g.constant(0.0, "float32"))
    return str(g.node("MatMul", shares, g.node("Gather", kernel, column, axis=0)))


@converts(keras.layers.Normalization)
def normalization(call: Call, inputs: Any) -> str:
    """(x - mean) / deviation, or the inverse."""
    layer, g = call.operation, call.graph
    mean = np.asarray(keras.ops.convert_to_numpy(layer.mean), np.float32)
    variance = np.asarray(keras.ops.convert_to_numpy(layer.variance), np.float32)
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    shift, scale = g.constant(mean, "float32", "mean"), g.constant(deviation, "float32", "scale")
    name = call.name(inputs, "float32")
    if layer.invert:
        return str(g.node("Add", shift, g.node("Mul", name, scale)))
    return str(g.node("Div", g.node("Sub", name, shift), scale))


@converts(LengthMask)
def length_mask(call: Call, values: Any, lengths: Any) -> str:
    """The first steps of each row."""
    return mask_of(call.graph, call.name(lengths, "int32"), call.graph.size(call.name(values), 1))


def places(graph: Graph, size: str) -> str:
    """0 .. N - 1, int32 (N,), of a size that `Graph.size` returned."""
    count = graph.node("Squeeze", graph.cast(size, "int32"))
    return str(graph.node("Range", graph.constant(0, "int32"), count, graph.constant(1, "int32")))


def mask_of(graph: Graph, lengths: str, size: str) -> str:
    """The mask bool (B, T) of lengths int32 (B,) and T as `Graph.size` returned it."""
    column = graph.node("Unsqueeze", lengths, graph.axes(1))
    return str(graph.node("Less", places(graph, size), column))
