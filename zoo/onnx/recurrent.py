"""The recurrent body: native operations where ONNX has the cell, else a loop of its own step.

Within a body the time is the first axis, as the operations want it. All that is read in the
padding is ignored: native operations get each row's length, and in a loop the states of a row stay
as they are behind its end. A loop that reads backwards begins with the padding, and so reads each
row within its own length.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.cells import LinearCell, RecurrentCell
from zoo.layers import Recurrent
from zoo.onnx.graph import Graph
from zoo.onnx.native import Native, native_of
from zoo.onnx.trace import Call, Trace, converts
from zoo.recurrence.keras_cell import CellForm, has_own_output, is_zoo_cell
from zoo.recurrence.stepwise import Step, Zoneout

REDUCED = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


class Steps(NamedTuple):
    """A sequence, the time first.

    Attributes:
        trace: Where it is written.
        values: (T, B, E).
        width: E.
        mask: Bool (B, T), or None where all steps are real.
    """

    trace: Trace
    values: str
    width: int
    mask: str | None

    @property
    def graph(self) -> Graph:
        """The graph to write to."""
        return self.trace.graph

    @property
    def rows(self) -> str:
        """B, int64 (1,)."""
        return self.graph.size(self.values, 1)

    def active(self) -> str:
        """The mask as bool (T, B, 1)."""
        g, mask = self.graph, self.mask or ""
        return _once(
            g,
            ("active", mask),
            lambda: g.node("Unsqueeze", g.node("Transpose", mask, perm=[1, 0]), g.axes(2)),
        )


def _once(graph: Graph, key: Any, make: Callable[[], str]) -> str:
    """What a graph has made already, or makes now."""
    if key not in graph.memo:
        graph.memo[key] = make()
    return str(graph.memo[key])


def lengths_of(graph: Graph, mask: str) -> str:
    """The number of real tokens in each row of a mask: bool (B, T) -> int32 (B,)."""
    return _once(
        graph,
        ("lengths", mask),
        lambda: graph.node("ReduceSum", graph.cast(mask, "int32"), graph.axes(1), keepdims=0),
    )


class Read(NamedTuple):
    """What a layer, or one direction, gives.

    Attributes:
        outputs: (T, B, K), of one direction or merged.
        finals: The final states, (B, K) each; of a layer a list for each direction.
        last: The output at the step that was read last, (B, K).
    """

    outputs: str
    finals: list[Any]
    last: str


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
        found = [_loop(steps, *each) for each in zip(directions, starts, strict=True)]
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


def start_of(steps: Steps, direction: Any, start: Any) -> list[str]:
    """The states (B, K) before the first step: those given, or the direction's own."""
    if start is not None:
        return list(start)
    g = steps.graph
    return [
        g.broadcast(g.constant(state, "float32", "initial_state"), steps.rows, state.shape[-1])
        for state in own_start(direction)
    ]


def own_start(direction: Any) -> list[np.ndarray]:
    """A direction's own states of one row before the first step, (1, K) each."""
    return [keras.ops.convert_to_numpy(each) for each in direction.get_initial_state(1)]


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


def _loop(steps: Steps, direction: Any, start: Any) -> Read:
    """One direction as an ONNX `Scan` over the cell's own step."""
    cell, states = direction.cell, start_of(steps, direction, start)
    if _is_linear(direction):
        outputs, finals = _linear(steps, direction, states)
        return Read(outputs, finals, finals[0])
    own = has_own_output(cell)
    sizes = direction.state_sizes
    if own:  # the last output is a state of the loop too
        g = steps.graph
        width = direction.output_size
        nothing = g.broadcast(g.constant([[0.0]], "float32"), steps.rows, width)
        states, sizes = [nothing, *states], [width, *sizes]
    sources = [_projected(steps, cell)]
    step = _step_of(direction)

    def advance(trace: Trace, before: list[Any], values: list[Any]) -> list[Any]:
        output, new = step(before[int(own) :], values, {})
        return [output, *new] if own else list(new)

    masks = [] if steps.mask is None else [steps.active()]
    outputs, finals = scan(
        steps, advance, list(zip(states, sizes, strict=True)), sources, masks, direction.backwards
    )
    return Read(outputs, finals[int(own) :], finals[0])


