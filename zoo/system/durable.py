"""Writes that survive a power cut: first the content, then its name reaches the disk.

A rename is atomic, but the file system may store it before the content of the renamed file: after a
power cut the file can be empty. So each function here writes to a temporary name,
syncs the content (`fsync`), renames, and syncs the folder that holds the name.
"""

import csv
import errno
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.system import checksums

# left by a killed process: `.NAME.PID.part`, and the ending of the name
_PART = re.compile(r"\..+\.[0-9]+\.part(\.[^.]+)?")


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's entries, are on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows stores names together with the files
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system without fsync
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Syncs all files and folders in a folder, and the folder."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(place, name))
        sync(Path(place))


def make_folder(folder: Path) -> list[Path]:
    """Makes a folder and its missing parents, and syncs their names; returns them, inner first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync(new.parent)
    return missing


@contextmanager
def replacing(path: Path, *, checked: bool = False) -> Iterator[Path]:
    """Writes a file atomically: an existing one stays until the new one is on the disk.

    The file's folder exists. Yields the temporary path to write to, which has the ending of `path`.
    With `checked` the file's SHA-256 is recorded in the folder's `SHA256SUMS`.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        sync(part)
        if checked:  # before the rename: at any time the file has one of the recorded checksums
            old = checksums.recorded(path.parent)
            old[path.name] = [*old.get(path.name, [])[-1:], checksums.digest(part)]
            _write(path.with_name(checksums.NAME), checksums.as_text(old).encode())
        os.replace(part, path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str, *, checked: bool = False) -> None:
    """Writes text in UTF-8 without changing its line ends; see `replacing`."""
    with replacing(path, checked=checked) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, content: Any, *, checked: bool = False) -> None:
    """Writes JSON, indented and in UTF-8; see `replacing`."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    write_text(path, text + "\n", checked=checked)


def write_csv(path: Path, heads: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a table in UTF-8, the names of its columns first; see `replacing`."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, heads)
        writer.writeheader()
        writer.writerows(rows)


def record(folder: Path, names: list[str]) -> None:
    """Records the SHA-256 of files that are in a folder in its `SHA256SUMS`."""
    sums = checksums.recorded(folder)
    sums |= {name: [checksums.digest(folder / name)] for name in names}
    _write(folder / checksums.NAME, checksums.as_text(sums).encode())


def publish(part: Path, target: Path) -> None:
    """Renames a finished folder, on the file system of `target`, once its files are on the disk.

    Raises:
        OSError: `target` exists and is not empty.
    """
    sync_tree(part)
    os.rename(part, target)
    sync(target.parent)


def sweep(folder: Path) -> None:
    """Deletes unfinished files of killed processes; no process may be writing in the folder."""
    for path in folder.iterdir():
        if _PART.fullmatch(path.name) and path.is_file():
            path.unlink()
