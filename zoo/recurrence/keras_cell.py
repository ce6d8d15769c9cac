"""Adapter from any cell of `keras.layers.RNN` to the form that the recurrent body uses.

The body uses flat lists of states (B, size). A Keras cell may nest its states, take `training`,
return an output that is none of its states, or lack `get_initial_state`; `CellForm` calls it.
The zoo's own cells need no adapter: their input product is computed for all steps at once, and
their first state is their output.
"""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from zoo.cells import GRUCell, RecurrentCell
from zoo.errors import InputError


def is_zoo_cell(cell: Any) -> bool:
    """Whether a step consists of `project` and `step`; a subclass with its own `call` does not."""
    return isinstance(cell, RecurrentCell) and type(cell).call is RecurrentCell.call


def has_own_output(cell: Any) -> bool:
    """Whether the output may differ from the first state."""
    known = (RecurrentCell.step, GRUCell.step)
    return not is_zoo_cell(cell) or type(cell).step not in known


def state_sizes(cell: Any) -> list[int]:
    """The sizes of a cell's states, flat."""
    return [int(size) for size in keras.tree.flatten(_listed(cell.state_size))]


def output_size(cell: Any) -> int:
    """The width of a cell's output: its `output_size`, or the size of its first state."""
    size = getattr(cell, "output_size", None)
    return state_sizes(cell)[0] if size is None else int(keras.tree.flatten(_listed(size))[0])


def initial_states(cell: Any, batch_size: Any) -> list[Any]:
    """The states before the first step as the cell nests them, (B, size) each; zeros by default."""
    make = getattr(cell, "get_initial_state", None)
    dtype = getattr(cell, "compute_dtype", None) or keras.config.floatx()
    if make is None:
        return keras.tree.map_structure(
            lambda size: ops.zeros((batch_size, int(size)), dtype=dtype), _listed(cell.state_size)
        )
    parameters = inspect.signature(make).parameters.values()
    named = any(p.name == "batch_size" or p.kind is p.VAR_KEYWORD for p in parameters)
    states = make(batch_size=batch_size) if named else make(batch_size)
    states = list(states) if keras.tree.is_nested(states) else [states]
    return keras.tree.map_structure(lambda each: ops.cast(each, dtype), states)


def build_cell(cell: Any, input_size: int) -> int:
    """Builds a cell and its parts, and returns the width of its output.

    A Keras cell is called once on symbolic tensors, so that layers which it creates or builds in
    its `call` have their weights before the loop over time.
    """
    shape = (None, input_size)
    if is_zoo_cell(cell) or not isinstance(cell, keras.layers.Layer):
        if not getattr(cell, "built", True):
            cell.build(shape)
        return output_size(cell)
    if type(cell).build is not keras.layers.Layer.build and not cell.built:
        cell.build(shape)
        cell.built = True
    nested = keras.tree.pack_sequence_as(
        initial_states(cell, 1),
        [keras.KerasTensor((None, size), cell.compute_dtype) for size in state_sizes(cell)],
    )
    output, _ = cell(keras.KerasTensor(shape, cell.compute_dtype), nested)
    return int(output.shape[-1])


class CellForm:
    """How to call a Keras cell with flat states, and with `training` if it takes that."""

    def __init__(self, cell: Any, training: bool) -> None:
        self.cell = cell
        self.nest = keras.tree.map_structure(lambda _: 0, initial_states(cell, 1))
        takes = "training" in inspect.signature(cell.call).parameters
        self.options = {"training": training} if takes else {}

    def __call__(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step: inputs (B, E) and flat states -> the output and the flat states after it."""
        nested = keras.tree.pack_sequence_as(self.nest, states)
        output, after = self.cell(inputs, nested, **self.options)
        flat = keras.tree.flatten(after)
        if len(flat) != len(states):
            raise InputError(
                f"the cell {type(self.cell).__name__} has {len(states)} states by its state_size, "
                f"but its call returned {len(flat)}: return one new state for each"
            )
        return output, flat


@contextlib.contextmanager
def dropout_masks(cell: Any, rows: Any, input_size: int) -> Iterator[None]:
    """One dropout mask for all steps of a stock Keras cell, made before the loop over time."""
    cells = _flat_cells(cell)
    width = input_size
    try:
        for each in cells:
            if hasattr(each, "get_dropout_mask"):
                dtype = each.compute_dtype
                each.get_dropout_mask(ops.ones((rows, width), dtype=dtype))
                first = state_sizes(each)[0]
                each.get_recurrent_dropout_mask(ops.ones((rows, first), dtype=dtype))
            width = output_size(each)
        yield
    finally:
        for each in cells:
            if hasattr(each, "reset_dropout_mask"):
                each.reset_dropout_mask()
                each.reset_recurrent_dropout_mask()


def _flat_cells(cell: Any) -> list[Any]:
    """The cells of a stack, or the cell."""
    if not isinstance(cell, keras.layers.StackedRNNCells):
        return [cell]
    return [part for each in cell.cells for part in _flat_cells(each)]


def _listed(sizes: Any) -> Any:
    """A state size as a list: of an int, a list, a tuple or a `tf.TensorShape`."""
    if isinstance(sizes, int):
        return [sizes]
    return [size if isinstance(size, int) else list(size) for size in sizes]
