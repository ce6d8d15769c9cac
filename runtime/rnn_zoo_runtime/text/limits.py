"""Maximum lengths of the texts that are read, and the cut of longer ones: as in the SavedModel.

A text is `str`, or `bytes` that should be UTF-8. A character of bytes is a byte with the
continuation bytes after it, as TensorFlow counts.
"""

import re

import numpy as np

from rnn_zoo_runtime.errors import InputError

TEXT = 65_536  # characters of any text
SCORED = 32_768  # tokens of a text that a language model scores or continues
TAGGED = 4_096  # tokens of a text that is tagged, or scored for a label
TRANSLATED = 512  # source or target tokens of a translation, the end counted
TOKEN = 1_024  # characters of a token that is given as such
Text = str | bytes
SURROGATE = re.compile("[\ud800-\udfff]")


def read(text: Text) -> str:
    """A text as `str`; bytes that are not UTF-8 become U+FFFD.

    Raises:
        InputError: A string has half of a surrogate pair, which is no character.
    """
    if isinstance(text, bytes):
        return text.decode(errors="replace")
    half = SURROGATE.search(text)
    if half:
        raise InputError(
            f"the text has {half[0]!r} at place {half.start()}, half of a surrogate pair and no "
            "character: decode it with errors='replace'"
        )
    return text


def length(text: Text) -> int:
    """The number of characters."""
    return len(text) if isinstance(text, str) else len(_starts(text))


def is_long(text: Text, most: int = TEXT) -> bool:
    """Whether a text has more than `most` characters."""
    return len(text) > most and length(text) > most


def shortened(text: Text, most: int = TEXT, keep: str = "head") -> Text:
    """Cuts a text to `most` characters: its `head`, its `tail`, or half of each (`middle`).

    Example:
        >>> shortened("abcdef", 4, "tail"), shortened("abcdef", 4, "middle")
        ('cdef', 'abef')
    """
    if isinstance(text, bytes):
        return _shortened(text, most, keep) if len(text) > most else text
    if len(text) <= most or keep == "head":
        return text[:most]
    size = most if keep == "tail" else most // 2
    return text[: most - size] + text[len(text) - size :]


def _shortened(text: bytes, most: int, keep: str) -> bytes:
    """Where a text begins with continuation bytes, the count and the cut of TensorFlow differ."""
    starts = _starts(text)
    count = len(starts)
    if keep == "middle" and count <= most:
        return text
    # the cut takes bytes before the first character as one
    bounds = [*([] if count and starts[0] == 0 else [0]), *starts.tolist(), len(text)]
    size = most // 2 if keep == "middle" else most
    head = text[: bounds[min(most - size if keep == "middle" else most, len(bounds) - 1)]]
    if keep == "head":
        return head
    at = max(count - size, 0)
    tail = text[bounds[at] : bounds[min(at + size, len(bounds) - 1)]]
    return tail if keep == "tail" else head + tail


def _starts(text: bytes) -> np.ndarray:
    """The places of the bytes that begin a character."""
    return np.flatnonzero((np.frombuffer(text, np.uint8) & 0xC0) != 0x80)
