"""Locks of folders: one process at a time writes; errors of the others name it.

The lock is the operating system's, which releases it when the process ends, however it ends.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from zoo.errors import InputError
from zoo.system import durable

LOCK, HOLDER = ".lock", ".lock.json"
_held: dict[Path, int] = {}  # how often this process holds each folder


class InUseError(InputError):
    """Another process writes into the folder; the sentence names it and its start."""


@contextmanager
def hold(folder: Path, what: str, advice: str) -> Iterator[None]:
    """Locks a folder against other processes in a `with` block.

    A missing folder is made, and deleted afterwards if it is empty. The same process may lock a
    folder several times. `what` is the folder's name in the sentence, such as `the run`, and
    `advice` what to do if another process holds it.

    Raises:
        InUseError: Another process holds it.
        InputError: It is a file.
    """
    key = folder.resolve()
    if key.is_file():
        raise InputError(f"{folder} is a file, expected a folder: give another name")
    made = [] if key in _held else durable.make_folder(folder)
    if key in _held:
        _held[key] += 1
        try:
            yield
        finally:
            _held[key] -= 1
        return
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise InUseError(f"{what} {folder} is in use by {_holder(folder)}: {advice}") from error
    _held[key] = 1
    try:
        _sign(folder)
        durable.sweep(folder)
        yield
    finally:
        del _held[key]
        (folder / HOLDER).unlink(missing_ok=True)
        (folder / LOCK).unlink(missing_ok=True)
        lock.release()
        for place in made:
            with suppress(OSError):  # not empty
                place.rmdir()


def _sign(folder: Path) -> None:
    """Records the holder of the lock."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    with (folder / HOLDER).open("w", encoding="utf-8") as file:
        json.dump(holder, file)


def _holder(folder: Path) -> str:
    """The recorded holder of the lock."""
    try:
        found = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']} since {found['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # it is being written at this moment
        return "another process"
