"""Runs a cell over all steps by the fastest method that the cell and its options allow."""

import functools
from typing import Any

from keras import ops

from zoo import masking
from zoo.cells import LinearCell, MatrixCell, ReadCell, RecurrentCell
from zoo.cells.read import Scans, as_states, precise
from zoo.recurrence import matrix_state
from zoo.recurrence.complex_scan import complex_scan
from zoo.recurrence.keras_cell import CellForm, dropout_masks, is_zoo_cell
from zoo.recurrence.linear import linear_scan
from zoo.recurrence.stepwise import Step, Zoneout, outputs_and_final, outputs_and_states
from zoo.recurrence.tracing import on_jax, on_tensorflow, on_torch

if on_tensorflow():
    from zoo.recurrence import block_lstm, sharding
    from zoo.recurrence import compiled as fast_scan
if on_torch():
    from zoo.recurrence import torch_op
if on_jax():
    from zoo.recurrence import jax_loops

GATES_APART = 3  # from here on JAX makes x W step by step
WAYS = {
    "loops": "compiled loops with an explicit gradient, from 32 units up",
    "op": f"one {'PyTorch' if on_torch() else 'TensorFlow'} op for all steps",
    "elements": "a parallel scan over elements, without a loop over steps",
    "chunks": "by chunks of steps: matrix products within them, a loop over them",
    "steps": "step by step, input products precomputed for all steps",
    "calls": "step by step, the whole cell at each step",
}


def way(cell: Any, training: bool, altered: bool = False, zoneout: float = 0.0) -> str:
    """The method by which a cell runs over time, one of `WAYS`.

    `altered`: weight drop or recurrent dropout modifies the recurrent product. Zoneout rules out
    every fast method.
    """
    if not is_zoo_cell(cell):
        return "calls"
    if zoneout:
        return "steps"
    if isinstance(cell, ReadCell):
        return _read_way(cell, training)
    if training and _has_loops(cell):
        return "loops"
    if not altered and _has_op(cell):
        return "op"
    return "elements" if _is_linear(cell) else "steps"


def _has_loops(cell: Any) -> bool:
    """Whether the backend has loops with an explicit gradient that run a cell."""
    if on_jax():
        return jax_loops.available(cell)
    return on_tensorflow() and fast_scan.available(cell)


def _has_op(cell: Any) -> bool:
    """Whether the backend has an op for all steps of a cell."""
    if on_torch():
        return torch_op.available(cell)
    return on_tensorflow() and block_lstm.available(cell)


def _read_way(cell: ReadCell, training: bool) -> str:
    """The method of a cell whose output is read from its states."""
    if cell.has_form("through_time"):
        return "elements"
    if isinstance(cell, MatrixCell) and cell.runs_by_chunks():
        return "chunks"
    loops = training and on_tensorflow() and cell.has_form("memory")
    return "loops" if loops and fast_scan.available(cell.memory()) else "steps"


def _is_linear(cell: Any) -> bool:
    """Whether the states follow from `coefficients`; a subclass may have another step."""
    own = type(cell)
    return (
        isinstance(cell, LinearCell)
        and own.combine is LinearCell.combine
        and own.step is RecurrentCell.step
    )


def _portable(chosen: str, inputs: Any) -> str:
    """The method for graphs with a static batch size, as for LiteRT.

    LiteRT has no LSTM op for all steps, solves no triangular systems and cannot scan elements in
    rows of unknown length.
    """
    import tensorflow as tf

    if tf.executing_eagerly() or inputs.shape[0] is None:
        return chosen
    if chosen == "elements" and inputs.shape[1] is None:
        return "steps"
    return "steps" if chosen in ("op", "chunks") else chosen


