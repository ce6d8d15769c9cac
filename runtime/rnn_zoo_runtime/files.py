"""Reads the files of a bundle; a fault is one sentence with the file's name."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from rnn_zoo_runtime.errors import DamagedFile, InputError

SUMS = "SHA256SUMS"
ADVICE = "export the model again, or put back a copy"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def read_text(path: Path) -> str:
    """Reads a text file in UTF-8, without a byte order mark.

    Raises:
        InputError: It cannot be read.
        DamagedFile: It is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): {ADVICE}") from error
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path}: not UTF-8 at byte {error.start}: {ADVICE}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file that holds an object.

    Raises:
        InputError: It cannot be read.
        DamagedFile: It holds something else.
    """
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise DamagedFile(f"{path} is not JSON ({error}): {ADVICE}") from error
    if not isinstance(found, dict):
        raise DamagedFile(f"{path} must hold an object {{...}}: {ADVICE}")
    return found


def split_lines(text: str) -> list[str]:
    r"""The lines of a text, which `\n` or `\r\n` ends and nothing else; an empty last one is none.

    Example:
        >>> split_lines("one\r\ntwo\x0cstill two\n")
        ['one', 'two\x0cstill two']
    """
    *lines, last = text.split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    return [*lines, last] if last or not lines else lines


def verify(folder: Path) -> None:
    """Compares all files that the folder's `SHA256SUMS` lists with their checksums.

    Raises:
        DamagedFile: A file is missing or has another checksum, or there are no checksums.
    """
    path = folder / SUMS
    if not path.is_file():
        raise DamagedFile(f"{path} is missing: {ADVICE}")
    lines = [_LINE.fullmatch(line) for line in read_text(path).splitlines()]
    for line in (line for line in lines if line):
        file = folder / line[2]
        if not file.is_file():
            raise DamagedFile(f"{file} is missing: {ADVICE}")
        with file.open("rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != line[1]:
            raise DamagedFile(
                f"{file} is damaged or was edited: its SHA-256 is not the one in {path}: {ADVICE}"
            )
