"""Maximum lengths of the texts that a served model reads, which bound the memory of a request.

Longer texts are cut, not refused: a refused request would fail the whole batch.
Where the answer depends on the removed part, `truncated` reports the cut.
"""

import tensorflow as tf

TEXT = 65_536  # characters of any text
SCORED = 32_768  # tokens of a text that a language model scores or continues
TAGGED = 4_096  # tokens of a text that is tagged, or scored for a label
TRANSLATED = 512  # source or target tokens of a translation, the end counted
TOKEN = 1_024  # characters of a token that is given as such


def shortened(texts: tf.Tensor, most: int = TEXT, keep: str = "head") -> tf.Tensor:
    """Cuts texts, UTF-8 strings of any shape, to `most` Unicode characters.

    `keep` is the part of a longer text to keep: its `head`, its `tail`, or half of each (the
    `middle` is dropped).

    Example:
        >>> shortened(tf.constant(["né", "abcdef"]), 4, "tail").numpy()[1]
        b'cdef'
    """
    if keep == "head":
        return tf.strings.substr(texts, 0, most, unit="UTF8_CHAR")
    length = tf.strings.length(texts, unit="UTF8_CHAR")
    size = most if keep == "tail" else most // 2
    start = tf.maximum(length - size, 0)
    tail = tf.strings.substr(texts, start, tf.fill(tf.shape(texts), size), unit="UTF8_CHAR")
    if keep == "tail":
        return tail
    both = tf.strings.join([tf.strings.substr(texts, 0, most - size, unit="UTF8_CHAR"), tail])
    return tf.where(length > most, both, texts)


def is_long(texts: tf.Tensor, most: int = TEXT) -> tf.Tensor:
    """Marks the texts with more than `most` characters: bool of the same shape."""
    return tf.strings.length(texts, unit="UTF8_CHAR") > most
