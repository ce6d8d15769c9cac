"""JSON Lines: a file's text -> rows of line, text and label; one object a line.

Numbers, `true` and `false` are taken as they are written: `5` is the label "5", `5.0` is another
one. Keys that are not asked for are ignored. Blank lines are skipped.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from recipes.data.columns import first_of
from recipes.data.naming import unknown
from zoo.errors import InputError
from zoo.system.lines import split_lines

LABELLED = {"text": "--text-column", "label": "--label-column"}
_EXPECTED = 'expected one whole JSON object in each line, as {"text": "...", "label": "..."}'


def read_jsonl(
    path: Path, text: str, first: str, second: str, flags: Mapping[str, str] = LABELLED
) -> list[tuple[int, str, str]]:
    """Finds the line number and two strings in the object of each line; there is at least one.

    `first` and `second` are the strings' keys, or several with commas: the first that an object
    has counts. `text` is the content of the file, not blank; `flags` has what the strings are and
    the flags that choose their keys, for the errors.

    Raises:
        InputError: A line is malformed JSON or no object, a key is missing or holds a list, an
            object, null, or half a surrogate pair.
    """
    rows = []
    for line, source in enumerate(split_lines(text), start=1):
        if source.strip():
            where = f"{path}:{line}"
            row = object_of(where, source)
            keys = zip((first, second), flags.items(), strict=True)
            one, other = (string_of(where, row, key, *role) for key, role in keys)
            rows.append((line, one, other))
    return rows


def object_of(where: str, source: str) -> dict[str, object]:
    """The object in a line, or an error about malformed JSON or another value."""
    try:
        value = json.loads(source, parse_int=str, parse_float=str, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        problem = f"malformed JSON ({error.msg} at column {error.colno})"
        raise InputError(f"{where}: {problem}, {_EXPECTED}: mend the line") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: malformed JSON ({error}), {_EXPECTED}: mend the line"
        ) from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: this is {_kind(value)}, {_EXPECTED}: rewrite the file so")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")  # json itself would accept NaN


def string_of(where: str, row: dict[str, object], option: str, role: str, flag: str) -> str:
    """The string or number under a key, of which an option may list several with commas."""
    key = first_of(option, row)
    if key not in row:
        problem = unknown("key", key, row)
        raise InputError(f"{where}: {problem}: choose the {role}'s key with {flag}")
    value = row[key]
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise InputError(
            f"{where}: {key!r} is {_kind(value)}, expected a string or a number: write one or "
            f"leave the line out"
        )
    return _encodable(where, key, value)


def _encodable(where: str, key: str, value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: {key!r} holds half a surrogate pair ({value[error.start]!a}), expected "
            f"whole characters: write the character itself in UTF-8"
        ) from error
    return value


def _kind(value: object) -> str:
    """The JSON word for a value; numbers have been read as strings."""
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    return kinds.get(type(value), "a single value")
