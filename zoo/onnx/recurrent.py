"""The recurrent body: native operations where ONNX has the cell, else a loop of its own step.

Within a body the time is the first axis, as the operations want it. All that is read in the
padding is ignored: native operations get each row's length, and in a loop the states of a row stay
as they are after its end. A loop that reads backwards begins with the padding, and so reads each
row within its own length.
"""

from typing import Any

import keras
import numpy as np

from zoo.layers import Recurrent
from zoo.onnx.graph import Graph
from zoo.onnx.loops import Read, Steps, lengths_of, loop, own_start, start_of
from zoo.onnx.native import Native, native_of
from zoo.onnx.trace import Call, converts

REDUCED = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


@converts(Recurrent)
def recurrent(
    call: Call,
    inputs: Any,
    mask: Any = None,
    initial_states: Any = None,
    lookup: Any = None,
    return_last: bool = False,
    branches: bool = False,
    training: bool = False,
) -> Any:
    """A body on inputs (B, T, E): its results as the layer returns them."""
    layer, g = call.operation, call.graph
    if branches:
        return _branches(call, inputs, initial_states)
    values = g.node("Transpose", call.name(inputs), perm=[1, 0, 2])
    real = None if mask is None else call.name(mask, "bool")
    steps = Steps(call.trace, values, inputs.shape[-1], real)
    finals, ends = [], []
    for number, directions in enumerate(layer.directions):
        starts: list[Any] = [None] * len(directions)
        if initial_states is not None:
            starts = [call.trace.names(each) for each in initial_states[number]]
        found = _layer(steps, directions, starts, layer.options.merge_mode)
        outputs = found.outputs
        if layer.options.residual and number:
            outputs = g.node("Add", steps.values, outputs)
        steps = steps._replace(values=outputs, width=layer._width(directions))
        finals.append(found.finals)
        ends.append(found.last)
    last = ends[-1]
    if layer.options.residual:
        for end in reversed(ends[:-1]):
            last = g.node("Add", end, last)
    for dense in layer.upper:
        steps = steps._replace(
            values=call.trace.apply(dense, steps.values, (None, None, steps.width))
        )
        last = call.trace.apply(dense, last, (None, steps.width))
        steps = steps._replace(width=dense.units)
    outputs = _padded(steps, steps.values) if layer.upper else steps.values
    outputs = g.node("Transpose", outputs, perm=[1, 0, 2])
    return layer._result(outputs, last, finals, return_last)


def _branches(call: Call, inputs: Any, initial_states: Any) -> str:
    """One step of each of m inputs (P, m, E) from the same states (R, K): outputs (R, m, K)."""
    layer, g, trace = call.operation, call.graph, call.trace
    period, count, size = inputs.shape
    first = trace.name(initial_states[0][0][0])
    wide = g.reshape(trace.name(inputs), 1, period, count, size)
    times = g.node("Div", g.size(first, 0), g.axes(period))
    wide = g.broadcast(wide, times, period, count, size)
    values = trace.symbol(g.reshape(wide, -1, size), (None, size))
    states = []
    for (direction,) in initial_states:
        repeated = [keras.ops.repeat(state, count, axis=0) for state in direction]
        states.append([repeated])
    outputs, _ = layer.step(values, states)
    return g.reshape(trace.name(outputs), -1, count, layer.output_size)


def _layer(steps: Steps, directions: list[Any], starts: list[Any], mode: str) -> Read:
    """One layer: its directions merged, zeros in the padding."""
    natives = [native_of(direction) for direction in directions]
    known = [each for each in natives if each is not None]
    if len(known) == len(directions):
        outputs, finals = _native(steps, directions, known, starts)
        found = [Read("", each, each[0]) for each in finals]
        outputs = _merged_native(steps.graph, outputs, directions, mode)
    else:
        found = [loop(steps, *each) for each in zip(directions, starts, strict=True)]
        outputs = _merged(steps.graph, [each.outputs for each in found], mode)
    last = _merged(steps.graph, [each.last for each in found], mode)
    return Read(_padded(steps, outputs), [each.finals for each in found], last)


