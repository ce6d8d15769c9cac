"""Texts -> words, each with the blank before it; ids of words -> ids of texts."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.text.normalization import BLANK, SPACES

LONGEST = 64  # characters of a word; a longer one is cut
# a run of letters, a run of digits or one other character
WORD = r" ?(?:[\p{L}\p{M}]+|\p{N}+|[^ ])"
CUT = rf" ?[^ \n]{{{LONGEST}}}"


class WordIndex(NamedTuple):
    """The words of many texts.

    Attributes:
        distinct: Each word once; the blank before a word belongs to it.
        numbers: int64 (N,), the place in `distinct` of each word of each text in turn.
        splits: int64 (texts + 1,), where each text begins in `numbers`, and the end.
    """

    distinct: list[str]
    numbers: np.ndarray
    splits: np.ndarray


class Rows(NamedTuple):
    """Sequences of ids of different lengths, concatenated in one array.

    Attributes:
        values: int32 (N,), all ids.
        starts: int64 (R,), where each sequence begins.
        lengths: int64 (R,), the number of ids of each.
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def spaced(texts: tf.Tensor) -> tf.Tensor:
    """Strings (B,) -> UTF-8 with single blanks for white space and controls, none at the ends."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, BLANK, " ")
    return tf.strings.strip(tf.strings.regex_replace(texts, SPACES, " "))


def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    r"""Strings (B,), as `spaced` gives them -> ragged strings (B, T).

    Example:
        >>> split_words(tf.constant(["don't (2b)"])).to_list()[0]
        [b' don', b"'", b't', b' (', b'2', b'b', b')']
    """
    texts = tf.strings.join([" ", texts])
    for pattern in (WORD, CUT):
        texts = tf.strings.regex_replace(texts, pattern, "\\0\n")
    words = tf.strings.split(texts, "\n")
    return tf.ragged.boolean_mask(words, (words != "") & (words != " "))


def joined(rows: Rows, numbers: np.ndarray, splits: np.ndarray) -> list[np.ndarray]:
    """Concatenates the ids of words for each text; `numbers` and `splits` as in `WordIndex`."""
    lengths = rows.lengths[numbers]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(rows.starts[numbers] - ends[:-1], lengths) + np.arange(ends[-1])
    parts: list[Any] = np.split(rows.values[places], ends[splits[1:-1]])
    return parts[: len(splits) - 1]
