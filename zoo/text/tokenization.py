"""Second step of the text path: normalised text -> tokens, in core TensorFlow ops."""

from collections.abc import Callable

import tensorflow as tf

# scripts without spaces between words: each character is a token
UNSPACED = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])"
# anything that is neither part of a word nor a space is a token of its own
MARK = r"([^\s\p{L}\p{M}\p{N}_\x{200C}\x{200D}'])"
# an apostrophe between letters belongs to its word ("didn't"); others are tokens, a run of them one
QUOTES = (r"('{2,})", r"(?:^|\s)('+)", r"('+)(?:\s|$)")


def words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Splits texts (B,) from `Normalizer` into words and single punctuation marks: ragged (B, T).

    An empty text has no token.

    Example:
        >>> words(tf.constant(["it isn't bad!"])).to_list()[0]
        [b'it', b"isn't", b'bad', b'!']
    """
    for pattern in (UNSPACED, MARK, *QUOTES):
        texts = tf.strings.regex_replace(texts, pattern, r" \1 ")
    return tf.strings.split(texts)


def characters(texts: tf.Tensor) -> tf.RaggedTensor:
    """Splits normalised texts into characters (Unicode code points), spaces included.

    Example:
        >>> characters(tf.constant(["né"])).to_list() == [["n".encode(), "é".encode()]]
        True
    """
    return tf.strings.unicode_split(texts, "UTF-8")


TOKENIZERS: dict[str, Callable[[tf.Tensor], tf.RaggedTensor]] = {
    "word": words,
    "character": characters,
}
