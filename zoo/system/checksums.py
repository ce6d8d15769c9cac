"""SHA-256 checksums of files, which distinguish damage from another format.

A folder's `SHA256SUMS` has a line for each file, as the command `sha256sum` writes it. While a file
is replaced, it has two lines: for the old and for the new content.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from zoo.errors import DamagedFile

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_BLOCK = 1 << 20


def digest(path: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
    return sha256.hexdigest()


def recorded(folder: Path) -> dict[str, list[str]]:
    """The sums in a folder's `SHA256SUMS`, by file name; lines of another form are ignored."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    sums: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if match := _LINE.fullmatch(line):
            sums.setdefault(match[2], []).append(match[1])
    return sums


def as_text(sums: dict[str, list[str]]) -> str:
    """The content of a `SHA256SUMS`."""
    return "".join(f"{one}  {name}\n" for name, ones in sorted(sums.items()) for one in ones)


def of_tree(folder: Path) -> dict[str, list[str]]:
    """The sums of all files in a folder and its subfolders, by their relative paths."""
    sums = {}
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names if name != NAME):
            sums[path.relative_to(folder).as_posix()] = [digest(path)]
    return sums


def verify(path: Path, advice: str) -> None:
    """Compares a file with its checksum in the folder's `SHA256SUMS`, if it is listed there.

    Raises:
        DamagedFile: Its checksum differs; the sentence ends in the advice.
    """
    known = recorded(path.parent).get(path.name)
    if known and digest(path) not in known:
        raise DamagedFile(
            f"{path} is damaged or was edited: its SHA-256 is not the one in {NAME} beside it: "
            f"{advice}"
        )


def verify_tree(folder: Path, required: Iterable[str] = (), advice: str = "") -> None:
    """Compares all files that a folder's `SHA256SUMS` lists, if there is one.

    The sentence of an error ends in the advice, if there is one.

    Raises:
        DamagedFile: A file is missing or has another checksum, or a required one is not listed.
    """
    if not (folder / NAME).exists():
        return
    sums, end = recorded(folder), f": {advice}" if advice else ""
    for name in [*sums, *required]:
        path = folder / name
        if not path.is_file():
            raise DamagedFile(f"{path} is missing{end}")
        if name not in sums:
            raise DamagedFile(f"{folder / NAME} is damaged: it does not list {name}{end}")
        if digest(path) not in sums[name]:
            fault = f"its SHA-256 is not the one in {folder / NAME}"
            raise DamagedFile(f"{path} is damaged or was edited: {fault}{end}")