def run_cell(
    cell: Any,
    inputs: Any,
    initial_state: list[Any],
    lengths: Any,
    training: bool = False,
    recurrent_kernel: Any = None,
    recurrent_mask: Any = None,
    zoneout: Zoneout | None = None,
    shards: int = 1,
    compiled: bool = True,
    lookup: Any = None,
    width: int | None = None,
    whole: bool = False,
) -> tuple[Any, list[Any]]:
    """Runs a built cell over all steps of inputs (B, T, E), from states (B, K) each.

    Each row has `lengths` real tokens, int32 (B,). `recurrent_kernel`, `recurrent_mask`, `zoneout`
    and `width` are those of `Step`; a large batch runs in `shards` in parallel; `compiled` allows
    compiled loops. `lookup` is the token ids int (B, T) and the table (V, E) that the inputs were
    looked up in: loops look up the V products with W instead of making B T of them. With `whole`
    each row has T real tokens, so that loops need not keep the states of rows that have ended.

    Returns:
        The outputs (B, T, K), undefined in the padding, and the states at each row's last real
        token, (B, K) each.
    """
    altered = recurrent_kernel is not None or recurrent_mask is not None
    compiled = compiled and inputs.shape[1] != 1  # compiling takes seconds, one step gains nothing
    chosen = way(cell, training and compiled, altered, zoneout.rate if zoneout else 0.0)
    if chosen == "chunks" and inputs.shape[1] == 1:
        chosen = "steps"
    if chosen == "loops" and isinstance(cell, ReadCell):
        return _read_loops(cell, inputs, initial_state, lengths, shards)
    if chosen == "loops" and on_jax():
        until = None if whole else lengths
        return jax_loops.run(cell, inputs, initial_state, until, recurrent_kernel, recurrent_mask)
    if chosen == "loops":
        products = None
        if lookup is not None:
            inputs, table = lookup
            products = cell.input_product(table)
        return fast_scan.run_sharded(
            cell, inputs, initial_state, lengths, recurrent_kernel, recurrent_mask, shards, products
        )
    form = CellForm(cell, training) if chosen == "calls" else None
    hoists = training or not on_jax() or getattr(cell, "num_gates", 1) < GATES_APART
    step = Step(cell, recurrent_kernel, recurrent_mask, zoneout, form, width, hoists)
    if form is not None and training:
        with dropout_masks(cell, ops.shape(inputs)[0], inputs.shape[-1]):
            return _run(chosen, step, training, inputs, lengths, initial_state)
    if training or not on_tensorflow():
        return _run(chosen, step, training, inputs, lengths, initial_state, whole)
    chosen = _portable(chosen, inputs)
    if chosen != "op" and shards == 1:  # any batch runs by one method: no branch, a smaller graph
        return _run(chosen, step, training, inputs, lengths, initial_state)
    return sharding.run(
        functools.partial(_run, chosen, step, training),
        functools.partial(_run, "steps" if chosen == "op" else chosen, step, training),
        inputs,
        lengths,
        initial_state,
        shards,
    )


def _run(
    chosen: str,
    step: Step,
    training: bool,
    inputs: Any,
    lengths: Any,
    initial_state: list[Any],
    whole: bool = False,
) -> tuple[Any, list[Any]]:
    """Runs all steps by a method that is not compiled."""
    cell, outputs = step.cell, None
    if chosen == "chunks":
        return _run_chunks(cell, inputs, initial_state, lengths)
    if chosen == "op" and on_torch():
        return torch_op.run(cell, inputs, initial_state, lengths)
    if chosen == "op":
        states = block_lstm.run(cell, inputs, initial_state)
    elif chosen == "elements" and isinstance(cell, ReadCell):
        projected = cell.project(inputs)
        states = cell.through_time(projected, initial_state, Scans(linear_scan, complex_scan))
        outputs = _read(cell, projected, initial_state, states)
    elif chosen == "elements":
        a, b = cell.coefficients(cell.project(inputs), cell.vectors())
        states = [linear_scan(a, b, initial_state[0])]
    elif not on_tensorflow():
        until = None if whole else lengths
        return outputs_and_final(step, inputs, initial_state, until, training)
    else:
        until = lengths if training and not whole else None
        outputs, states = outputs_and_states(step, inputs, initial_state, until)
    final = masking.each_last_real(states, lengths, initial_state)
    return states[0] if outputs is None else outputs, final


def _read_loops(
    cell: ReadCell, inputs: Any, initial_state: list[Any], lengths: Any, shards: int
) -> tuple[Any, list[Any]]:
    """Runs the recurrence of a cell by compiled loops, and reads all outputs from its states."""
    projected = cell.project(inputs)
    memory: Any = cell.memory()
    width = memory.num_gates * cell.units
    states, final = fast_scan.run_sharded(
        memory, projected[..., :width], initial_state, lengths, shards=shards
    )
    return _read(cell, projected, initial_state, [states]), final


def _run_chunks(
    cell: MatrixCell, inputs: Any, initial_state: list[Any], lengths: Any
) -> tuple[Any, list[Any]]:
    """Runs a cell with a matrix-valued state by chunks of steps."""
    projected = cell.project(inputs)
    writes = cell.writes(projected, cell.vectors())
    start = [precise(state) for state in initial_state]
    found, final = matrix_state.chunked(writes, start, lengths)
    read = ops.cast(cell.joined(found), projected.dtype)
    return cell.shown(read, projected), as_states(final, initial_state)


def _read(cell: ReadCell, projected: Any, start: list[Any], states: list[Any]) -> Any:
    """The outputs (B, T, K) from the states of all steps, (B, T, size) each."""
    before = [
        ops.concatenate([first[:, None], each[:, :-1]], axis=1)
        for first, each in zip(start, states, strict=True)
    ]
    return cell.read(projected, before, states, cell.vectors())
