"""Strings -> hashed letter n-grams: a text as a vector of fixed size, without a vocabulary."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.errors import InputError, require_bool, require_positive_int
from zoo.text.normalization import Normalizer
from zoo.text.text_path import encoded
from zoo.text.vocabulary import require_same_form

CHUNK = 1024  # texts per call when a whole split is encoded
BEGIN, END = "\x02", "\x03"  # of a text: no normalised text holds them


class NgramVectorizer(tf.Module):
    """Counts a text's letter n-grams, hashed to D numbers.

    strings (B,) -> float32 (B, D), each row of length 1. The beginning and the end of the text
    count as letters, so that endings have n-grams of their own; an empty text consists of these
    two.

    Args:
        num_features: D.
        sizes: Letters of an n-gram.
        lower: Whether to lower-case.

    Example:
        >>> vectorizer = NgramVectorizer(1000, sizes=[2])
        >>> vector = vectorizer(tf.constant(["Ann"]))  # ^a, an, nn, n$
        >>> int(tf.math.count_nonzero(vector)), round(float(tf.norm(vector)), 5)
        (4, 1.0)

    Source: Weinberger et al., arXiv:0902.2206, for hashed features; Joulin et al.,
    arXiv:1607.01759, for letter n-grams of words.
    """

    def __init__(
        self, num_features: int = 4096, sizes: Sequence[int] = (1, 2, 3), lower: bool = True
    ) -> None:
        require_positive_int("num_features", num_features)
        if not sizes:
            raise InputError("sizes must name at least one size of an n-gram, got none")
        for size in sizes:
            require_positive_int("sizes", size)
        require_bool("lower", lower)
        super().__init__()
        self.num_features, self.sizes, self.lower = num_features, list(sizes), lower
        self.normalizer = Normalizer(lower)

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged strings (B, N), the n-grams of each text."""
        marked = tf.strings.join([BEGIN, self.normalizer(texts), END])
        letters = tf.strings.unicode_split(marked, "UTF-8")
        grams = [tf.strings.ngrams(letters, size, separator="") for size in self.sizes]
        return tf.concat(grams, axis=1)

    def ids_of(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Ids of `tokens`: ragged int32 (B, N)."""
        return tf.cast(tf.strings.to_hash_bucket_fast(tokens, self.num_features), tf.int32)

    def ragged_ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> ragged int32 (B, N), the number of each of its n-grams."""
        return self.ids_of(self.tokens(texts))

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Strings (B,) -> float32 (B, D)."""
        ids = self.ragged_ids(texts)
        flat = ids.values + self.num_features * tf.cast(ids.value_rowids(), tf.int32)
        size = tf.size(texts) * self.num_features
        counts = tf.math.unsorted_segment_sum(tf.ones_like(flat, tf.float32), flat, size)
        return tf.math.l2_normalize(tf.reshape(counts, [-1, self.num_features]), axis=1)

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Encodes a split as a list of int32 arrays, the n-gram ids of each text."""
        return encoded(self.ragged_ids, texts, CHUNK)

    def extended(self, other: "NgramVectorizer") -> "NgramVectorizer":
        """The same text path: hashed n-grams have no vocabulary.

        Raises:
            InputError: The other one counts other n-grams.
        """
        require_same_form(self, other)
        return self

    def save(self, directory: Path, name: str) -> None:
        """Writes nothing: hashed n-grams have no vocabulary."""

    @classmethod
    def load(cls, directory: Path, name: str, **options: Any) -> "NgramVectorizer":
        """A vectorizer of the options of `get_config`; there is nothing to read."""
        return cls(**options)

    def get_config(self) -> dict[str, Any]:
        """The options, for JSON."""
        sizes = list(self.sizes)  # TensorFlow wraps it
        return {"num_features": self.num_features, "sizes": sizes, "lower": self.lower}
