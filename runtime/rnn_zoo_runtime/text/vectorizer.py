"""Text path of classifiers: strings -> padded ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_zoo_runtime.text.limits import Text
from rnn_zoo_runtime.text.normalization import normalized
from rnn_zoo_runtime.text.tokenization import TOKENIZERS
from rnn_zoo_runtime.text.vocabulary import UNK, Vocabulary, padded


class Vectorizer:
    """The twin of `zoo.text.Vectorizer`: strings (B,) -> int32 (B, T), 0 = PAD on the right.

    Args:
        vocabulary: The known tokens.
        level: The unit of tokens: `word` or `character`.
        lower: Whether to lower-case.
        max_length: Maximum number of tokens of a text.
        truncation: Which tokens of a longer text are kept: `head`, `tail`, or all but the `middle`.
        unicode: The version of Unicode of the Python that exported; by default this Python's.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        level: str = "word",
        lower: bool = True,
        max_length: int = 400,
        truncation: str = "head",
        unicode: str = "",
    ) -> None:
        self.vocabulary = vocabulary
        self.level, self.lower = level, lower
        self.max_length, self.truncation = max_length, truncation
        self.unicode = unicode

    def tokens(self, texts: Sequence[Text]) -> list[list[str]]:
        """The tokens of each text, cut to `max_length`."""
        split = TOKENIZERS[self.level]
        return [self._cut(split(normalized(text, self.lower, self.unicode))) for text in texts]

    def ids_of(self, tokens: list[list[str]]) -> list[list[int]]:
        """Ids of `tokens`; an empty row becomes one UNK."""
        return [self.vocabulary.ids(row) or [UNK] for row in tokens]

    def __call__(self, texts: Sequence[Text]) -> np.ndarray:
        """Strings (B,) -> int32 (B, T)."""
        return padded(self.ids_of(self.tokens(texts)))

    def _cut(self, tokens: list[str]) -> list[str]:
        if self.truncation == "head":
            return tokens[: self.max_length]
        if self.truncation == "tail":
            return tokens[-self.max_length :]
        head = self.max_length // 4
        # of a text that fits, the tail starts where the head ends
        return tokens[:head] + tokens[head:][head - self.max_length :]

    @classmethod
    def load(cls, folder: Path, name: str, **options: Any) -> "Vectorizer":
        """Reads what `zoo.text.Vectorizer.save` wrote; the options are those of `get_config`."""
        return cls(Vocabulary.load(folder / f"{name}.txt"), **options)
