"""Bridges: from a vector, or from an encoder's final states, to a decoder's initial states."""

from typing import Any

import keras
from keras import ops

from zoo.errors import InputError, require_choice, require_positive_int, require_rate
from zoo.layers.configured import ConfiguredLayer
from zoo.layers.direction import make_cell
from zoo.masking import keep_frozen
from zoo.recurrence.keras_cell import initial_states, state_sizes

BRIDGES = ("zero", "copy", "dense")


class _Bridge(keras.layers.Layer):
    """A decoder's form, and a dense layer for each of its states."""

    def __init__(
        self,
        cell: str,
        units: int,
        num_layers: int = 1,
        cell_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        require_positive_int("units", units)
        require_positive_int("num_layers", num_layers)
        super().__init__(**kwargs)
        self.cell_name = cell
        self.units = units
        self.num_layers = num_layers
        self.cell_options = dict(cell_options or {})
        self.cell = make_cell(cell, units, self.cell_options, self.dtype_policy)
        self.sizes = state_sizes(self.cell)
        self.dense: list[list[Any]] = []

    def _add_dense(self) -> None:
        self.dense = [
            [
                keras.layers.Dense(
                    size, "tanh", dtype=self.dtype_policy, name=f"state_{layer}_{number}"
                )
                for number, size in enumerate(self.sizes)
            ]
            for layer in range(self.num_layers)
        ]

    def _projected(self, layer: int, values: list[Any]) -> list[Any]:
        """A layer's states: a dense layer's output of each value, adjusted by the cell."""
        dense = zip(self.dense[layer], values, strict=True)
        states = [make(value) for make, value in dense]
        return list(getattr(self.cell, "bridged_state", list)(states))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "cell": self.cell_name,
            "units": self.units,
            "num_layers": self.num_layers,
            "cell_options": self.cell_options,
        }


@keras.saving.register_keras_serializable("zoo")
class StateBridge(_Bridge):
    """A vector -> the states of all layers of a recurrent body before its first step.

    vectors (B, D) -> nested as `Recurrent`'s initial states, for each layer l and state n

        s_ln = tanh(v W_ln + b_ln)   (B, K)

    A cell may change these values by its method `bridged_state`.

    Args:
        cell: The registered name of the body's cell.
        units: Hidden size K of the body.
        num_layers: L, the body's layers; it is unidirectional.
        cell_options: The cell's own options.

    Raises:
        InputError: An option has a wrong value.

    Source: Cho et al., arXiv:1406.1078, appendix A.1.2.
    """

    def __init__(self, cell: str, units: int, *arguments: Any, **kwargs: Any) -> None:
        super().__init__(cell, units, *arguments, **kwargs)
        self._add_dense()

    def build(self, vectors_shape: Any) -> None:
        for layer in self.dense:
            for dense in layer:
                dense.build(vectors_shape)
        keep_frozen(self)

    def call(self, vectors: Any) -> list[Any]:
        values = [vectors] * len(self.sizes)
        return [[self._projected(layer, values)] for layer in range(self.num_layers)]


@keras.saving.register_keras_serializable("zoo")
class EncoderBridge(_Bridge):
    """The final states of an encoder -> the states of a decoder before its first step.

    Both are nested as `Recurrent`'s states. Each layer of the decoder gets the states of the
    encoder's layer at the same distance from the top: the lower layers of a deeper encoder are not
    used, and the lower layers of a deeper decoder all get those of the encoder's first layer. The
    states of two directions are concatenated. Where the encoder's cell has fewer states than the
    decoder's, its output replaces the missing ones.

        zero:   the cell's own initial states; only the attention connects decoder and source
        copy:   s_ln = the encoder's state e_ln
        dense:  s_ln = tanh(W_ln e_ln + b_ln)

    Args:
        kind: `zero`, `copy` or `dense`.
        cell: The registered name of the decoder's cell.
        units: Hidden size K of the decoder.
        num_layers: L, the decoder's layers.
        cell_options: The cell's own options.

    Raises:
        InputError: An option has a wrong value, or `copy` gets states of another width.

    Source: Sutskever et al., arXiv:1409.3215, for `copy`; Bahdanau et al., arXiv:1409.0473,
        appendix A.2.2, for `dense`.
    """

    def __init__(self, kind: str, cell: str, units: int, *arguments: Any, **kwargs: Any) -> None:
        require_choice("bridge", kind, BRIDGES)
        super().__init__(cell, units, *arguments, **kwargs)
        self.kind = kind
        if kind == "dense":
            self._add_dense()

    def build(self, final_shapes: Any) -> None:
        for layer in range(self.num_layers):
            source = final_shapes[self._source_layer(layer, len(final_shapes))]
            for number, size in enumerate(self.sizes):
                width = sum(_state(direction, number)[-1] for direction in source)
                if self.kind == "dense":
                    self.dense[layer][number].build((None, width))
                elif self.kind == "copy" and width != size:
                    raise InputError(
                        f"bridge 'copy' needs states of the decoder's width {size}, got {width} of "
                        "the encoder (both directions side by side): take bridge 'dense', or units "
                        "that fit"
                    )
        keep_frozen(self)

    def _source_layer(self, layer: int, depth: int) -> int:
        return max(0, depth - self.num_layers + layer)

    def call(self, final_states: Any) -> list[Any]:
        if self.kind == "zero":
            rows = ops.shape(final_states[0][0][0])[0]
            layers = range(self.num_layers)
            return [[keras.tree.flatten(initial_states(self.cell, rows))] for _ in layers]
        sources = [self._source_layer(n, len(final_states)) for n in range(self.num_layers)]
        return [[self._states(n, final_states[source])] for n, source in enumerate(sources)]

    def _states(self, layer: int, directions: list[Any]) -> list[Any]:
        values = [
            ops.concatenate([_state(direction, number) for direction in directions], axis=-1)
            for number in range(len(self.sizes))
        ]
        return values if self.kind == "copy" else self._projected(layer, values)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind}


def _state(direction: Any, number: int) -> Any:
    """A direction's state of that number, or its output where there are fewer states."""
    return direction[number if number < len(direction) else 0]


@keras.saving.register_keras_serializable("zoo")
class RowDropout(ConfiguredLayer):
    """Sets whole rows (B, D) to zero in training; the other rows are unchanged.

    Args:
        rate: Fraction of the rows.

    Raises:
        InputError: The rate is not a number from 0 up to, but not including, 1.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        require_rate("rate", rate)
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, vectors: Any, training: bool = False) -> Any:
        if not (training and self.rate):
            return vectors
        rows = (ops.shape(vectors)[0], 1)
        drawn = keras.random.uniform(rows, dtype="float32", seed=self.seed_generator)
        return ops.where(drawn < self.rate, 0, vectors)
