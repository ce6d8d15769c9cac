"""Tokens -> the inputs of a tagger: word ids, character ids and casing ids."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_zoo_runtime.text.characters import LETTERS, members
from rnn_zoo_runtime.text.limits import Text
from rnn_zoo_runtime.text.normalization import normalized
from rnn_zoo_runtime.text.vocabulary import PAD, SPECIAL, UNK, Vocabulary

KNOWN = 10_000  # tokens whose ids are kept
SYMBOLS = 3  # casing id of a token without letters and digits


class TokenVectorizer:
    """The twin of `zoo.text.TokenVectorizer`.

    tokens (B, T) -> token_ids (B, T), character_ids (B, T, L), casing_ids (B, T), int32; 0 = PAD.

    Args:
        vocabulary: The known words.
        letters: The known characters.
        lower: Whether words are lower-cased before they are looked up.
        max_letters: Maximum L.
        unicode: The version of Unicode of the Python that exported; by default this Python's.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        letters: Vocabulary,
        *,
        lower: bool = True,
        max_letters: int = 20,
        unicode: str = "",
    ) -> None:
        self.vocabulary, self.letters = vocabulary, letters
        self.lower, self.max_letters, self.unicode = lower, max_letters, unicode
        self._known = functools.lru_cache(maxsize=KNOWN)(self._read)

    def __call__(self, rows: Sequence[Sequence[Text]]) -> dict[str, np.ndarray]:
        """Rows of tokens, "" as padding on the right -> ids, as the class says; T is at least 1."""
        distinct = {token: self._known(token) for row in rows for token in row}
        wide = max([1, *(len(letters) for _, letters, _ in distinct.values())])
        shape = [len(rows), max([1, *map(len, rows)])]
        token_ids, casing_ids = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        character_ids = np.zeros([*shape, wide], np.int32)
        for number, row in enumerate(rows):
            for place, token in enumerate(row):
                word, letters, casing = distinct[token]
                token_ids[number, place], casing_ids[number, place] = word, casing
                character_ids[number, place, : len(letters)] = letters
            if not row or not row[0]:  # a row without a token
                token_ids[number, 0], casing_ids[number, 0] = UNK, SYMBOLS
        return {"token_ids": token_ids, "character_ids": character_ids, "casing_ids": casing_ids}

    def _read(self, token: Text) -> tuple[int, list[int], int]:
        """The id of a token, those of its letters, and its casing."""
        if not token:
            return PAD, [], PAD
        written = normalized(token, False, self.unicode)
        (word,) = self.vocabulary.ids([normalized(token, self.lower, self.unicode)])
        head = self.max_letters // 2
        rest = written[head:]  # a word that fits is kept whole
        letters = self.letters.ids(written[:head] + rest[head - self.max_letters :])
        return (UNK if word < len(SPECIAL) else word), letters, casing_id(written)

    @classmethod
    def load(cls, folder: Path, name: str, **options: Any) -> "TokenVectorizer":
        """Reads what `zoo.text.TokenVectorizer.save` wrote; `options` are from `get_config`."""
        files = (folder / f"{name}.txt", folder / "letters.txt")
        return cls(*map(Vocabulary.load, files), **options)


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    letter, upper = members(*LETTERS), members("Lu", "Lt")
    caseless = members("Lo", "Lm")
    return {
        "letter": re.compile(f"[{letter}]"),
        "digit": re.compile(f"[{members('N')}]"),
        "upper": re.compile(f"[{upper}]"),
        "lower": re.compile(f"[{members('Ll')}]"),
        "other": re.compile(f"[{caseless}]"),
        "first": re.compile(f"[^{letter}]*[{upper}][^{upper}{caseless}]*"),
    }


def casing_id(word: str) -> int:
    """The casing of a word, 1 to 7: see `zoo.text.TokenVectorizer`.

    Example:
        >>> [casing_id(word) for word in ("12", "a1", "?!", "ann", "ANN", "Ann", "aNN")]
        [1, 2, 3, 4, 5, 6, 7]
    """
    patterns = _patterns()
    has = {name: pattern.search(word) is not None for name, pattern in patterns.items()}
    if has["digit"]:
        return 2 if has["letter"] else 1
    if not has["letter"]:
        return SYMBOLS
    if has["lower"] and not has["upper"] and not has["other"]:
        return 4
    if patterns["first"].fullmatch(word):
        return 6
    return 5 if has["upper"] and not has["lower"] and not has["other"] else 7
