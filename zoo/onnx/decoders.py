"""Encoder and decoder: `start` reads a source, `step` writes a token and attends to the source."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from zoo.architectures.encoder_decoder_model import EncoderDecoder, read
from zoo.layers import EncoderBridge, Memory, States, named_states
from zoo.layers.attention import AttentionReader
from zoo.onnx import models, served
from zoo.onnx.architectures import IDS, sizes_of
from zoo.onnx.graph import BATCH
from zoo.onnx.served import Served
from zoo.onnx.trace import Call, Trace, converts
from zoo.recurrence.keras_cell import initial_states

MEMORY = "memory_"
SOURCE_ROWS, SOURCE_TIME = "source_rows", "source_time"


@converts("_Source")
def source(call: Call, values: Any, mask: Any) -> str:
    """A source's ids or states, reversed within each row's length if asked for."""
    name = call.name(values)
    if not call.operation.reverse:
        return name
    g = call.graph
    lengths = g.node("ReduceSum", g.cast(call.name(mask, "bool"), "int64"), g.axes(1), keepdims=0)
    return str(g.node("ReverseSequence", name, lengths, batch_axis=0, time_axis=1))


@converts(EncoderBridge)
def bridge(call: Call, final_states: Any) -> Any:
    """The decoder's states before the first token."""
    layer, g = call.operation, call.graph
    if layer.kind != "zero":
        return call.trace.names(call.trace.called(layer, final_states))
    rows = g.size(call.name(final_states[0][0][0]), 0)
    own = keras.tree.flatten(initial_states(layer.cell, 1))
    given = {str(number): state for number, state in enumerate(own)}
    states = models.constant_states(call.trace, given, rows)
    return [[[call.name(each) for each in states.values()]] for _ in range(layer.num_layers)]