def _step_of(direction: Any) -> Step:
    """One step of a direction outside of training."""
    cell, rate = direction.cell, direction.options.zoneout
    form = None if is_zoo_cell(cell) else CellForm(cell, training=False)
    return Step(cell, zoneout=Zoneout(rate) if rate else None, form=form)


def _projected(steps: Steps, cell: Any) -> tuple[str, int]:
    """What a step reads of all inputs, (T, B, D), and D: products with W where a cell has one."""
    if not is_zoo_cell(cell):
        return steps.values, steps.width
    flat = steps.trace.symbol(
        steps.graph.reshape(steps.values, -1, steps.width), (None, steps.width)
    )
    product = cell.project(flat)
    return _unflat(steps, steps.trace.name(product), product.shape[-1]), product.shape[-1]


def _unflat(steps: Steps, values: str, width: int) -> str:
    """(T B, D) -> (T, B, D)."""
    return steps.graph.reshape(values, steps.graph.size(steps.values, 0), -1, width)


def _is_linear(direction: Any) -> bool:
    """Whether the states follow from `coefficients`; a subclass may have another step."""
    own = type(direction.cell)
    return (
        isinstance(direction.cell, LinearCell)
        and own.combine is LinearCell.combine
        and own.step is RecurrentCell.step
        and own.call is RecurrentCell.call
        and not direction.options.zoneout
    )


def _linear(steps: Steps, direction: Any, states: list[str]) -> tuple[str, list[str]]:
    """h_t = a_t h_(t-1) + b_t: both for all steps at once, a loop of a product and a sum."""
    g, cell, units = steps.graph, direction.cell, direction.options.units
    flat = steps.trace.symbol(g.reshape(steps.values, -1, steps.width), (None, steps.width))
    parts = cell.coefficients(cell.project(flat), cell.vectors())
    sources = []
    for part, neutral in zip(parts, (1.0, 0.0), strict=True):
        source = _unflat(steps, steps.trace.name(part), units)
        if steps.mask is not None:
            source = g.node("Where", steps.active(), source, g.constant(neutral, "float32"))
        sources.append((source, units))

    def advance(trace: Trace, before: list[Any], values: list[Any]) -> list[Any]:
        return [values[0] * before[0] + values[1]]

    return scan(steps, advance, [(states[0], units)], sources, [], direction.backwards)


def scan(
    steps: Steps,
    advance: Callable[[Trace, list[Any], list[Any]], list[Any]],
    states: list[tuple[str, int]],
    sources: list[tuple[str, int]],
    masks: list[str],
    backwards: bool = False,
) -> tuple[str, list[str]]:
    """Writes a loop over time.

    Args:
        steps: The sequence.
        advance: From the loop's trace, symbolic states (B, K) and symbolic values (B, D) of a
            step, to the states after it.
        states: The states before the first step, with their sizes.
        sources: (T, B, D) each, with D.
        masks: Bool (T, B, 1): where it is false, the states stay; none or one.
        backwards: Read the last step first.

    Returns:
        The first state after each step, (T, B, K), and the final states.
    """
    g = steps.graph.body("steps")
    trace = Trace(g)
    before = [
        trace.input(f"state_{n}", (None, size), ("rows", None))
        for n, (_, size) in enumerate(states)
    ]
    values = [
        trace.input(f"value_{n}", (None, size), ("rows", None))
        for n, (_, size) in enumerate(sources)
    ]
    real = [g.input("real", "bool", ("rows", 1)) for _ in masks]
    after = [trace.name(each, "float32") for each in advance(trace, before, values)]
    for mask in real:
        after = [
            g.node("Where", mask, new, trace.name(old))
            for new, old in zip(after, before, strict=True)
        ]
    for (_, size), new in zip(states, after, strict=True):
        g.output("after", new, "float32", ("rows", size))
    g.output("reached", after[0], "float32", ("rows", states[0][1]))
    inputs = [*(name for name, _ in states), *(name for name, _ in sources), *masks]
    count = len(sources) + len(masks)
    found = steps.graph.node(
        "Scan",
        *inputs,
        outputs=len(states) + 1,
        body=g.proto(),
        num_scan_inputs=count,
        scan_input_directions=[int(backwards)] * count,
        scan_output_directions=[int(backwards)],
    )
    *finals, reached = found
    return reached, finals
