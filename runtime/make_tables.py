"""Writes `rnn_zoo_runtime/text/tables.json`: what a character is for TensorFlow's string ops.

A SavedModel's texts are read by RE2 (patterns) and ICU (lower case), each with its own version of
Unicode, and neither is that of Python's `unicodedata`. This script asks TensorFlow about every
character. Run `python runtime/make_tables.py` again when the project moves to another TensorFlow;
`tests/runtime/text/test_characters.py` fails until then.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

PATH = Path(__file__).parent / "rnn_zoo_runtime" / "text" / "tables.json"
CLASSES = {
    **{name: rf"\p{{{name}}}" for name in ("Lu", "Ll", "Lt", "Lm", "Lo", "M", "N")},
    "unspaced": r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]",
}
CODES = np.array([code for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000])
WITH_CASE = CODES[(CODES < 0x20000) | (CODES >= 0xE0000) & (CODES < 0xE1000)]  # planes of letters
CHUNK = 2**16


def tables() -> dict[str, Any]:
    """All tables: classes as ranges of code points, lower case as a map."""
    characters = [chr(code) for code in WITH_CASE]
    small = lowered(characters)
    # a final sigma is one after a cased letter and before none; what is ignored is skipped
    after = lowered([f"{character}Σ" for character in characters])
    skipped = lowered([f"a{character}Σ" for character in characters])
    cased = np.array([text[-1] == "ς" for text in after])
    ignored = np.array([text[-1] == "ς" for text in skipped]) & ~cased
    return {
        "tensorflow": tf.__version__,
        "classes": {name: ranges(CODES[matched(pattern)]) for name, pattern in CLASSES.items()},
        "cased": ranges(WITH_CASE[cased]),
        "ignored": ranges(WITH_CASE[ignored]),
        "lower": {a: b for a, b in zip(characters, small, strict=True) if a != b},
    }


def matched(pattern: str) -> np.ndarray:
    """Which characters a pattern of RE2 matches: bool, one for each of `CODES`."""
    parts = [
        tf.strings.regex_full_match([chr(code) for code in CODES[at : at + CHUNK]], pattern).numpy()
        for at in range(0, len(CODES), CHUNK)
    ]
    return np.concatenate(parts)


def lowered(texts: list[str]) -> list[str]:
    """The texts in lower case, by ICU."""
    parts = [texts[at : at + CHUNK] for at in range(0, len(texts), CHUNK)]
    rows = [tf.strings.lower(part, encoding="utf-8").numpy().tolist() for part in parts]
    return [text.decode() for row in rows for text in row]


def ranges(codes: np.ndarray) -> list[list[int]]:
    """First and last code point of each run of characters."""
    breaks = np.flatnonzero(np.diff(codes) > 1) + 1
    return [[int(run[0]), int(run[-1])] for run in np.split(codes, breaks) if len(run)]


if __name__ == "__main__":
    text = json.dumps(tables(), ensure_ascii=True, separators=(",", ":"))
    PATH.write_text(text + "\n", encoding="utf-8")
    print(f"{PATH}: {len(text):,} bytes")
