"""Reads the project's own files; a fault is one sentence with the file's name."""

import json
import zlib
from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile, InputError
from zoo.system import checksums
from zoo.system.lines import read_bytes

ADVICE = "put back a copy of it, or train again"
_KINDS: dict[type, str] = {dict: "an object {...}", list: "a list [...]"}


def read_text(path: Path, *, what: str = "", missing: str, advice: str = ADVICE) -> str:
    """Reads a text file in UTF-8 and verifies its checksum, if it has one.

    `what` is the name of the file in the sentence if it is missing; `missing` and `advice` are what
    to do if it is missing or damaged.

    Raises:
        InputError: It cannot be read.
        DamagedFile: Its checksum differs, or it is not UTF-8.
    """
    try:
        raw = read_bytes(path)
        checksums.verify(path, advice)
    except FileNotFoundError as error:
        sentence = f"no {what} at {path}" if what else f"{path} does not exist"
        raise InputError(f"{sentence}: {missing}") from error
    except OSError as error:
        raise InputError(f"no {what or 'file'} at {path} ({error.strerror}): {missing}") from error
    except (EOFError, zlib.error) as error:
        raise DamagedFile(f"{path} is damaged ({error}): {advice}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        above = raw.count(b"\n", 0, error.start)
        raise DamagedFile(
            f"{path}, line {above + 1}: not UTF-8 at byte {error.start}: {advice}"
        ) from error


def read_json(path: Path, kind: type | None = None, *, missing: str, advice: str = ADVICE) -> Any:
    """Reads a JSON file, of a `dict` or a `list` if `kind` names one; see `read_text`.

    Raises:
        InputError: It cannot be read.
        DamagedFile: It is not JSON, or JSON of another kind.
    """
    text = read_text(path, missing=missing, advice=advice)
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise DamagedFile(f"{path} is not JSON (nested too deeply): {advice}") from error
    except ValueError as error:  # not JSON, or a number with thousands of digits
        raise DamagedFile(f"{path} is not JSON ({error}): {advice}") from error
    if kind and not isinstance(found, kind):
        raise DamagedFile(
            f"{path} must hold {_KINDS[kind]}, got {json.dumps(found)[:60]}: {advice}"
        )
    return found
