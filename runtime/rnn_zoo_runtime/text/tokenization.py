"""Second step of the text path: normalised text -> tokens, as the graph does it."""

import functools
import re
from collections.abc import Callable

from rnn_zoo_runtime.text.characters import LETTERS, members

ASCII_BLANKS = "\t\n\v\f\r "
# RE2's \s leaves out the vertical tab
BLANK = r"[\t\n\f\r ]"
QUOTES = tuple(re.compile(p) for p in ("('{2,})", rf"(?:^|{BLANK})('+)", rf"('+)(?:{BLANK}|\Z)"))


@functools.cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    word = members(*LETTERS, "M", "N") + "_\u200c\u200d'"
    marks = re.compile(f"([^\t\n\f\r {word}])")
    return (re.compile(f"([{members('unspaced')}])"), marks, *QUOTES)


def words(text: str) -> list[str]:
    """Splits a normalised text into words and single punctuation marks.

    Example:
        >>> words("it isn't bad!")
        ['it', "isn't", 'bad', '!']
    """
    for pattern in _patterns():
        text = pattern.sub(r" \1 ", text)
    return split(text)


def split(text: str) -> list[str]:
    """Splits at ASCII white space, as `tf.strings.split` does."""
    return re.findall(f"[^{ASCII_BLANKS}]+", text)


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {"word": words, "character": list}
