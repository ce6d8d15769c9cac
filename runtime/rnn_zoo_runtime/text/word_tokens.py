"""Raw text -> tokens with their positions, as the graph does it."""

import re
from typing import NamedTuple

import numpy as np

from rnn_zoo_runtime.text.characters import CLASSES, UNSPACED, codes_of, kinds
from rnn_zoo_runtime.text.limits import Text, read
from rnn_zoo_runtime.text.normalization import BLANK_CHARACTERS

MARK, DIGIT = CLASSES.index("M") + 1, CLASSES.index("N") + 1
RUN = re.compile(f"[^ {BLANK_CHARACTERS}]+")
ADDRESS = re.compile(r"https?://[^\n]+", re.IGNORECASE)


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
    codes = codes_of(text)
    blank = np.ones(len(codes), bool)
    address = np.zeros(len(codes), bool)
    for run in RUN.finditer(text):
        blank[run.start() : run.end()] = False
        if ADDRESS.fullmatch(run[0]):
            address[run.start() : run.end()] = True
    begins = ~blank & ~_continues(codes, blank, address)
    starts = np.flatnonzero(begins)
    # a token ends where the next one begins, or at the blanks before it
    last = np.maximum.accumulate(np.where(blank, -1, np.arange(len(codes))))
    stops = np.append(starts[1:], len(codes))[: len(starts)]
    ends = last[stops - 1] + 1
    tokens = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return Tokens(tokens, starts.astype(np.int32), ends.astype(np.int32))


def _continues(codes: np.ndarray, blank: np.ndarray, address: np.ndarray) -> np.ndarray:
    """Whether a character belongs to the token of the one before it."""
    kind = kinds()[codes]
    single = kind >= UNSPACED
    letter, digit = (kind > 0) & (kind <= MARK), kind == DIGIT
    word = letter | digit | _among(codes, "_\u200c\u200d")
    apostrophe = _among(codes, "'\u2019") & _before(letter) & _after(letter)
    point = _among(codes, ".,:") & _before(digit) & _after(digit)
    sign = _among(codes, "@#") & ~_before(~blank) & _after(word & ~single)
    inside = (word & ~single) | apostrophe | point | sign | address
    alike = np.append(False, codes[1:] == codes[:-1])[: len(codes)]
    run = _among(codes, ".!?-=*~") & alike & ~inside & _before(~inside)
    return (inside & _before(inside)) | run


def _among(codes: np.ndarray, characters: str) -> np.ndarray:
    return np.isin(codes, codes_of(characters))


def _before(flags: np.ndarray) -> np.ndarray:
    """The flag of the previous character, False for the first."""
    return np.append(False, flags[:-1])[: len(flags)]


def _after(flags: np.ndarray) -> np.ndarray:
    """The flag of the next character, False for the last."""
    return np.append(flags[1:], False)[: len(flags)]
