"""JSON as TensorFlow Serving reads and writes it: NaN and Infinity are bare words.

orjson does the common case; Python's `json` reads and writes what has such words.
"""

import json
from typing import Any

import orjson

from zoo.serving.refusals import wrong

SHOWN = 100  # characters of a value that an error shows
_WORDS = (b"NaN", b"Infinity")


def loads(body: bytes) -> Any:
    """Reads a document in UTF-8.

    Raises:
        Refused: It is empty, not UTF-8 or not JSON.
    """
    if not body:
        raise wrong("JSON Parse error: The document is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not any(word in body for word in _WORDS):
            raise wrong(f"JSON Parse error: Invalid value. at offset: {error.pos}") from error
    try:
        return json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise wrong(f"JSON Parse error: not UTF-8 at offset: {error.start}") from error
    except json.JSONDecodeError as error:
        raise wrong(f"JSON Parse error: Invalid value. at offset: {error.pos}") from error
    except (RecursionError, ValueError) as error:  # nested too deeply; thousands of digits
        raise wrong("JSON Parse error: the document is nested too deeply or a number is") from error


def dumps(content: Any) -> bytes:
    """Writes values, dicts, lists and NumPy arrays of finite numbers."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def dumps_bare(content: Any) -> bytes:
    """Writes values, dicts and lists whose floats may be NaN or infinite."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def shown(value: Any) -> str:
    """A JSON value in an error, cut to 100 characters."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
