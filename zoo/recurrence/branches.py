"""One step from each state into several branches: the recurrent product is made once a state."""

import functools
from typing import Any

from keras import ops

from zoo.recurrence.tracing import on_tensorflow

if on_tensorflow():
    from zoo.recurrence import compiled


def available(cell: Any) -> bool:
    """Whether a step of the cell is `combine` of the products of input and state."""
    return bool(getattr(cell, "separable", False))


def branch(
    cell: Any, inputs: Any, states: list[Any], training: bool = False, fused: bool = True
) -> list[Any]:
    """The states after one step of each of m inputs from the same states.

    Args:
        cell: A built cell that is `available`.
        inputs: (P, m, E); row r of the states has the inputs of row r mod P.
        states: The states before the step, (R, K) each, R a multiple of P.
        training: Whether a gradient is wanted.
        fused: Whether the elementwise part may be compiled, in training.

    Returns:
        The states after the step, (R, m, K) each.
    """
    projected = cell.project(inputs)
    recurrent = None
    if cell.recurrent_kernel is not None:
        recurrent = ops.matmul(states[0], cell.recurrent_kernel)
        if cell.recurrent_bias is not None:
            recurrent = recurrent + cell.recurrent_bias
    fast = training and fused and on_tensorflow() and compiled.available(cell)
    combine = compiled.combination(cell, _combined) if fast else functools.partial(_combined, cell)
    return list(combine(projected, recurrent, states, cell.vectors()))


def _combined(
    cell: Any, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
) -> list[Any]:
    """`combine` over projected (P, m, G K), and recurrent (R, G K) and states (R, K)."""
    period, count, _ = projected.shape
    across = lambda part: ops.reshape(part, (-1, period, 1, part.shape[-1]))  # noqa: E731
    product = 0.0 if recurrent is None else across(recurrent)
    after = cell.combine(projected[None], product, [across(state) for state in states], vectors)
    rows = ops.shape(states[0])[0] // period
    return [
        ops.reshape(
            ops.broadcast_to(state, (rows, period, count, state.shape[-1])),
            (-1, count, state.shape[-1]),
        )
        for state in after
    ]
