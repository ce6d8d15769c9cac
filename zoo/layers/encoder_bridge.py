"""From an encoder's last states to a decoder's first ones, between unequal depths and widths."""

from typing import Any

import keras
from keras import ops

from zoo.errors import InputError, require_choice, require_positive_int
from zoo.layers.direction import make_cell
from zoo.masking import keep_frozen
from zoo.recurrence.keras_cell import initial_states, state_sizes

BRIDGES = ("zero", "copy", "dense")


@keras.saving.register_keras_serializable("zoo")
class EncoderBridge(keras.layers.Layer):
    """The final states of an encoder -> the states of a decoder before its first step.

    Both in the form of `Recurrent`'s states. The decoder's layers stand opposite the encoder's
    counted from the top: of a deeper encoder the lower layers are not used, of a deeper decoder the
    lower layers all stand opposite the encoder's first. Two directions' states stand side by side;
    where the encoder's cell has no state of that number, its output stands for it.

        zero:   the cell's own first states; the decoder learns of the source by attention alone
        copy:   s_ln = what stands opposite
        dense:  s_ln = tanh(W_ln what stands opposite + b_ln)

    Args:
        kind: `zero`, `copy` or `dense`.
        cell: The registered name of the decoder's cell.
        units: Hidden size K of the decoder.
        num_layers: L, layers of the decoder.
        cell_options: The cell's own options.
        **kwargs: The Keras layer's own arguments.

    Raises:
        InputError: An option has a wrong value, or `copy` gets states of another width.

    Source: Sutskever et al., arXiv:1409.3215, for `copy`; Bahdanau et al., arXiv:1409.0473,
        appendix A.2.2, for `dense`.
    """

    def __init__(
        self,
        kind: str,
        cell: str,
        units: int,
        num_layers: int = 1,
        cell_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        require_choice("bridge", kind, BRIDGES)
        require_positive_int("units", units)
        require_positive_int("num_layers", num_layers)
        super().__init__(**kwargs)
        self.kind = kind
        self.options: dict[str, Any] = {
            "cell": cell,
            "units": units,
            "num_layers": num_layers,
            "cell_options": dict(cell_options or {}),
        }
        self.cell = make_cell(cell, units, self.options["cell_options"], self.dtype_policy)
        self.sizes = state_sizes(self.cell)
        self.made_of = getattr(self.cell, "bridged_state", list)
        self.dense: list[list[Any]] = []
        if kind == "dense":
            self.dense = [
                [
                    keras.layers.Dense(
                        size, "tanh", dtype=self.dtype_policy, name=f"state_{layer}_{number}"
                    )
                    for number, size in enumerate(self.sizes)
                ]
                for layer in range(num_layers)
            ]

    def build(self, final_shapes: Any) -> None:
        for layer in range(self.options["num_layers"]):
            opposite = final_shapes[self._opposite(layer, len(final_shapes))]
            for number, size in enumerate(self.sizes):
                width = sum(_of(direction, number)[-1] for direction in opposite)
                if self.kind == "dense":
                    self.dense[layer][number].build((None, width))
                elif self.kind == "copy" and width != size:
                    raise InputError(
                        f"bridge 'copy' needs states of the decoder's width {size}, got {width} of "
                        "the encoder (both directions side by side): take bridge 'dense', or units "
                        "that fit"
                    )
        keep_frozen(self)

    def _opposite(self, layer: int, depth: int) -> int:
        return max(0, depth - self.options["num_layers"] + layer)

    def call(self, final_states: Any) -> list[Any]:
        if self.kind == "zero":
            rows = ops.shape(final_states[0][0][0])[0]
            states = [
                keras.tree.flatten(initial_states(self.cell, rows))
                for _ in range(self.options["num_layers"])
            ]
            return [[layer] for layer in states]
        return [
            [self._states(layer, final_states[self._opposite(layer, len(final_states))])]
            for layer in range(self.options["num_layers"])
        ]

    def _states(self, layer: int, opposite: list[Any]) -> list[Any]:
        values = [
            ops.concatenate([_of(direction, number) for direction in opposite], axis=-1)
            for number in range(len(self.sizes))
        ]
        if self.kind == "copy":
            return values
        dense = self.dense[layer]
        made = [make(value) for make, value in zip(dense, values, strict=True)]
        return list(self.made_of(made))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind, **self.options}


def _of(direction: Any, number: int) -> Any:
    """A direction's state of that number, or its output where it has no such."""
    return direction[number if number < len(direction) else 0]
