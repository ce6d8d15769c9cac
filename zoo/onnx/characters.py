"""Converters of the layers that read a word's letters, ids (B, T, L)."""

from typing import Any

import keras
import numpy as np

from zoo.layers.affixes import Affixes
from zoo.layers.characters import CharacterCNN, CharacterRNN
from zoo.masking import PAD
from zoo.onnx.graph import Graph
from zoo.onnx.layers import places
from zoo.onnx.trace import Call, converts


def _real(g: Graph, ids: str) -> str:
    """Where ids are letters: bool."""
    return str(g.node("Not", g.node("Equal", ids, g.constant(PAD, "int32"))))


def _vectors(call: Call, ids: str, real: str) -> str:
    """Letters (N, L) -> vectors (N, L, D), zero in the padding."""
    g = call.graph
    found = g.node("Gather", call.name(call.operation.embeddings), ids, axis=0)
    return str(
        g.node("Where", g.node("Unsqueeze", real, g.axes(2)), found, g.constant(0.0, "float32"))
    )


def moved_to_front(g: Graph, ids: str) -> str:
    """Ids (N, L) with the padding of each row on the right."""
    size = g.size(ids, 1)
    order = places(g, size)
    behind = g.node("Add", order, g.cast(size, "int32"))
    keys = g.node("Where", _real(g, ids), order, behind)
    _, order = g.node("TopK", keys, size, outputs=2, axis=1, largest=0, sorted=1)
    return str(g.node("GatherElements", ids, order, axis=1))


@converts(CharacterCNN)
def character_cnn(call: Call, character_ids: Any, **_named: Any) -> str:
    """Convolutions over the letters of each word, and their maximum."""
    layer, g, given = call.operation, call.graph, call.name(character_ids, "int32")
    ids = g.reshape(given, -1, g.size(given, 2))  # (N, L)
    real = _real(g, ids)
    wide = g.node("Transpose", _vectors(call, ids, real), perm=[0, 2, 1])  # (N, D, L)
    found = []
    for width, kernel in zip(layer.widths, layer.kernels, strict=True):
        array = np.asarray(keras.ops.convert_to_numpy(kernel))
        array = array.reshape(width, layer.character_dim, -1).transpose(2, 1, 0)
        weight = g.constant(array, "float32", kernel.path)
        found.append(g.node("Conv", wide, weight, pads=[(width - 1) // 2, width // 2]))
    values = g.node("Concat", *found, axis=1) if len(found) > 1 else found[0]  # (N, K, L)
    zero = g.constant(0.0, "float32")
    lowest = g.constant(np.finfo(np.float32).min, "float32")
    values = g.node("Where", g.node("Unsqueeze", real, g.axes(1)), values, lowest)
    highest = g.node("ReduceMax", values, g.axes(2), keepdims=0)
    word = g.cast(g.node("ReduceMax", g.cast(real, "int32"), g.axes(1), keepdims=1), "bool")
    highest = g.node("Where", word, highest, zero)
    highest = g.node("Tanh", g.node("Add", highest, call.name(layer.bias)))
    return g.reshape(g.node("Where", word, highest, zero), g.size(given, 0), -1, layer.units)


@converts(CharacterRNN)
def character_rnn(call: Call, character_ids: Any, **_named: Any) -> str:
    """The last states of a body that reads the letters of each word."""
    layer, g, given = call.operation, call.graph, call.name(character_ids, "int32")
    ids = moved_to_front(g, g.reshape(given, -1, g.size(given, 2)))
    real = _real(g, ids)
    vectors = call.trace.symbol(_vectors(call, ids, real), (None, None, layer.character_dim))
    mask = call.trace.symbol(real, (None, None), "bool")
    *_, last = call.trace.run(layer.body, [], vectors, mask=mask, return_last=True)
    return g.reshape(last, g.size(given, 0), -1, layer.units)


@converts(Affixes)
def affixes(call: Call, character_ids: Any, **_named: Any) -> str:
    """The vectors of a word's first and last letters."""
    layer, g, given = call.operation, call.graph, call.name(character_ids, "int32")
    letters = g.size(given, 2)
    ids = g.reshape(moved_to_front(g, g.reshape(given, -1, letters)), g.size(given, 0), -1, letters)
    symbol = call.trace.symbol(ids, (None, None, None), "int32")
    numbers = layer._numbers(symbol)  # (B, T, N)
    vectors = g.node("Gather", call.name(layer.embeddings), call.name(numbers), axis=0)
    flat = g.reshape(vectors, 0, 0, numbers.shape[-1] * layer.dim)
    first = g.node("Gather", ids, g.axes(0), axis=2)  # (B, T, 1)
    return str(g.node("Where", _real(g, first), flat, g.constant(0.0, "float32")))
