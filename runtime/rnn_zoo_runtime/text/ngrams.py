"""Strings -> hashed letter n-grams: a text as a vector of fixed size, without a vocabulary."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_zoo_runtime.text.fingerprint import fingerprint64
from rnn_zoo_runtime.text.limits import Text
from rnn_zoo_runtime.text.normalization import normalized

BEGIN, END = "\x02", "\x03"  # of a text: no normalised text holds them
TINY = 1e-12  # added to no sum: the smallest square length of a vector


class NgramVectorizer:
    """The twin of `zoo.text.NgramVectorizer`: strings (B,) -> float32 (B, D), rows of length 1.

    Args:
        num_features: D.
        sizes: Letters of an n-gram.
        lower: Whether to lower-case.
        unicode: The version of Unicode of the Python that exported; by default this Python's.
    """

    def __init__(
        self,
        num_features: int = 4096,
        sizes: Sequence[int] = (1, 2, 3),
        lower: bool = True,
        unicode: str = "",
    ) -> None:
        self.num_features, self.sizes, self.lower = num_features, list(sizes), lower
        self.unicode = unicode

    def ids(self, text: Text) -> list[int]:
        """The number of each n-gram of a text."""
        marked = f"{BEGIN}{normalized(text, self.lower, self.unicode)}{END}"
        return [
            _hash(marked[at : at + size]) % self.num_features
            for size in self.sizes
            for at in range(len(marked) - size + 1)
        ]

    def __call__(self, texts: Sequence[Text]) -> np.ndarray:
        """Strings (B,) -> float32 (B, D)."""
        counts = np.zeros([len(texts), self.num_features], np.float32)
        for row, text in enumerate(texts):
            np.add.at(counts[row], np.array(self.ids(text), int), 1.0)
        squares = np.sum(counts * counts, axis=1, keepdims=True)
        return counts / np.sqrt(np.maximum(squares, np.float32(TINY)))

    @classmethod
    def load(cls, folder: Path, name: str, **options: Any) -> "NgramVectorizer":
        """A vectorizer of the options of `get_config`; there is nothing to read."""
        return cls(**options)


@functools.lru_cache(maxsize=100_000)
def _hash(ngram: str) -> int:
    return fingerprint64(ngram.encode())