def _padded(steps: Steps, outputs: str) -> str:
    """Outputs (T, B, K) with zeros in the padding."""
    if steps.mask is None:
        return outputs
    g = steps.graph
    return str(g.node("Where", steps.active(), outputs, g.constant(0.0, "float32")))


def _merged(g: Graph, values: list[str], mode: str) -> str:
    """One tensor of those of the directions, (..., K) each."""
    if len(values) == 1:
        return values[0]
    if mode == "concat":
        return str(g.node("Concat", *values, axis=-1))
    kinds = {"sum": "Sum", "ave": "Mean", "mul": "Mul"}
    return str(g.node(kinds[mode], *values))


def _merged_native(g: Graph, outputs: str, directions: list[Any], mode: str) -> str:
    """Outputs (T, D, B, K) of an ONNX operation -> (T, B, K or 2K)."""
    if len(directions) == 1:
        return str(g.node("Squeeze", outputs, g.axes(1)))
    if mode != "concat":
        return str(g.node(REDUCED[mode], outputs, g.axes(1), keepdims=0))
    aside = g.node("Transpose", outputs, perm=[0, 2, 1, 3])
    return g.reshape(aside, 0, 0, 2 * directions[0].output_size)


def _native(
    steps: Steps, directions: list[Any], natives: list[Native], starts: list[Any]
) -> tuple[str, list[Any]]:
    """One layer as an ONNX operation: outputs (T, D, B, K), and the final states."""
    g, first = steps.graph, natives[0]
    stacked = [np.stack(parts) for parts in zip(*(each.weights for each in natives), strict=True)]
    names = ["kernel", "recurrent_kernel", "bias", "peepholes"]
    path = directions[0].path
    weights = [
        g.constant(value, "float32", f"{path}/{name}")
        for value, name in zip(stacked, names, strict=False)
    ]
    count = len(directions[0].state_sizes)
    own = [own_start(direction) for direction in directions]
    given = any(start is not None for start in starts) or np.any(np.concatenate(own))
    initial = [""] * count
    if given:
        begin = [start_of(steps, *each) for each in zip(directions, starts, strict=True)]
        initial = [_stacked(g, [each[place] for each in begin]) for place in range(count)]
    rows = "" if steps.mask is None else lengths_of(g, steps.mask)
    extra = weights[3:]
    inputs = [steps.values, *weights[:3], rows, *initial, *([""] * (2 - count)), *extra]
    while inputs[-1] == "":
        inputs.pop()
    ways = ["bidirectional"] if len(directions) > 1 else ["forward"]
    found = g.node(
        first.kind,
        *(inputs if extra else inputs[: 5 + count]),
        outputs=1 + count,
        hidden_size=directions[0].options.units,
        direction="reverse" if len(directions) == 1 and directions[0].backwards else ways[0],
        **{
            key: value * len(directions) if isinstance(value, list) else value
            for key, value in first.attributes.items()
        },
    )
    outputs, *finals = found
    if given and steps.mask is not None:
        # of rows without a real step the operation returns zeros
        full = g.node("Greater", rows, g.constant(0, "int32"))
        full = g.node("Unsqueeze", full, g.axes(1))
        finals = [
            g.node("Where", full, final, start)
            for final, start in zip(finals, initial, strict=True)
        ]
    by_direction = [
        [g.node("Gather", final, g.constant(place, "int64"), axis=0) for final in finals]
        for place in range(len(directions))
    ]
    return outputs, by_direction


def _stacked(g: Graph, values: list[str]) -> str:
    """States (B, K) of each direction as (D, B, K)."""
    axis = [g.node("Unsqueeze", value, g.axes(0)) for value in values]
    return str(axis[0] if len(axis) == 1 else g.node("Concat", *axis, axis=0))
