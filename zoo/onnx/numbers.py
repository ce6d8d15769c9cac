"""Converters of the layers that read sequences of numbers."""

from typing import Any

import numpy as np
from keras import ops

from zoo.layers.numeric import LogMel, WindowScale
from zoo.layers.numeric.channels import Channels, Segments
from zoo.layers.numeric.log_mel import FLOOR
from zoo.layers.numeric.window_scale import RELATIVE
from zoo.onnx.graph import Graph
from zoo.onnx.layers import mask_of, places
from zoo.onnx.loops import lengths_of
from zoo.onnx.trace import Call, converts


def _ceil_div(g: Graph, value: str, by: int, dtype: str) -> str:
    """Sizes (int64) or lengths (int32) divided by a number and rounded up."""
    more = g.node("Add", value, g.constant(by - 1, dtype))
    return str(g.node("Div", more, g.constant(by, dtype)))


@converts(LogMel)
def log_mel(call: Call, samples: Any, mask: Any) -> list[str]:
    """The logarithmic mel spectrum: frames times cosines and sines are a convolution."""
    layer, g = call.operation, call.graph
    name, real = call.name(samples), call.name(mask, "bool")
    wave = g.node("Squeeze", name, g.axes(2))
    wave = g.node("Where", real, wave, g.constant(0.0, "float32"))
    count = _ceil_div(g, g.size(name, 1), layer.hop, "int64")  # int64 (1,)
    wave = g.node(
        "Pad", g.node("Unsqueeze", wave, g.axes(1)), g.axes(0, 0, 0, 0, 0, layer.frame + layer.hop)
    )
    weight = g.constant(layer.waves()[:, None], "float32", f"{layer.name}/waves")
    parts = g.node("Conv", wave, weight, strides=[layer.hop])  # (B, 2 F, N and more)
    parts = g.node("Slice", parts, g.axes(0), count, g.axes(2))
    power = g.node("Transpose", g.node("Mul", parts, parts), perm=[0, 2, 1])  # (B, N, 2 F)
    mel = layer.mel_weights()
    both = g.constant(np.concatenate([mel, mel]), "float32", f"{layer.name}/mel")
    found = g.node("Add", g.node("MatMul", power, both), g.constant(FLOOR, "float32"))
    frames = _ceil_div(g, lengths_of(g, real), layer.hop, "int32")
    return [str(g.node("Log", found)), mask_of(g, frames, count)]


@converts(WindowScale)
def window_scale(call: Call, values: Any, mask: Any) -> list[str]:
    """Shift and scale of each sequence, (B, 1, F) each."""
    layer, g, trace = call.operation, call.graph, call.trace
    width = values.shape[2]
    rows = g.size(call.name(values), 0)
    flat = [
        trace.symbol(
            g.broadcast(g.constant([[[fill]]], "float32"), rows, 1, width), (None, 1, width)
        )
        for fill in (0.0, 1.0)
    ]
    zeros, ones = flat
    if layer.kind == "none":
        return [call.name(zeros), call.name(ones)]
    known = ops.logical_and(mask[:, :, None], ops.isfinite(values))
    if layer.targets:
        known = ops.logical_and(known, ops.arange(width)[None, None] < layer.targets)
    filled = ops.where(known, values, 0.0)
    if layer.kind == "last":
        order = trace.symbol(places(g, g.size(call.name(values), 1)), (None,), "int32")
        order = order[None, :, None]
        last = ops.max(ops.where(known, order, -1), axis=1, keepdims=True)
        found = ops.sum(ops.where(ops.equal(order, last), filled, 0.0), axis=1, keepdims=True)
        return [call.name(found), call.name(ones)]
    count = ops.maximum(ops.sum(ops.cast(known, "float32"), axis=1, keepdims=True), 1.0)
    if layer.kind == "mean":
        size = ops.sum(ops.abs(filled), axis=1, keepdims=True) / count
        return [call.name(zeros), call.name(ops.where(size > 0, size, 1.0))]
    mean = ops.sum(filled, axis=1, keepdims=True) / count
    rest = ops.where(known, filled - mean, 0.0)
    deviation = ops.sqrt(ops.sum(ops.square(rest), axis=1, keepdims=True) / count)
    scale = ops.where(deviation > RELATIVE * ops.abs(mean), deviation, 1.0)
    return [call.name(mean), call.name(scale)]


@converts(Channels)
def channels(call: Call, vectors: Any) -> str:
    """A row of each target: (B, T, E) -> (B D, T, e)."""
    layer, g, trace = call.operation, call.graph, call.trace
    count, steps = layer.targets, g.size(call.name(vectors), 1)
    parts = []
    for half in ops.split(vectors, 2, axis=-1) if layer.indicators else [vectors]:
        own = g.node("Transpose", call.name(half[..., :count]), perm=[0, 2, 1])
        parts.append(g.reshape(own, -1, steps, 1))
        if half.shape[-1] > count:
            parts.append(trace.name(ops.repeat(half[..., count:], count, axis=0)))
    return str(g.node("Concat", *parts, axis=2) if len(parts) > 1 else parts[0])


@converts(Segments)
def segments(call: Call, vectors: Any, mask: Any) -> list[str]:
    """Segments that end at each row's last step: (B, N, W E), and their mask (B, N)."""
    layer, g = call.operation, call.graph
    length, size = layer.length, vectors.shape[2]
    real = call.name(mask, "bool")
    values = g.node(
        "Where",
        g.node("Unsqueeze", real, g.axes(2)),
        call.name(vectors),
        g.constant(0.0, "float32"),
    )
    steps, lengths = g.size(values, 1), lengths_of(g, real)
    count = _ceil_div(g, steps, length, "int64")
    missing = g.node("Sub", g.node("Mul", count, g.axes(length)), steps)
    newest = _reversed(g, values, lengths)
    ends = g.node("Concat", g.axes(0, 0, 0, 0), missing, g.axes(0), axis=0)
    newest = g.reshape(g.node("Pad", newest, ends), 0, -1, length, size)
    last, first = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    newest = g.node("Slice", newest, *(g.axes(each) for each in (last, first, 2, -1)))
    own = _ceil_div(g, lengths, length, "int32")
    found = g.reshape(_reversed(g, newest, own), 0, 0, length * size)
    return [found, mask_of(g, own, count)]


def _reversed(g: Graph, values: str, lengths: str) -> str:
    """Values (B, T, ...) reversed within each row's length."""
    long = g.cast(lengths, "int64")
    return str(g.node("ReverseSequence", values, long, batch_axis=0, time_axis=1))
