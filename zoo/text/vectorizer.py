"""Text path of classifiers: strings -> padded ids, in `tf.data` and in a SavedModel."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import require_bool, require_choice, require_positive_int
from zoo.text.normalization import Normalizer
from zoo.text.text_path import dense, encoded, token_counts
from zoo.text.tokenization import TOKENIZERS
from zoo.text.vocabulary import SPECIAL, UNK, Vocabulary, VocabularyPath

TRUNCATIONS = ("head", "tail", "middle")


class Vectorizer(VocabularyPath):
    """Turns strings into token ids.

    strings (B,) -> int32 (B, T), 0 = PAD on the right. T is the longest row's length, `max_length`
    at most. A text without tokens is encoded as one UNK, so T is at least 1.

    Args:
        vocabulary: The known tokens.
        level: The unit of tokens: `word` or `character`.
        lower: Whether to lower-case.
        max_length: Maximum number of tokens of a text.
        truncation: Which tokens of a longer text are kept: the `head`, the `tail`, or all but the
            `middle` (a quarter from the head, the rest from the tail, where reviews give their
            verdict).

    Example:
        >>> vectorizer = Vectorizer.learn(["a good film", "a film"], max_length=4)
        >>> vectorizer(tf.constant(["a good day", ""])).numpy().tolist()
        [[4, 6, 1], [1, 0, 0]]
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        level: str = "word",
        lower: bool = True,
        max_length: int = 400,
        truncation: str = "head",
    ) -> None:
        require_choice("level", level, TOKENIZERS)
        require_bool("lower", lower)
        require_positive_int("max_length", max_length)
        require_choice("truncation", truncation, TRUNCATIONS)
        super().__init__()
        self.vocabulary = vocabulary
        self.level, self.lower = level, lower
        self.max_length, self.truncation = max_length, truncation
        self.normalizer = Normalizer(lower)

    @classmethod
    def learn(
        cls,
        texts: Iterable[str],
        *,
        size: int = 30_000,
        min_count: int = 1,
        **options: Any,
    ) -> "Vectorizer":
        """Builds a vectorizer whose vocabulary is learned from the training texts, and no others.

        It has at most `size` ids, of tokens that occur `min_count` times or more; the other
        arguments are those of `Vectorizer`.
        """
        vectorizer = cls(Vocabulary(SPECIAL), **options)
        known = token_counts(vectorizer.all_tokens, list(texts))
        vectorizer.vocabulary = Vocabulary.learn(known, size, min_count)
        return vectorizer

    def all_tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged strings (B, T), however long."""
        return TOKENIZERS[self.level](self.normalizer(texts))

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged strings (B, T), cut to `max_length` tokens."""
        return self._cut(self.all_tokens(texts))

    def ragged_ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged int32 (B, T), at least one token a row."""
        return self.ids_of(self.tokens(texts))

    def ids_of(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ids of `tokens`: ragged int32 (B, T); an empty row becomes one UNK."""
        ids = self.vocabulary.ids(tokens)
        empty = tf.cast(tf.equal(ids.row_lengths(), 0), tf.int64)
        unknown = tf.fill([tf.reduce_sum(empty)], UNK)
        return tf.concat([ids, tf.RaggedTensor.from_row_lengths(unknown, empty)], axis=1)

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Strings (B,) -> int32 (B, T)."""
        return dense(self.ragged_ids(texts))

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Encodes a split as a list of int32 arrays, one per text, without padding."""
        return encoded(self.ragged_ids, texts)

    def _cut(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        if self.truncation == "head":
            return tokens[:, : self.max_length]
        if self.truncation == "tail":
            return tokens[:, -self.max_length :]
        head = self.max_length // 4
        tail = self.max_length - head
        # of a text that fits, the tail starts where the head ends
        rest = tokens[:, head:]
        return tf.concat([tokens[:, :head], rest[:, -tail:]], axis=1)

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON; the vocabulary is saved separately."""
        return {
            "level": self.level,
            "lower": self.lower,
            "max_length": self.max_length,
            "truncation": self.truncation,
        }
