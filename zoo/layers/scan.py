"""One cell over all steps: the fast way where there is one, else step by step."""

from typing import Any

import keras
from keras import ops

from zoo.cells import fast_lstm


def run_cell(cell: Any, inputs: Any, initial_state: list[Any], recurrent_mask: Any = None) -> Any:
    """Runs a cell over all steps.

    A zoo cell takes its input products at once and then only steps; an LSTM without a recurrent
    mask runs as one op where there is one; any other Keras RNN cell is called step by step.

    Args:
        cell: A built cell.
        inputs: (B, T, E).
        initial_state: The states before the first step, (B, K) each.
        recurrent_mask: (B, K), the same for all steps, or None.

    Returns:
        The outputs (B, T, K), and the states at each step, (B, T, K) each.
    """
    if recurrent_mask is None and fast_lstm.available(cell):
        return fast_lstm.run(cell, inputs, initial_state)
    hoisted = hasattr(cell, "project")
    values = cell.project(inputs) if hoisted else inputs

    def step(states: list[Any], value: Any) -> list[Any]:
        if hoisted:
            return list(cell.step(value, list(states), recurrent_mask)[1])
        return list(cell(value, list(states))[1])

    states = _scan(step, list(initial_state), ops.moveaxis(values, 1, 0))
    states = [ops.moveaxis(state, 0, 1) for state in states]
    return states[0], states


def _scan(step: Any, initial_state: list[Any], by_step: Any) -> list[Any]:
    """The states after each step, (T, B, K) each, of `step(states, value) -> states`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # ops.scan bounds no loop there, so XLA cannot take its gradient

        return tf.scan(step, by_step, initial_state)

    def carry(states: list[Any], value: Any) -> Any:
        states = step(states, value)
        return states, states

    return ops.scan(carry, initial_state, by_step)[1]
