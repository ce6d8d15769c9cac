"""Third step of the text path: tokens <-> ids."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rnn_zoo_runtime.errors import DamagedFile
from rnn_zoo_runtime.files import ADVICE, read_text, split_lines

PAD, UNK, BOS, EOS = range(4)
SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
NAMED = 20  # unknown tokens of a text that are named
_MEANT = {"n": "\n", "r": "\r", "\\": "\\"}


class Vocabulary:
    """A list of tokens; the id of a token is its position, and that of an unknown one UNK.

    Args:
        tokens: All tokens in the order of their ids, starting with PAD 0, UNK 1, BOS 2, EOS 3.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = list(tokens)
        self._ids = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token, special ones too."""
        return [self._ids.get(token, UNK) for token in tokens]

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Reads what `zoo.text.Vocabulary.save` wrote.

        Raises:
            InputError: The file cannot be read.
            DamagedFile: It holds no vocabulary.
        """
        lines = split_lines(read_text(path))
        tokens = [re.sub(r"\\([nr\\])", lambda found: _MEANT[found[1]], line) for line in lines]
        if tuple(tokens[: len(SPECIAL)]) != SPECIAL or len(set(tokens)) != len(tokens):
            raise DamagedFile(
                f"{path} is no vocabulary: expected {', '.join(SPECIAL)} and then each token once: "
                f"{ADVICE}"
            )
        return cls(tokens)


def padded(rows: list[list[int]]) -> np.ndarray:
    """Ids of rows of any lengths -> int32 (B, T), 0 = PAD on the right; T is at least 1.

    Example:
        >>> padded([[5, 6], []]).tolist()
        [[5, 6], [0, 0]]
    """
    table = np.zeros([len(rows), max([1, *map(len, rows)])], np.int32)
    for row, ids in enumerate(rows):
        table[row, : len(ids)] = ids
    return table


def padded_strings(rows: list[list[str]]) -> np.ndarray:
    """Strings of rows of any lengths -> objects (B, T), "" on the right; T is at least 1."""
    table = np.full([len(rows), max([1, *map(len, rows)])], "", object)
    for row, strings in enumerate(rows):
        table[row, : len(strings)] = strings
    return table


def share(unknown: list[list[bool]]) -> np.ndarray:
    """The share of each row's tokens that are unknown, float32 (B,); 0 for a row without tokens."""
    return np.array([sum(row) / len(row) if row else 0.0 for row in unknown], np.float32)


def first_unknown(tokens: list[list[str]], unknown: list[list[bool]]) -> np.ndarray:
    """The first 20 unknown tokens of each text: objects (B, U), "" as padding, U at least 1."""
    rows = [
        [token for token, flag in zip(*pair, strict=True) if flag][:NAMED]
        for pair in zip(tokens, unknown, strict=True)
    ]
    return padded_strings(rows)
