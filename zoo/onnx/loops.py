"""Loops over time: a sequence, the states before it, and a `Scan` of a cell's own step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.cells import LinearCell, RecurrentCell
from zoo.onnx.graph import Graph
from zoo.onnx.trace import Trace
from zoo.recurrence.keras_cell import CellForm, has_own_output, is_zoo_cell
from zoo.recurrence.stepwise import Step, Zoneout


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


def loop(steps: Steps, direction: Any, start: Any) -> Read:
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
