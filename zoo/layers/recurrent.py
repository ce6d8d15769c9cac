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
from zoo.errors import InputError, require_bool
from zoo.layers.direction import Direction, default_shards
from zoo.layers.recurrent_options import DirectionOptions, RecurrentOptions
from zoo.options import divided
from zoo.recurrence.states import checked_states


@keras.saving.register_keras_serializable("zoo")
class Recurrent(masking.MaskedLayer):
    """A stack of recurrent layers, each in one direction or in both.

    inputs (B, T, E), mask (B, T) -> outputs (B, T, K, or 2K for `concat`) and the final states: a
    list over the layers of a list over the directions of the cell's states, (B, K) each. In that
    form `initial_states` are taken as well. Without a mask all steps are real, unless the inputs
    have Keras' implicit mask (`Embedding(mask_zero=True)`), which is then used. With
    `return_state=False` the outputs are the only result, as in stock Keras, so that a
    `keras.Sequential` can contain the layer; with `return_sequences=False` they are those of the
    step that each direction read last, (B, K or 2K).

    The mask must have its padding on the right. Any other mask is an error: see `zoo.masking`.

    Inputs that are rows of a small table (V, E), V below
    B T, are trained faster with `lookup`, a list of the token ids (B, T) and the table: then x W is
    made once for each row of it. The result is the same.

    With `branches=True` each of m inputs is one step from the same states: inputs (P, m, E),
    `initial_states` of R rows, R a multiple of P -> outputs (R, m, K) alone; row r has the inputs
    of row r mod P. The recurrent product is made once for each row.

    Args:
        cell: A registered cell's name. Any cell that `keras.layers.RNN` takes can be registered;
            its nested states are a flat list here.
        units: Hidden size K of each direction.
        dense_activation: Activation of the dense layers.
        return_sequences: Return the outputs of all steps; otherwise of the last step read.
        return_state: Return the final states beside the outputs.
        **kwargs: The other fields of `RecurrentOptions`, and the Keras layer's own arguments.

    Attributes:
        options: The `RecurrentOptions`.

    Raises:
        InputError: An option or the initial states have a wrong value, number or shape.

    Source: Graves and Schmidhuber (2005) for both directions; Graves et al., arXiv:1303.5778, for
    the stack; `RecurrentOptions` names the source of each dropout.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        *,
        dense_activation: Any = "tanh",
        return_sequences: bool = True,
        return_state: bool = True,
        **kwargs: Any,
    ) -> None:
        require_bool("return_sequences", return_sequences)
        require_bool("return_state", return_state)
        own, kwargs = divided(RecurrentOptions, kwargs)
        super().__init__(**kwargs)
        self.options = RecurrentOptions(cell, units, **own)
        self.dense_activation = activation_of(dense_activation)
        self.return_sequences, self.return_state = return_sequences, return_state
        backwards = (False, True) if self.options.bidirectional else (False,)
        every_direction, _ = divided(DirectionOptions, vars(self.options))
        self.directions = [
            [
                Direction(
                    **every_direction,
                    learned_initial_state=self.options.learned_initial_state,
                    backwards=way,
                    shards=default_shards(len(backwards)),
                    dtype=self.dtype_policy,
                    name=f"{'backward' if way else 'forward'}_{layer}",
                )
                for way in backwards
            ]
            for layer in range(self.options.num_layers)
        ]
        for layer in self.directions:
            for direction in layer:
                direction.checks_mask = False  # once for all is enough
        self.dropout = keras.layers.Dropout(
            self.options.dropout, dtype=self.dtype_policy, name="dropout"
        )
        self.upper = [
            keras.layers.Dense(units, dense_activation, dtype=self.dtype_policy, name=f"dense_{n}")
            for n in range(self.options.dense_layers)
        ]
        self.supports_jit = all(way.supports_jit for layer in self.directions for way in layer)

    def build(self, inputs_shape: Any, **_shapes: Any) -> None:
        shape = inputs_shape
        for layer in self.directions:
            for direction in layer:
                direction.build(shape)
            shape = (*inputs_shape[:2], self._width(layer))
        for dense in self.upper:
            dense.build(shape)
            shape = (*inputs_shape[:2], dense.units)
        masking.keep_frozen(self)

    @property
    def has_own_output(self) -> bool:
        """Whether the outputs may be other tensors than the cell's first states."""
        return self.directions[0][0].has_own_output

    @property
    def output_size(self) -> int:
        """The width of the outputs."""
        if self.upper:
            return int(self.upper[-1].units)
        return self._width(self.directions[-1])

    def _width(self, layer: list[Direction]) -> int:
        """The width of a layer's merged outputs."""
        return layer[0].output_size * (len(layer) if self.options.merge_mode == "concat" else 1)

    def get_initial_states(self, batch_size: Any) -> list[Any]:
        """The states before the first step, in the form of the final states."""
        return [
            [direction.get_initial_state(batch_size) for direction in layer]
            for layer in self.directions
        ]

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        initial_states: Any = None,
        lookup: Any = None,
        return_last: bool = False,
        branches: bool = False,
        training: bool = False,
    ) -> Any:
        """The outputs and the final states; the last outputs (B, K or 2K) too if `return_last`."""
        if branches:
            return self._branches(inputs, initial_states, training)
        whole = masking.is_whole(mask, inputs)
        mask = masking.real_mask(mask, inputs)
        starts = [[None] * len(layer) for layer in self.directions]
        if initial_states is not None:
            starts = self._checked(initial_states, inputs)
        final_states, ends = [], []
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
                    whole=whole,
                )
                for direction, start in zip(layer, layer_starts, strict=True)
            ]
            merged = self.merge([outputs for outputs, _ in results])
            values = values + merged if self.options.residual and number else merged
            final_states.append([states for _, states in results])
            if return_last or not self.return_sequences:
                ends.append(self._end(layer, results, mask))
        if self.upper:
            values = ops.where(mask[:, :, None], self._raised(values), 0)
        last = self._last(ends) if ends else None
        return self._result(values, last, final_states, return_last)

    def _branches(self, inputs: Any, states: Any, training: bool) -> Any:
        if len(self.directions[0]) > 1:
            raise InputError(
                "a bidirectional body has no single step that could branch: build it with "
                "bidirectional=False"
            )
        if states is None:
            raise InputError("branches=True goes on from states, got none: give initial_states")
        sizes = [[direction.state_sizes for direction in layer] for layer in self.directions]
        states, values = checked_states(states, sizes), inputs
        for number, ((direction,), (start,)) in enumerate(
            zip(self.directions, states, strict=True)
        ):
            read = self.dropout(values, training=training) if number else values
            outputs, _ = direction.branch(read, start, training)
            values = values + outputs if self.options.residual and number else outputs
        return self._raised(values)

    def _result(self, values: Any, last: Any, final_states: list[Any], return_last: bool) -> Any:
        result = (values if self.return_sequences else last, final_states)
        if return_last:
            return (*result, last)
        return result if self.return_state else result[0]

    def _end(self, layer: list[Direction], results: list[Any], mask: Any) -> Any:
        """The merged outputs of the steps that a layer's directions read last."""
        return self.merge(
            [
                direction.last_output(outputs, states, mask)
                for direction, (outputs, states) in zip(layer, results, strict=True)
            ]
        )

    def _last(self, ends: list[Any]) -> Any:
        return self._raised(sum(ends[1:], ends[0]) if self.options.residual else ends[-1])

    def project(self, inputs: Any) -> Any:
        """The part of the first layer's step that does not depend on its state; see `Direction`."""
        return self.directions[0][0].project(inputs)

    def step(
        self, inputs: Any, states: list[Any], training: bool = False, projected: bool = False
    ) -> tuple[Any, list[Any]]:
        """One step of all layers, for streaming: inputs (B, E) -> output (B, K), new states.

        The body's dropouts are left out. States are as `get_initial_states` or the step before gave
        them; `training` is for a Keras cell that has its own dropout. With `projected` the inputs
        are what `project` returned.

        Raises:
            InputError: The body is bidirectional, or the states do not fit.
        """
        if len(self.directions[0]) > 1:
            raise InputError(
                "a bidirectional body cannot read one step at a time, its second direction starts "
                "at the end: build it with bidirectional=False"
            )
        states = self._checked(states, inputs)
        values, after = inputs, []
        for number, ((direction,), (start,)) in enumerate(
            zip(self.directions, states, strict=True)
        ):
            output, new = direction.step(values, start, training, projected and not number)
            values = values + output if self.options.residual and number else output
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
        if self.options.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.options.merge_mode == "mul":
            return forward * backward
        total = forward + backward
        return total / 2 if self.options.merge_mode == "ave" else total

    def last_output(self, final_states: list[Any]) -> Any:
        """The output where each direction ends, merged: (B, K or 2K).

        Raises:
            InputError: The cell's output is not its first state: its states do not give it.
        """
        if self.has_own_output:
            raise InputError(
                f"the output of the cell {self.options.cell!r} may be another tensor than its "
                "first state: call the body with return_last=True to get the last output"
            )
        return self._last([self.merge([states[0] for states in layer]) for layer in final_states])

    def _checked(self, states: Any, inputs: Any) -> list[Any]:
        sizes = [[direction.state_sizes for direction in layer] for layer in self.directions]
        checked = checked_states(states, sizes)
        for state in keras.tree.flatten(checked):
            masking.require_alike("an initial state", state, "the inputs", inputs, 1, static=True)
        return checked

    def compute_mask(self, inputs: Any, mask: Any = None, *_arguments: Any, **_named: Any) -> Any:
        return masking.continued_mask(inputs, mask) if self.return_sequences else None

    def compute_output_spec(
        self,
        inputs: Any,
        mask: Any = None,
        return_last: bool = False,
        branches: bool = False,
        **_arguments: Any,
    ) -> Any:
        rows, steps = inputs.shape[:2]
        if branches:
            return keras.KerasTensor((None, steps, self.output_size), self.compute_dtype)
        values = keras.KerasTensor((rows, steps, self.output_size), self.compute_dtype)
        last = keras.KerasTensor((rows, self.output_size), self.compute_dtype)
        final_states = [
            [direction.compute_output_spec(inputs)[1] for direction in layer]
            for layer in self.directions
        ]
        return self._result(values, last, final_states, return_last)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **vars(self.options),
            "dense_activation": keras.activations.serialize(self.dense_activation),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
        }
