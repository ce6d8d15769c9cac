"""First step of the text path: raw bytes -> normalised text, in core TensorFlow ops."""

import tensorflow as tf

from zoo.text.nfc import composer

HTML_BREAK = r"(?i)<br\s*/?>|</?p>"
APOSTROPHE = r"[\x{2018}\x{2019}\x{02BC}]"
# white space other than the space, line ends and control characters; format characters (joiners)
# stay. Runs of spaces apart: a pattern that matches at every word takes ten times as long
BLANK = (
    r"[\x{00}-\x{1F}\x{7F}-\x{A0}\x{1680}"
    r"\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+"
)
SPACES = r" {2,}"
# letters that ICU lowers by the process's locale (Turkish, Lithuanian), and what they are elsewhere
LOCALE_BOUND = {"İ": "i\u0307", "Į": "į", "Ì": "ì", "Í": "í", "Ĩ": "ĩ"}


class Normalizer(tf.Module):
    r"""Maps texts that look alike to the same string.

    In this order: bytes that are not UTF-8 become U+FFFD; white space and control characters (NUL
    too) become spaces, as do HTML breaks and paragraphs, a run one space, none at the ends;
    lower case with `lower`; normalisation form C; curly apostrophes become straight ones.

    Args:
        lower: Whether to lower-case letters of all scripts.

    Example:
        >>> Normalizer(lower=True)(tf.constant(["Great!<br /> I’d\tgo"])).numpy()[0].decode()
        "great! i'd go"
    """

    def __init__(self, lower: bool = True) -> None:
        super().__init__()
        self.lower = lower
        self.compose = composer()

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Strings (B,) -> strings (B,)."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        # before all else: a break may hold such blanks, and `lower` ends a string at its first NUL
        texts = tf.strings.regex_replace(texts, BLANK, " ")
        texts = tf.strings.regex_replace(texts, HTML_BREAK, " ")
        texts = tf.strings.strip(tf.strings.regex_replace(texts, SPACES, " "))
        if self.lower:
            texts = lowered(texts)
        texts = self.compose(texts)
        return tf.strings.regex_replace(texts, APOSTROPHE, "'")


def lowered(texts: tf.Tensor) -> tf.Tensor:
    """Lower case in all scripts, the same in every locale."""
    texts = tf.strings.lower(texts)  # ASCII, which knows no locale
    for letter, small in LOCALE_BOUND.items():
        texts = tf.strings.regex_replace(texts, letter, small)
    return tf.strings.lower(texts, encoding="utf-8")
