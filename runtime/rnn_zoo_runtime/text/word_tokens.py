"""Raw text -> tokens with their positions, as the graph does it."""

import functools
import re
from typing import NamedTuple

import numpy as np

from rnn_zoo_runtime.text.characters import LETTERS, members
from rnn_zoo_runtime.text.limits import Text, read
from rnn_zoo_runtime.text.normalization import BLANK_CHARACTERS


class Tokens(NamedTuple):
    """The tokens of a text.

    Attributes:
        tokens: T strings.
        starts: int32 (T,), where each begins, in Unicode characters of the text.
        ends: int32 (T,), where it ends: `text[start:end]` is the token.
    """

    tokens: list[str]
    starts: np.ndarray
    ends: np.ndarray


def word_tokens(text: Text) -> Tokens:
    """Splits a text into words, numbers and punctuation marks; only blanks are dropped.

    The rules are those of `zoo.text.word_tokens`; a text without tokens has none here.

    Example:
        >>> word_tokens("Ann's 3.5 km, wow!!").tokens
        ["Ann's", '3.5', 'km', ',', 'wow', '!!']
    """
    text = read(text)
    found = list((_ascii() if text.isascii() else _unicode()).finditer(text))
    starts, ends = ([each.start() for each in found], [each.end() for each in found])
    return Tokens([each[0] for each in found], np.array(starts, np.int32), np.array(ends, np.int32))


@functools.cache
def _ascii() -> re.Pattern[str]:
    return _pattern("A-Za-z", "0-9")


@functools.cache
def _unicode() -> re.Pattern[str]:
    letter = members(*LETTERS, "M", but="unspaced")  # and its marks
    return _pattern(letter, members("N", but="unspaced"))


def _pattern(letter: str, digit: str) -> re.Pattern[str]:
    """The pattern of a token, from the members of two classes of characters."""
    blank = f" {BLANK_CHARACTERS}"
    word, begins = rf"[{letter}{digit}_\u200c\u200d]", f"(?<![^{blank}])"
    address = f"{begins}(?i:https?://)[^{blank}]+"
    joint = rf"(?<=[{letter}])['\u2019](?=[{letter}])|(?<=[{digit}])[.,:](?=[{digit}])"
    run = f"(?:{begins}[@#](?={word}))?{word}+(?:(?:{joint}){word}+)*"
    return re.compile(rf"{address}|{run}|([.!?\-=*~])\1*|[^{blank}]")
