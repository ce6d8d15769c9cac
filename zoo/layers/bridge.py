"""From a vector to a decoder: the bridge makes its first states; some rows do without it."""

from typing import Any

import keras
from keras import ops

from zoo.errors import require_positive_int, require_rate
from zoo.layers.direction import make_cell
from zoo.masking import keep_frozen
from zoo.recurrence.keras_cell import state_sizes


@keras.saving.register_keras_serializable("zoo")
class StateBridge(keras.layers.Layer):
    """A vector -> the states of all layers of a recurrent body before its first step.

    vectors (B, D) -> in the form of `Recurrent`'s initial states, for each layer l and state n

        s_ln = tanh(v W_ln + b_ln)   (B, K)

    A cell may make something else of these values, by its method `bridged_state`.

    Args:
        cell: The registered name of the body's cell.
        units: Hidden size K of the body.
        num_layers: L, layers of the body; it reads one way.
        cell_options: The cell's own options.
        **kwargs: The Keras layer's own arguments.

    Raises:
        InputError: An option has a value that does not fit.

    Source: Cho et al., arXiv:1406.1078, appendix A.1.2.
    """

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
        self.options: dict[str, Any] = {
            "cell": cell,
            "units": units,
            "num_layers": num_layers,
            "cell_options": dict(cell_options or {}),
        }
        begun = make_cell(cell, units, self.options["cell_options"], self.dtype_policy)
        sizes = state_sizes(begun)
        self.made_of = getattr(begun, "bridged_state", list)
        self.dense = [
            [
                keras.layers.Dense(
                    size, "tanh", dtype=self.dtype_policy, name=f"state_{layer}_{number}"
                )
                for number, size in enumerate(sizes)
            ]
            for layer in range(num_layers)
        ]

    def build(self, vectors_shape: Any) -> None:
        for layer in self.dense:
            for dense in layer:
                dense.build(vectors_shape)
        keep_frozen(self)

    def call(self, vectors: Any) -> list[Any]:
        return [[list(self.made_of([dense(vectors) for dense in layer]))] for layer in self.dense]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}


@keras.saving.register_keras_serializable("zoo")
class RowDropout(keras.layers.Layer):
    """Makes whole rows (B, D) zero, in training; those that are kept stay as they are.

    Args:
        rate: Share of the rows.
        **kwargs: The Keras layer's own arguments.

    Raises:
        InputError: The rate is no share.
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

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
