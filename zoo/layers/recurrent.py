"""The recurrent body: a cell run over time, in one or both directions, in one or more layers.

Padding stands on the right: the forward direction reads a row's real tokens before its padding, and
the backward direction reverses each row within its own length. Final states are those at each row's
last real token, and outputs in the padding are zero.
"""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.cells.cell import activation_of
from zoo.errors import InputError, require_bool, require_choice, require_positive_int, require_rate
from zoo.layers.direction import Direction, default_shards
from zoo.layers.state_form import checked_states

MERGE_MODES = ("concat", "sum", "ave", "mul")


@keras.saving.register_keras_serializable("zoo")
class Recurrent(masking.MaskedLayer):
    """A stack of recurrent layers, each in one direction or in both.

    inputs (B, T, E), mask (B, T) -> outputs (B, T, K, or 2K for `concat`) and the final states: a
    list over the layers of a list over the directions of the cell's states, (B, K) each. In that
    form `initial_states` are taken as well. Inputs that are rows of a small table (V, E), V below
    B T, are trained faster with `lookup`, a list of the token ids (B, T) and the table: then x W is
    made once for each row of it. The result is the same.

    Args:
        cell: A registered cell's name.
        units: Hidden size K of each direction.
        num_layers: L, layers on top of each other.
        bidirectional: A second cell reads each row backwards.
        merge_mode: How the two directions' outputs become one: `concat`, `sum`, `ave`, `mul`.
        residual: Add to a layer's output what it read, from the second layer on (He et al.,
            arXiv:1512.03385; Wu et al., arXiv:1609.08144).
        dense_layers: Layers on top that see one step each and have no recurrence (the lectures'
            variant of a deep RNN), of K units.
        dense_activation: Activation of the dense layers.
        dropout: Share dropped between layers, in training.
        input_dropout: Share of each layer's inputs dropped, in training, one mask for all steps of
            a sequence.
        recurrent_dropout: Share of the state dropped on its way into the recurrent product, one
            mask for all steps.
        zoneout: Probability that an element of a state is not updated in a step.
        weight_drop: Share of the recurrent matrices dropped, one mask for a batch.
        learned_initial_state: Learn the states before the first step; zeros otherwise.
        cell_options: The cell's own options, such as `{"reset_after": False}`.
        **kwargs: The Keras layer's own arguments.

    Raises:
        InputError: An option or the initial states have a wrong value, number or shape.

    Source: Graves and Schmidhuber (2005) for both directions; Graves et al., arXiv:1303.5778, for
    the stack; `Direction` names the source of each dropout.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        merge_mode: str = "concat",
        residual: bool = False,
        dense_layers: int = 0,
        dense_activation: Any = "tanh",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        weight_drop: float = 0.0,
        learned_initial_state: bool = False,
        cell_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        require_positive_int("num_layers", num_layers)
        require_bool("bidirectional", bidirectional)
        require_choice("merge_mode", merge_mode, MERGE_MODES)
        require_bool("residual", residual)
        if dense_layers != 0:
            require_positive_int("dense_layers", dense_layers)
        require_rate("dropout", dropout)
        super().__init__(**kwargs)
        every_direction: dict[str, Any] = {
            "cell": cell,
            "units": units,
            "cell_options": cell_options,
            "input_dropout": input_dropout,
            "recurrent_dropout": recurrent_dropout,
            "zoneout": zoneout,
            "weight_drop": weight_drop,
            "learned_initial_state": learned_initial_state,
        }
        self.options = {
            **every_direction,
            "num_layers": num_layers,
            "bidirectional": bidirectional,
            "merge_mode": merge_mode,
            "residual": residual,
            "dense_layers": dense_layers,
            "dense_activation": keras.activations.serialize(activation_of(dense_activation)),
            "dropout": dropout,
        }
        self.merge_mode = merge_mode
        self.residual = residual
        backwards = (False, True) if bidirectional else (False,)
        self.directions = [
            [
                Direction(
                    **every_direction,
                    backwards=way,
                    shards=default_shards(len(backwards)),
                    dtype=self.dtype_policy,
                    name=f"{'backward' if way else 'forward'}_{layer}",
                )
                for way in backwards
            ]
            for layer in range(num_layers)
        ]
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.upper = [
            keras.layers.Dense(units, dense_activation, dtype=self.dtype_policy, name=f"dense_{n}")
            for n in range(dense_layers)
        ]
        self.supports_jit = all(way.supports_jit for layer in self.directions for way in layer)

    def build(self, inputs_shape: Any, **_shapes: Any) -> None:
        shape = inputs_shape
        for layer in self.directions:
            for direction in layer:
                direction.build(shape)
            width = layer[0].state_sizes[0] * (len(layer) if self.merge_mode == "concat" else 1)
            shape = (*inputs_shape[:2], width)
        for dense in self.upper:
            dense.build(shape)
            shape = (*inputs_shape[:2], dense.units)
        masking.keep_frozen(self)

    def get_initial_states(self, batch_size: Any) -> list[Any]:
        """The states before the first step, in the form of the final states."""
        return [
            [direction.get_initial_state(batch_size) for direction in layer]
            for layer in self.directions
        ]

    def call(
        self,
        inputs: Any,
        mask: Any,
        initial_states: Any = None,
        lookup: Any = None,
        training: bool = False,
    ) -> tuple[Any, list[Any]]:
        starts = [[None] * len(layer) for layer in self.directions]
        if initial_states is not None:
            starts = self._checked(initial_states)
        final_states = []
        values = inputs
        for number, (layer, layer_starts) in enumerate(zip(self.directions, starts, strict=True)):
            read = self.dropout(values, training=training) if number else values
            results = [
                direction(
                    read,
                    mask=mask,
                    initial_state=start,
                    lookup=None if number else lookup,
                    training=training,
                )
                for direction, start in zip(layer, layer_starts, strict=True)
            ]
            merged = self.merge([outputs for outputs, _ in results])
            values = values + merged if self.residual and number else merged
            final_states.append([states for _, states in results])
        if self.upper:
            values = ops.where(mask[:, :, None], self._raised(values), 0)
        return values, final_states

    def step(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step of all layers, for streaming; outside of training.

        Args:
            inputs: (B, E), one token of each row.
            states: As `get_initial_states` or the step before gave them.

        Returns:
            The output (B, K), and the states after the step.

        Raises:
            InputError: The body is bidirectional, or the states do not fit.
        """
        if len(self.directions[0]) > 1:
            raise InputError(
                "a bidirectional body cannot read one step at a time, its second direction starts "
                "at the end: build it with bidirectional=False"
            )
        states = self._checked(states)
        values, after = inputs, []
        for number, ((direction,), (start,)) in enumerate(
            zip(self.directions, states, strict=True)
        ):
            output, new = direction.step(values, start)
            values = values + output if self.residual and number else output
            after.append([new])
        return self._raised(values), after

    def _raised(self, values: Any) -> Any:
        for dense in self.upper:
            values = dense(values)
        return values

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
        """The output where each direction ends, merged: (B, K or 2K)."""
        ends = [self.merge([states[0] for states in layer]) for layer in final_states]
        return self._raised(sum(ends[1:], ends[0]) if self.residual else ends[-1])

    def _checked(self, states: Any) -> list[Any]:
        sizes = [[direction.state_sizes for direction in layer] for layer in self.directions]
        return checked_states(states, sizes)

    def compute_output_spec(self, inputs: Any, mask: Any, **_arguments: Any) -> Any:
        values, final_states = inputs, []
        for layer in self.directions:
            specs = [direction.compute_output_spec(values, mask) for direction in layer]
            values = specs[0][0]
            if self.merge_mode == "concat":
                shape = (*values.shape[:2], values.shape[2] * len(layer))
                values = keras.KerasTensor(shape, values.dtype)
            final_states.append([states for _, states in specs])
        if self.upper:
            values = keras.KerasTensor((*values.shape[:2], self.upper[-1].units), values.dtype)
        return values, final_states

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}
