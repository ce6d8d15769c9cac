"""A word's letters -> a vector: what a tagger knows of words that it has never seen."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import require_positive_int, require_rate
from zoo.layers.recurrent import Recurrent
from zoo.masking import PAD


class _CharacterLayer(masking.MaskedLayer):
    """What both share: the letters' vectors, some of them dropped in training."""

    def __init__(
        self,
        vocabulary_size: int,
        character_dim: int,
        units: int,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        require_positive_int("character_vocabulary_size", vocabulary_size)
        require_positive_int("character_dim", character_dim)
        require_positive_int("character_units", units)
        require_rate("character_dropout", dropout)
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.character_dim = character_dim
        self.units = units
        self.dropout = dropout
        self.seed_generator = keras.random.SeedGenerator()

    def _add_table(self) -> None:
        bound = (3 / self.character_dim) ** 0.5  # He et al., as Ma and Hovy take it
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.vocabulary_size, self.character_dim),
            initializer=keras.initializers.RandomUniform(-bound, bound),
        )

    def _vectors(self, character_ids: Any, training: bool) -> tuple[Any, Any]:
        """Letters (N, L) of N words -> vectors (N, L, D), zero in the padding, and the mask."""
        mask = ops.not_equal(character_ids, PAD)
        vectors = ops.cast(ops.take(self.embeddings, character_ids, axis=0), self.compute_dtype)
        if training and self.dropout:
            vectors = keras.random.dropout(vectors, self.dropout, seed=self.seed_generator)
        return ops.where(mask[:, :, None], vectors, 0), mask

    def compute_output_spec(self, character_ids: Any, **_arguments: Any) -> Any:
        return keras.KerasTensor((*character_ids.shape[:2], self.units), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "character_dim": self.character_dim,
            "units": self.units,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable("zoo")
class CharacterCNN(_CharacterLayer):
    """Convolution over three letters, and the highest value over a word.

        v_j = tanh(W [e_(j-1); e_j; e_(j+1)] + b),   word = max_j v_j

    character_ids int (B, T, L) -> (B, T, K). Outside of a word stand zeros; a word without letters
    (padding) gives zeros.

    Args:
        vocabulary_size: Rows of the table of letters; 0 = PAD.
        character_dim: D, size of a letter's vector.
        units: K.
        dropout: Share dropped from the letters' vectors, in training.
        **kwargs: The Keras layer's own arguments.

    Source: Ma and Hovy, arXiv:1603.01354, section 2.1.
    """

    def build(self, character_ids_shape: Any) -> None:
        self._add_table()
        self.kernel = self.add_weight((3 * self.character_dim, self.units), name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, character_ids: Any, training: bool = False) -> Any:
        shape = ops.shape(character_ids)
        vectors, mask = self._vectors(ops.reshape(character_ids, (-1, shape[2])), training)
        edge = ops.zeros_like(vectors[:, :1])
        before = ops.concatenate([edge, vectors[:, :-1]], axis=1)
        after = ops.concatenate([vectors[:, 1:], edge], axis=1)
        windows = ops.concatenate([before, vectors, after], axis=-1)  # (N, L, 3 D)
        values = ops.matmul(ops.reshape(windows, (-1, windows.shape[-1])), self.kernel) + self.bias
        values = ops.reshape(ops.tanh(values), (-1, shape[2], self.units))
        highest = ops.max(ops.where(mask[:, :, None], values, -1.0), axis=1)  # tanh is above -1
        highest = ops.where(ops.any(mask, axis=1, keepdims=True), highest, 0)
        return ops.reshape(highest, (shape[0], shape[1], self.units))


@keras.saving.register_keras_serializable("zoo")
class CharacterRNN(_CharacterLayer):
    """A word read letter by letter in both directions; the two last states side by side.

    character_ids int (B, T, L) -> (B, T, K), K even: K / 2 for each direction.

    Args:
        vocabulary_size: Rows of the table of letters; 0 = PAD.
        character_dim: D, size of a letter's vector.
        units: K.
        dropout: Share dropped from the letters' vectors, in training.
        cell: The recurrent cell.
        **kwargs: The Keras layer's own arguments.

    Source: Lample et al., arXiv:1603.01360, section 4.1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        character_dim: int,
        units: int,
        dropout: float = 0.0,
        cell: str = "lstm",
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary_size, character_dim, units, dropout, **kwargs)
        self.cell = cell
        self.body = Recurrent(
            cell, max(1, units // 2), bidirectional=True, dtype=self.dtype_policy, name="letters"
        )

    def build(self, character_ids_shape: Any) -> None:
        self._add_table()
        self.body.build((None, None, self.character_dim))

    def call(self, character_ids: Any, training: bool = False) -> Any:
        shape = ops.shape(character_ids)
        vectors, mask = self._vectors(ops.reshape(character_ids, (-1, shape[2])), training)
        _, states = self.body(vectors, mask=mask, training=training)
        last = self.body.last_output(states)
        return ops.reshape(last, (shape[0], shape[1], self.units))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cell": self.cell}


CHARACTER_LAYERS = {"cnn": CharacterCNN, "recurrent": CharacterRNN}