class _Reader(AttentionReader):
    """An `AttentionReader` whose steps are written: R = n B queries, n to each row of memory."""

    def __init__(self, reader: AttentionReader, trace: Trace) -> None:
        super().__init__(reader.attention, reader.combine, reader.mixes)
        self.states_width = reader.states_width
        self.trace = trace

    def read(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """As the base class, with named arguments, which symbolic tensors need."""
        values = memory.mixed if self.mixes else memory.values
        found: tuple[Any, Any] = self.attention(
            queries, values, mask=memory.mask, keys=memory.keys, coverage=coverage
        )
        return found

    def read_step(self, queries: Any, coverage: Any, memory: Memory) -> tuple[Any, Any]:
        """Queries (R, K) -> contexts (R, M) and weights (R, T_x)."""
        trace, g = self.trace, self.trace.graph
        keys = trace.name(memory.keys)
        rows, steps = g.size(keys, 0), g.size(keys, 1)
        if coverage is not None:
            apart = g.reshape(trace.name(coverage), rows, -1, steps)
            coverage = trace.symbol(apart, (None, None, None))
        size = queries.shape[-1]
        apart = trace.symbol(g.reshape(trace.name(queries), rows, -1, size), (None, None, size))
        contexts, weights = self.read(apart, coverage, memory)
        width = contexts.shape[-1]
        return (
            trace.symbol(g.reshape(trace.name(contexts), -1, width), (None, width)),
            trace.symbol(g.reshape(trace.name(weights), -1, steps), (None, None)),
        )


@contextlib.contextmanager
def _writing(decoder: Any, trace: Trace) -> Iterator[None]:
    """Lets a decoder's step be written."""
    if not decoder.has_attention:
        yield
        return
    reader = decoder.reader
    object.__setattr__(decoder, "reader", _Reader(reader, trace))
    try:
        yield
    finally:
        object.__setattr__(decoder, "reader", reader)


def _memory_names(model: EncoderDecoder) -> list[str]:
    """The parts of the memory that a step reads."""
    if not model.has_attention:
        return []
    mixes = model.get_layer("decoder").reader.mixes
    return ["mixed" if mixes else "values", "keys", "mask"]


def encoder_decoder(model: EncoderDecoder) -> dict[str, Served]:
    """The graphs `start` and `step`.

    `start`: `token_ids` (B, T_x), or `values` and `lengths`, -> the states before BOS and the
    memory, `memory_...`; `step`: `token_ids` (R,), the states of R rows and the memory of B rows,
    R = n B with n rows of each in turn -> `logits` (R, V) and the new states.
    """
    beginning = _start(model)
    return {"start": beginning, "step": _step(model, beginning)}


def _axes(name: str) -> list[str]:
    """The names of the axes of a state, or of a part of the memory."""
    rows = SOURCE_ROWS if name.startswith(MEMORY) else BATCH
    return [rows, SOURCE_TIME, "memory"]


def _start(model: EncoderDecoder) -> Served:
    """The graph that reads a source."""
    inputs = {key: each for key, each in model.input.items() if key != "target_ids"}
    inputs = {"token_ids" if key == "source_ids" else key: each for key, each in inputs.items()}
    decoder, names = model.get_layer("decoder"), _memory_names(model)

    def given_to(given: dict[str, Any]) -> Any:
        return given.get("token_ids", given)

    def run(trace: Trace, given: dict[str, Any]) -> dict[str, Any]:
        found = read(model.layers_by_name(), given_to(given))
        g, values = trace.graph, found["values"]
        sizes = [g.size(trace.name(values), axis) for axis in (0, 1)]
        zero = g.constant([[0.0]], "float32")
        states = named_states(found["states"])
        nothing = trace.symbol(g.broadcast(zero, *sizes), (None, None))
        if decoder.has_attention:
            states["attention"] = nothing
        if decoder.has_attention and decoder.coverage:
            states["coverage"] = nothing
        if decoder.input_feeding:
            fed = g.broadcast(zero, sizes[0], decoder.units)
            states["fed"] = trace.symbol(fed, (None, decoder.units))
        memory = decoder.remember(values, found["memory_mask"])
        return states | {f"{MEMORY}{name}": getattr(memory, name) for name in names}

    specs = models.specs(inputs)
    sizes = {**sizes_of(model), "token_ids": sizes_of(model)["source_ids"]}
    probe = served.probe_of(specs, sizes)
    memory, states = model.encode(given_to(dict(probe)))
    expected = {**states, **{f"{MEMORY}{name}": getattr(memory, name) for name in names}}
    # frames of a sound are not as many as its samples
    axes = {name: [BATCH, SOURCE_TIME] for name in expected}
    return Served(models.graph_of(model, specs, run, axes), probe, served.arrays(expected))


def _step(model: EncoderDecoder, beginning: Served) -> Served:
    """The graph that writes a token, tried with two rows of tokens to each source."""
    known = dict(beginning.expected)
    memory = {name: known.pop(name) for name in list(known) if name.startswith(MEMORY)}
    decoder = model.get_layer("decoder")
    symbols = {
        name: keras.KerasTensor(_shape(name, each), each.dtype) for name, each in known.items()
    }
    inputs = {
        **IDS,
        **{name: (_shape(name, each), str(each.dtype)) for name, each in memory.items()},
    }

    def remembered(given: dict[str, Any]) -> Memory:
        parts = {name.removeprefix(MEMORY): given[name] for name in memory}
        values = parts.get("values", parts.get("mixed"))
        return Memory(values, parts.get("keys"), parts.get("mask"), parts.get("mixed"))

    def run(trace: Trace, given: dict[str, Any], states: States) -> Any:
        with _writing(decoder, trace):
            logits, after = model.step(given["token_ids"], states, remembered(given))
            found = {"logits": logits}, after
            trace.names([logits, after])
        return found

    axes = {name: _axes(name) for name in (*memory, *known)}
    axes |= {f"{models.NEXT}{name}": _axes(name) for name in known}
    file = models.step(model, inputs, symbols, run, axes)
    draw, rows = np.random.default_rng(2), 2 * len(next(iter(known.values())))
    states = {
        name: np.repeat(each, 2, axis=0) + draw.uniform(0, 0.1, (rows, 1)).astype(each.dtype)
        for name, each in known.items()
    }
    most = sizes_of(model)["token_ids"]
    tokens = draw.integers(1, max(2, most), rows).astype(np.int32)
    logits, after = model.step(tokens, states, remembered(memory))
    probe = {"token_ids": tokens, **states, **memory}
    expected = {"logits": logits, **{f"{models.NEXT}{name}": after[name] for name in states}}
    return Served(file, probe, served.arrays(expected))


def _shape(name: str, value: np.ndarray) -> tuple[Any, ...]:
    """The shape of a state or a part of the memory, None for dynamic sizes."""
    if name.startswith(MEMORY):
        return (None, None, *value.shape[2:])
    return (None, None) if name in ("attention", "coverage") else (None, value.shape[1])
