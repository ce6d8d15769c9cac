"""Raw text -> tokens with their positions, in core TensorFlow ops."""

from typing import Any, NamedTuple

import tensorflow as tf

from zoo.text.tokenization import UNSPACED

BLANK = (
    r"[\x{00}-\x{20}\x{7F}-\x{A0}\x{1680}"
    r"\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]"
)
WORD = r"[\p{L}\p{M}\p{N}_\x{200C}\x{200D}]"
LETTER, DIGIT = r"[\p{L}\p{M}]", r"\p{N}"
APOSTROPHE = r"['\x{2019}]"
POINT = r"[.,:]"  # between two digits it belongs to the number
SIGN = r"[@#]"  # before a word it begins it: @user, #tag
RUN = r"[.!?\-=*~]"  # several alike are one token
ADDRESS = r"(?i)https?://.+"


class Tokens(NamedTuple):
    """The tokens of a batch of texts.

    Attributes:
        tokens: Strings (B, T), "" as padding; T is at least 1.
        starts: int32 (B, T), where each begins, in Unicode characters of its text.
        ends: int32 (B, T), where it ends: `text[start:end]` is the token. 0 in the padding.
    """

    tokens: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor


def word_tokens(texts: tf.Tensor) -> Tokens:
    """Splits texts into words, numbers and punctuation marks; only blanks are dropped.

    Letters, digits, `_` and joiners make words; an apostrophe between letters and a point, comma or
    colon between digits stay inside. `@` and `#` belong to the word after them. A URL
    (`http://` or `https://` after a blank) is one token up to the next blank, as is a run of one of
    . ! ? - = * ~. Every other mark is a token, and so is each character of a script without spaces.

    Args:
        texts: Strings (B,), UTF-8; an invalid byte counts as one character, U+FFFD.

    Returns:
        Tokens and positions; a text without tokens has one "" from 0 to 0.

    Example:
        >>> found = word_tokens(tf.constant(["Ann's 3.5 km, wow!!"]))
        >>> found.tokens.numpy().tolist()
        [[b"Ann's", b'3.5', b'km', b',', b'wow', b'!!']]
        >>> found.starts.numpy().tolist()
        [[0, 6, 10, 12, 14, 17]]
    """
    characters, splits = _characters(texts)
    every = tf.range(tf.size(characters))
    rows = tf.searchsorted(splits, every, side="right") - 1
    places = every - tf.gather(splits, rows)
    blank = _is(characters, BLANK)
    first = tf.equal(places, 0)
    begins = tf.logical_and(~blank, ~_continues(characters, first, blank))
    kept = tf.boolean_mask(characters, ~blank)
    numbers = tf.boolean_mask(tf.cumsum(tf.cast(begins, tf.int32)) - 1, ~blank)
    count = tf.reduce_sum(tf.cast(begins, tf.int32))
    starts = tf.boolean_mask(places, begins)
    lengths = tf.math.unsorted_segment_sum(tf.ones_like(numbers), numbers, count)
    joined = tf.strings.unsorted_segment_join(kept, numbers, count)
    places = _places(tf.boolean_mask(rows, begins), tf.size(texts))
    dense = [
        tf.gather(tf.concat([values, [padding]], axis=0), places)
        for values, padding in ((joined, ""), (starts, 0), (starts + lengths, 0))
    ]
    return Tokens(*dense)


def _characters(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """All characters of strings (B,), and int32 (B + 1,), where those of each text begin and end.

    It is `tf.strings.unicode_split`, without the hundred operations of its ragged tensor.
    """
    splits, codes = tf.raw_ops.UnicodeDecode(
        input=texts, input_encoding="UTF-8", errors="replace", Tsplits=tf.int32
    )
    characters = tf.raw_ops.UnicodeEncode(
        input_values=codes, input_splits=tf.range(tf.size(codes) + 1), output_encoding="UTF-8"
    )
    return characters, splits


def _continues(characters: tf.Tensor, first: tf.Tensor, blank: tf.Tensor) -> tf.Tensor:
    """Whether a character belongs to the token of the one before it.

    `first` marks the first character of each text.
    """
    last, after_blank = tf.roll(first, -1, 0), ~_before(~blank, first)
    single = _is(characters, UNSPACED)
    letter, digit = _is(characters, LETTER) & ~single, _is(characters, DIGIT) & ~single
    word = tf.logical_and(_is(characters, WORD), ~single)
    apostrophe = _is(characters, APOSTROPHE) & _before(letter, first) & _after(letter, last)
    point = _is(characters, POINT) & _before(digit, first) & _after(digit, last)
    sign = _is(characters, SIGN) & after_blank & _after(word, last)
    inside = word | apostrophe | point | sign
    inside |= _in_address(characters, ~blank & after_blank, blank)
    alike = tf.equal(characters, tf.roll(characters, 1, 0))
    run = _is(characters, RUN) & alike & ~inside & _before(~inside, first)
    return (inside & _before(inside, first)) | run


def _in_address(characters: tf.Tensor, begins: tf.Tensor, blank: tf.Tensor) -> tf.Tensor:
    """Marks characters of a run without blanks that starts with http:// or https://.

    `begins` marks the first character of each run.
    """
    numbers = tf.cumsum(tf.cast(begins, tf.int32))  # from 1; blanks have that of the run before
    count = tf.reduce_sum(tf.cast(begins, tf.int32)) + 1
    kept = tf.where(blank, tf.fill(tf.shape(characters), ""), characters)
    runs = tf.strings.unsorted_segment_join(kept, numbers, count)
    return tf.gather(_is(runs, ADDRESS), numbers) & ~blank


def _is(strings: tf.Tensor, pattern: str) -> tf.Tensor:
    return tf.strings.regex_full_match(strings, pattern)


def _before(flags: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """The flag of the previous character, False for the first of a text."""
    return tf.roll(flags, 1, 0) & ~first


def _after(flags: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """The flag of the next character, False for the last of a text."""
    return tf.roll(flags, -1, 0) & ~last


def _places(owners: tf.Tensor, size: Any) -> tf.Tensor:
    """The places among N tokens of those of each text, int32 (B, T), N as padding; T is at least 1.

    `owners` int32 (N,) are the texts that have the tokens, in order; `size` is B.
    """
    counts = tf.math.unsorted_segment_sum(tf.ones_like(owners), owners, size)
    starts, counts = tf.cumsum(counts, exclusive=True), tf.expand_dims(counts, 1)
    columns = tf.range(tf.maximum(tf.reduce_max(counts), 1))
    return tf.where(columns < counts, tf.expand_dims(starts, 1) + columns, tf.size(owners))
