"""The recurrent body: a cell run over time, in one or both directions, in one or more layers.

Padding stands on the right, so no step needs a mask: the forward direction reads a row's real
tokens before its padding, and the backward direction reverses each row within its own length. Final
states are those at each row's last real token, and outputs in the padding are zero.
"""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.cells import fast_lstm
from zoo.errors import (
    InputError,
    require_bool,
    require_choice,
    require_positive_int,
    require_rate,
)
from zoo.layers.scan import run_cell
from zoo.registry import cell_class

MERGE_MODES = ("concat", "sum", "ave", "mul")


@keras.saving.register_keras_serializable("zoo")
class Direction(masking.MaskedLayer):
    """One cell over time, forwards or backwards.

    Args:
        cell: A registered cell's name.
        units: Hidden size K.
        backwards: Read each row from its last real token to its first.
        recurrent_dropout: Share of the state dropped on its way into the recurrent product, one
            mask for all steps of a sequence (Gal and Ghahramani, arXiv:1512.05287).
        **kwargs: The Keras layer's own arguments.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        backwards: bool = False,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        require_positive_int("units", units)
        require_bool("backwards", backwards)
        require_rate("recurrent_dropout", recurrent_dropout)
        super().__init__(**kwargs)
        self.cell_name = cell
        self.units = units
        self.backwards = backwards
        self.recurrent_dropout = recurrent_dropout
        self.cell = cell_class(cell)(units, dtype=self.dtype_policy, name="cell")
        if recurrent_dropout and not hasattr(self.cell, "project"):
            raise InputError(
                f"recurrent_dropout needs a cell with a `step(projected, states, recurrent_mask)`, "
                f"which {cell!r} has not: set recurrent_dropout to 0 or derive the cell from "
                "zoo.cells.RecurrentCell"
            )
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_jit = not fast_lstm.available(self.cell)

    def build(self, inputs_shape: Any, **_shapes: Any) -> None:
        self.cell.build((inputs_shape[0], inputs_shape[-1]))

    def call(
        self, inputs: Any, mask: Any, initial_state: Any = None, training: bool = False
    ) -> tuple[Any, list[Any]]:
        lengths = masking.lengths(mask)
        if initial_state is None:
            initial_state = self.cell.get_initial_state(ops.shape(inputs)[0])
        if not isinstance(initial_state, list | tuple):
            initial_state = [initial_state]
        if self.backwards:
            inputs = masking.reverse_within_lengths(inputs, lengths)
        recurrent_mask = self._recurrent_mask(initial_state[0]) if training else None
        outputs, states = run_cell(self.cell, inputs, list(initial_state), recurrent_mask)
        final = [
            masking.last_real(state, lengths, start)
            for state, start in zip(states, initial_state, strict=True)
        ]
        if self.backwards:
            outputs = masking.reverse_within_lengths(outputs, lengths)
        return ops.where(mask[:, :, None], outputs, 0), final

    def _recurrent_mask(self, state: Any) -> Any:
        if not self.recurrent_dropout:
            return None
        ones = ops.ones_like(state)
        return keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)

    def compute_output_spec(self, inputs: Any, mask: Any, **_arguments: Any) -> Any:
        batch, time = inputs.shape[:2]
        sizes = self.cell.state_size
        sizes = sizes if isinstance(sizes, list | tuple) else [sizes]
        dtype = self.compute_dtype
        outputs = keras.KerasTensor((batch, time, sizes[0]), dtype)
        return outputs, [keras.KerasTensor((batch, size), dtype) for size in sizes]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "cell": self.cell_name,
            "units": self.units,
            "backwards": self.backwards,
            "recurrent_dropout": self.recurrent_dropout,
        }


@keras.saving.register_keras_serializable("zoo")
class Recurrent(masking.MaskedLayer):
    """A stack of recurrent layers, each in one direction or in both.

    inputs (B, T, E) -> outputs (B, T, K, or 2K for `concat`) and the final states: a list over the
    layers of a list over the directions of the cell's states, (B, K) each.

    Args:
        cell: A registered cell's name.
        units: Hidden size K of each direction.
        num_layers: L, layers on top of each other.
        bidirectional: A second cell reads each row backwards.
        merge_mode: How the two directions' outputs become one: `concat`, `sum`, `ave`, `mul`.
        dropout: Share dropped between layers, in training.
        recurrent_dropout: Share of the state dropped on its way into the recurrent product, one
            mask for all steps of a sequence.
        **kwargs: The Keras layer's own arguments.

    Source: Graves and Schmidhuber (2005) for both directions; Graves et al., arXiv:1303.5778, for
    the stack.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        merge_mode: str = "concat",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        require_positive_int("num_layers", num_layers)
        require_bool("bidirectional", bidirectional)
        require_choice("merge_mode", merge_mode, MERGE_MODES)
        require_rate("dropout", dropout)
        super().__init__(**kwargs)
        self.options = {
            "cell": cell,
            "units": units,
            "num_layers": num_layers,
            "bidirectional": bidirectional,
            "merge_mode": merge_mode,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
        }
        self.merge_mode = merge_mode
        self.directions = [
            [
                Direction(
                    cell,
                    units,
                    backwards=backwards,
                    recurrent_dropout=recurrent_dropout,
                    dtype=self.dtype_policy,
                    name=f"{'backward' if backwards else 'forward'}_{layer}",
                )
                for backwards in ((False, True) if bidirectional else (False,))
            ]
            for layer in range(num_layers)
        ]
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.supports_jit = all(way.supports_jit for layer in self.directions for way in layer)

    def build(self, inputs_shape: Any, **_shapes: Any) -> None:
        shape = inputs_shape
        for layer in self.directions:
            for direction in layer:
                direction.build(shape)
            width = layer[0].cell.output_size * (len(layer) if self.merge_mode == "concat" else 1)
            shape = (*inputs_shape[:2], width)

    def call(
        self, inputs: Any, mask: Any, initial_states: Any = None, training: bool = False
    ) -> tuple[Any, list[Any]]:
        final_states = []
        values = inputs
        for number, layer in enumerate(self.directions):
            if number:
                values = self.dropout(values, training=training)
            starts = initial_states[number] if initial_states is not None else [None] * len(layer)
            results = [
                direction(values, mask=mask, initial_state=start, training=training)
                for direction, start in zip(layer, starts, strict=True)
            ]
            values = self.merge([outputs for outputs, _ in results])
            final_states.append([states for _, states in results])
        return values, final_states

    def merge(self, values: list[Any]) -> Any:
        """Makes one tensor of the directions' tensors, by `merge_mode`."""
        if len(values) == 1:
            return values[0]
        forward, backward = values
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "mul":
            return forward * backward
        total = forward + backward
        return total / 2 if self.merge_mode == "ave" else total

    def last_output(self, final_states: list[Any]) -> Any:
        """The top layer's output at the end of each direction, merged: (B, K or 2K)."""
        return self.merge([states[0] for states in final_states[-1]])

    def compute_output_spec(self, inputs: Any, mask: Any, **_arguments: Any) -> Any:
        values, final_states = inputs, []
        for layer in self.directions:
            specs = [direction.compute_output_spec(values, mask) for direction in layer]
            values = specs[0][0]
            if self.merge_mode == "concat":
                shape = (*values.shape[:2], values.shape[2] * len(layer))
                values = keras.KerasTensor(shape, values.dtype)
            final_states.append([states for _, states in specs])
        return values, final_states

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}
