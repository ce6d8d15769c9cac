"""Token ids -> vectors, learned and pretrained, with whole words dropped in training."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError, require_bool, require_positive_int, require_rate
from zoo.layers.configured import ConfiguredLayer
from zoo.masking import PAD

UNK = 1


@keras.saving.register_keras_serializable("zoo")
class TokenEmbedding(ConfiguredLayer):
    """A table of vectors, one a token; beside it, if asked for, one of pretrained vectors.

    token_ids int (B, T) -> (B, T, E), or (B, T, E + D); in a step (B,) -> (B, E). The vectors in
    the padding are zero. With `gives_table` a second output is the learned table.

    Both tables are looked up by the same id. The learned one may end earlier: what lies beyond is
    UNK to it, so that words which only the file of vectors has need no row that nothing trains.

    Args:
        vocabulary_size: V, number of ids; they are 0 to V - 1, 0 = PAD, 1 = UNK.
        embedding_dim: E, size of a learned vector.
        word_dropout: Share of the real tokens that are read as UNK, in training: the network learns
            not to rest on single words, and UNK gets a trained vector.
        learned_size: Rows of the learned table, at most V; V by default.
        pretrained_dim: D, size of a pretrained vector; 0 = none. `set_pretrained` fills the table.
        pretrained_trainable: Whether the pretrained vectors are tuned.
        rare_dropout: a > 0 hides, in training, a word that occurs n times from the learned table
            with probability a / (a + n), n from `set_counts`; its pretrained vector stays. At
            test time out-of-vocabulary words look like that; this simulates it in training.
        type_dropout: Share of the vocabulary whose learned vectors are zero, in training: a token
            is dropped in all its places of a batch, and the others grow by 1 / (1 - share).
        gives_table: Give the learned table (V, E) beside the vectors, for a layer that shares it.

    Raises:
        InputError: An option has a value that does not fit.

    Source: Iyyer et al., Deep Averaging Networks (2015), section 2.2, for word dropout; Kiperwasser
        and Goldberg, arXiv:1603.04351, section 4, for that of rare words; Merity et al.,
        arXiv:1708.02182, section 4.3, for that of types.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        word_dropout: float = 0.0,
        learned_size: int | None = None,
        pretrained_dim: int = 0,
        pretrained_trainable: bool = False,
        rare_dropout: float = 0.0,
        type_dropout: float = 0.0,
        gives_table: bool = False,
        **kwargs: Any,
    ) -> None:
        require_positive_int("vocabulary_size", vocabulary_size)
        require_positive_int("embedding_dim", embedding_dim)
        require_rate("word_dropout", word_dropout)
        require_rate("type_dropout", type_dropout)
        require_bool("pretrained_trainable", pretrained_trainable)
        require_bool("gives_table", gives_table)
        learned_size = vocabulary_size if learned_size is None else learned_size
        require_positive_int("learned_size", learned_size)
        if not UNK < learned_size <= max(vocabulary_size, UNK + 1):
            raise InputError(
                f"learned_size must be 2 to vocabulary_size ({vocabulary_size}), got {learned_size}"
            )
        if pretrained_dim != 0:
            require_positive_int("pretrained_dim", pretrained_dim)
        if not 0 <= rare_dropout < float("inf"):
            raise InputError(f"rare_dropout must be 0 or a positive number, got {rare_dropout!r}")
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.word_dropout = word_dropout
        self.learned_size = learned_size
        self.pretrained_dim = pretrained_dim
        self.pretrained_trainable = pretrained_trainable
        self.rare_dropout = rare_dropout
        self.type_dropout = type_dropout
        self.gives_table = gives_table
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, token_ids_shape: Any) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.learned_size, self.embedding_dim),
            initializer=keras.initializers.RandomUniform(-0.05, 0.05),
        )
        if self.pretrained_dim:
            self.pretrained = self.add_weight(
                name="pretrained",
                shape=(self.vocabulary_size, self.pretrained_dim),
                initializer="zeros",
                trainable=self.pretrained_trainable,
            )
        if self.rare_dropout:
            self.rare_rates = self.add_weight(
                name="rare_rates",
                shape=(self.learned_size,),
                initializer="zeros",
                trainable=False,
                autocast=False,
            )

    def set_pretrained(self, vectors: Any) -> None:
        """Fills the pretrained table of a built layer with vectors (V, D)."""
        self.pretrained.assign(vectors)

    def set_counts(self, counts: Sequence[int]) -> None:
        """Sets the number of occurrences of each id in training, for rare dropout.

        The counts are of the ids from 0 up, as many as `learned_size`; those of PAD and UNK change
        nothing.
        """
        totals = self.rare_dropout + np.asarray(counts, np.float32)
        self.rare_rates.assign(self.rare_dropout / totals)

    def call(self, token_ids: Any, training: bool = False) -> Any:
        real = ops.not_equal(token_ids, PAD)
        if training and self.word_dropout:
            hidden = ops.logical_and(real, self._drawn(token_ids) < self.word_dropout)
            token_ids = ops.where(hidden, UNK, token_ids)
        vectors = self._vectors(token_ids, real, training)
        if self.gives_table:
            return vectors, ops.cast(self.embeddings, self.compute_dtype)
        return vectors

    def vectors(self, token_ids: Any) -> Any:
        """The tokens' vectors alone, outside of training: in a step, where nodes count."""
        return self._vectors(token_ids, ops.not_equal(token_ids, PAD), training=False)

    def _vectors(self, token_ids: Any, real: Any, training: bool) -> Any:
        vectors = self._learned(token_ids, training)
        if self.pretrained_dim:
            known = rows_of(self.pretrained, token_ids)
            vectors = ops.concatenate([vectors, known], axis=-1)
        vectors = ops.cast(vectors, self.compute_dtype)
        return ops.where(ops.expand_dims(real, -1), vectors, 0)

    def vectors_and_table(self, token_ids: Any) -> tuple[Any, Any]:
        """The tokens' vectors, and the table if the layer returns it, else None."""
        outputs = self(token_ids)
        return outputs if self.gives_table else (outputs, None)

    def _learned(self, token_ids: Any, training: bool) -> Any:
        if self.learned_size < self.vocabulary_size:
            token_ids = ops.where(token_ids < self.learned_size, token_ids, UNK)
        if training and self.rare_dropout:
            rates = ops.cast(ops.take(self.rare_rates, token_ids, axis=0), "float32")
            token_ids = ops.where(self._drawn(token_ids) < rates, UNK, token_ids)
        vectors = rows_of(self.embeddings, token_ids)
        if training and self.type_dropout:
            ones = ops.ones((self.learned_size, 1), dtype=vectors.dtype)
            kept = keras.random.dropout(ones, self.type_dropout, seed=self.seed_generator)
            vectors = vectors * ops.take(kept, token_ids, axis=0)
        return vectors

    def _drawn(self, token_ids: Any) -> Any:
        """Numbers from 0 to 1 of the ids' shape; float32 whatever the layer's dtype."""
        shape = ops.shape(token_ids)
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def compute_output_spec(self, token_ids: Any, **_arguments: Any) -> Any:
        size = self.embedding_dim + self.pretrained_dim
        vectors = keras.KerasTensor((*token_ids.shape, size), self.compute_dtype)
        if self.gives_table:
            shape = (self.learned_size, self.embedding_dim)
            return vectors, keras.KerasTensor(shape, self.compute_dtype)
        return vectors


def rows_of(table: Any, ids: Any) -> Any:
    """The rows of a table (V, E) at ids from 0 up, of any shape; `ops.take` allows for others."""
    if keras.backend.backend() != "tensorflow" or isinstance(ids, keras.KerasTensor):
        return ops.take(table, ids, axis=0)
    import tensorflow as tf

    return tf.gather(ops.convert_to_tensor(table), ids)
