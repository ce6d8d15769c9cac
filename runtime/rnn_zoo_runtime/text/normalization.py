"""First step of the text path: raw text -> normalised text, as the graph does it."""

import re

from rnn_zoo_runtime.text.characters import composed, lowered
from rnn_zoo_runtime.text.limits import Text, read

HTML_BREAK = re.compile(r"<br[\t\n\f\r ]*/?>|</?p>", re.IGNORECASE)
APOSTROPHE = re.compile("[\u2018\u2019\u02bc]")
BLANK_CHARACTERS = "\x00-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
BLANK = re.compile(f"[{BLANK_CHARACTERS}]+")
SPACES = re.compile(" {2,}")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LINE_END = re.compile("\r\n?")


def normalized(text: Text, lower: bool = True, unicode: str = "") -> str:
    r"""Maps texts that look alike to the same string.

    In this order: bytes that are not UTF-8 become U+FFFD; white space, control characters and HTML
    breaks become single spaces, none at the ends; lower case with `lower`; normalisation form C of
    a version of Unicode, by default Python's; curly apostrophes become straight ones.

    Example:
        >>> normalized("Great!<br /> I’d\tgo")
        "great! i'd go"
    """
    found = BLANK.sub(" ", read(text))
    found = SPACES.sub(" ", HTML_BREAK.sub(" ", found)).strip(" ")
    return APOSTROPHE.sub("'", cased(found, lower, unicode))


def spaced(text: Text) -> str:
    """Single blanks for white space and control characters, none at the ends."""
    return SPACES.sub(" ", BLANK.sub(" ", read(text))).strip(" ")


def as_lines(text: Text) -> str:
    r"""`\n` for line ends; other control characters but the tab are left out."""
    return CONTROL.sub("", LINE_END.sub("\n", read(text)))


def cased(text: str, lower: bool, unicode: str = "") -> str:
    """In lower case with `lower`, and in normalisation form C."""
    text = lowered(text) if lower else text
    return composed(text, unicode) if unicode else composed(text)
