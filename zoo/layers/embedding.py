"""Token ids -> vectors, with whole words dropped in training."""

from typing import Any

import keras
from keras import ops

from zoo.errors import require_positive_int, require_rate
from zoo.masking import PAD

UNK = 1


@keras.saving.register_keras_serializable("zoo")
class TokenEmbedding(keras.layers.Layer):
    """A table of vectors, one a token.

    token_ids int (B, T) -> (B, T, E). The vectors in the padding are zero.

    Args:
        vocabulary_size: V, rows of the table; ids are 0 to V - 1, 0 = PAD, 1 = UNK.
        embedding_dim: E.
        word_dropout: Share of the real tokens that are read as UNK, in training: the network learns
            not to rest on single words, and UNK gets a trained vector.
        **kwargs: The Keras layer's own arguments.

    Source: Iyyer et al., Deep Averaging Networks (2015), section 2.2, for word dropout.
    """

    def __init__(
        self, vocabulary_size: int, embedding_dim: int, word_dropout: float = 0.0, **kwargs: Any
    ) -> None:
        require_positive_int("vocabulary_size", vocabulary_size)
        require_positive_int("embedding_dim", embedding_dim)
        require_rate("word_dropout", word_dropout)
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.word_dropout = word_dropout
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, token_ids_shape: Any) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.vocabulary_size, self.embedding_dim),
            initializer=keras.initializers.RandomUniform(-0.05, 0.05),
        )

    def call(self, token_ids: Any, training: bool = False) -> Any:
        real = ops.not_equal(token_ids, PAD)
        if training and self.word_dropout:
            drawn = keras.random.uniform(ops.shape(token_ids), seed=self.seed_generator)
            hidden = ops.logical_and(real, drawn < self.word_dropout)
            token_ids = ops.where(hidden, UNK, token_ids)
        vectors = ops.take(self.embeddings, token_ids, axis=0)
        vectors = ops.cast(vectors, self.compute_dtype)
        return ops.where(real[:, :, None], vectors, 0)

    def compute_output_spec(self, token_ids: Any, **_arguments: Any) -> Any:
        return keras.KerasTensor((*token_ids.shape, self.embedding_dim), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "word_dropout": self.word_dropout,
        }
