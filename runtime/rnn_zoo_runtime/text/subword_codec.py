"""Strings <-> subwords: text path of models with an open vocabulary."""

import functools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_zoo_runtime.errors import DamagedFile
from rnn_zoo_runtime.files import ADVICE, read_text, split_lines
from rnn_zoo_runtime.text.characters import LETTERS, members
from rnn_zoo_runtime.text.limits import Text, read, shortened
from rnn_zoo_runtime.text.normalization import cased, spaced
from rnn_zoo_runtime.text.text_codec import BLANKS
from rnn_zoo_runtime.text.vocabulary import SPECIAL, UNK, Vocabulary

MARK = "\u2581"  # represents the blank before a word
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
RESERVED = (*SPECIAL, *BYTES)  # the tokens before the learned pieces
FALLBACK = -1e4  # the score of a character as bytes: taken only where no piece covers it
CUT = re.compile(" ?[^ \n]{64}")  # a longer word is cut


class SubwordCodec:
    """The twin of `zoo.text.SubwordCodec`.

    Args:
        vocabulary: The four special tokens, the bytes `<0x00>` to `<0xFF>`, then the pieces.
        scores: A log-probability in nats for each token; only those of pieces are used.
        lower: Whether to lower-case.
        unicode: The version of Unicode of the Python that exported; by default this Python's.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        scores: Sequence[float],
        *,
        lower: bool = False,
        unicode: str = "",
    ) -> None:
        self.vocabulary, self.lower, self.unicode = vocabulary, lower, unicode
        pieces = [token.replace(MARK, " ") for token in vocabulary.tokens[len(RESERVED) :]]
        numbers = range(len(RESERVED), len(vocabulary))
        self.pieces = {
            piece: (number, scores[number]) for number, piece in zip(numbers, pieces, strict=True)
        }
        self.longest = max([1, *map(len, pieces)])
        names = [b""] * len(SPECIAL) + [bytes([byte]) for byte in range(256)]
        names[UNK] = "\ufffd".encode()
        self.names = names + [piece.encode() for piece in pieces]
        self.segment = functools.lru_cache(maxsize=100_000)(self._segment)

    def normalized(self, text: Text) -> str:
        """A text before it is split."""
        return cased(spaced(text), self.lower, self.unicode)

    def ids(self, text: Text) -> list[int]:
        """The ids of a text, without BOS and EOS, and never UNK."""
        words = split_words(self.normalized(text))
        return [piece for word in words for piece in self.segment(word)]

    def tokens_and_ids(self, text: Text) -> tuple[list[str], list[int]]:
        """The tokens of a text and their ids."""
        ids = self.ids(text)
        return [self.vocabulary.tokens[each] for each in ids], ids

    def unknown(self, ids: Iterable[int]) -> list[bool]:
        """Marks the ids of bytes of characters in no piece."""
        return [each == UNK or len(SPECIAL) <= each < len(RESERVED) for each in ids]

    def text(self, token_ids: Sequence[int] | np.ndarray) -> str:
        """Ids (T,) -> a text; PAD, BOS and EOS are left out."""
        return spaced(self._bytes(token_ids))

    def continued(self, prompt: Text, token_ids: Sequence[int] | np.ndarray) -> str:
        """Joins a prompt, unchanged, with the text of the ids that follow it."""
        pieces = self._bytes(token_ids)
        added = spaced(pieces)
        last = read(shortened(prompt, 1, "tail"))
        apart = pieces[:1] == b" " and added != "" and last != "" and last[-1] not in BLANKS
        return read(prompt) + (" " if apart else "") + added

    def joined(self, tokens: Iterable[str]) -> str:
        """Joins tokens into a text; an unknown token is copied."""
        ids = self.vocabulary.ids(tokens := list(tokens))
        parts = [
            token.replace(MARK, " ").encode() if each == UNK else self.names[each]
            for token, each in zip(tokens, ids, strict=True)
        ]
        return spaced(b"".join(parts))

    def _bytes(self, token_ids: Sequence[int] | np.ndarray) -> bytes:
        return b"".join(self.names[each] for each in token_ids)

    def _segment(self, word: str) -> list[int]:
        """The ids of the pieces whose scores have the largest sum; the longer last piece of two.

        A character that is no piece itself may be written as its bytes, at the score `FALLBACK`.
        """
        best = [(0.0, 0)]  # up to each character: the sum and the length of the last piece
        for end in range(1, len(word) + 1):
            top = (-np.inf, 1)
            for size in range(1, min(end, self.longest) + 1):
                piece = self.pieces.get(word[end - size : end])
                if piece is None and size > 1:
                    continue
                total = best[end - size][0] + (FALLBACK if piece is None else piece[1])
                if total >= top[0]:
                    top = (total, size)
            best.append(top)
        found: list[int] = []
        end = len(word)
        while end:
            part = word[end - best[end][1] : end]
            known = self.pieces.get(part)
            ids = [known[0]] if known else [len(SPECIAL) + byte for byte in part.encode()]
            found = ids + found
            end -= len(part)
        return found

    @classmethod
    def load(cls, folder: Path, name: str, **options: Any) -> "SubwordCodec":
        """Reads the file that `zoo.text.SubwordCodec.save` wrote.

        Raises:
            InputError: The file cannot be read.
            DamagedFile: A line of it is damaged.
        """
        path = folder / f"{name}.txt"
        tokens: dict[str, float] = {}
        for number, line in enumerate(split_lines(read_text(path)), 1):
            try:
                token, score = line.split("\t")
                tokens[token] = float(score)
            except ValueError as error:
                raise DamagedFile(
                    f"{path}, line {number}: expected a piece, a tab and a number, got "
                    f"{line[:60]!r}: {ADVICE}"
                ) from error
        if tuple(list(tokens)[: len(RESERVED)]) != RESERVED:
            raise DamagedFile(f"{path} does not begin with the special tokens and bytes: {ADVICE}")
        return cls(Vocabulary(tokens), list(tokens.values()), **options)


@functools.cache
def _word() -> re.Pattern[str]:
    """A run of letters, a run of digits or one other character."""
    return re.compile(f" ?(?:[{members(*LETTERS, 'M')}]+|[{members('N')}]+|[^ ])")


def split_words(text: str) -> list[str]:
    r"""Splits a text, as `spaced` gives it, into words, each with the blank before it.

    Example:
        >>> split_words("don't (2b)")
        [' don', "'", 't', ' (', '2', 'b', ')']
    """
    text = CUT.sub("\\g<0>\n", _word().sub("\\g<0>\n", f" {text}"))
    return [word for word in text.split("\n") if word not in ("", " ")]
