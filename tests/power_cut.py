"""A disk that forgets what was not synced: the states that a power cut can leave behind.

While a program runs, every call that syncs or changes a name is a point at which the power may
fail. Content of a file is safe once the file was synced, a name once its folder was. What is not
safe may be there or not, in any order.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

Tree = dict[str, bytes | None]  # relative path -> content; None is a folder
NAMES = ("rename", "replace", "mkdir", "unlink", "remove", "rmdir", "link")


class Disk:
    """Watches a folder and keeps what a power cut after each call may leave of it.

    Args:
        root: The folder; the names above it are safe.
        grave: A folder on the same file system: a deleted file keeps a name there, so that no other
            file gets its number.

    Attributes:
        states: The possible trees so far, without repetitions, each with the call that it follows.
    """

    def __init__(self, root: Path, grave: Path) -> None:
        self.root, self.grave = root, grave
        self.content: dict[int, bytes] = {}  # of a synced file, by its number
        self.entries: dict[int, dict[str, int]] = {}  # of a synced folder
        self.seen: set[tuple[Any, ...]] = set()
        self.states: list[tuple[str, Tree]] = []
        self._buried = 0

    def bury(self, path: Any) -> None:
        """Gives a file that is about to lose its name another one."""
        if os.path.isfile(path):
            self._buried += 1
            REAL["link"](path, self.grave / str(self._buried))

    def bury_folder(self, path: Any) -> None:
        """Takes an empty folder away, as `rmdir` does, but keeps its number."""
        if os.listdir(path):
            raise OSError(errno.ENOTEMPTY, "Directory not empty", os.fspath(path))
        self._buried += 1
        REAL["rename"](path, self.grave / str(self._buried))

    def synced(self, descriptor: int) -> None:
        """Notes what is safe from now on."""
        number = os.fstat(descriptor).st_ino
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isdir(path):
            with os.scandir(path) as found:
                self.entries[number] = {entry.name: entry.inode() for entry in found}
        else:
            self.content[number] = Path(path).read_bytes()

    def cut(self, call: str) -> None:
        """Keeps the trees that a power cut may leave now."""
        live = self._live()
        folders = [number for number, value in live.items() if isinstance(value, dict)]
        top = os.stat(self.root).st_ino
        for lost in (lambda _: b"", lambda content: content[: len(content) // 2]):
            self._keep(call, live, top, set(), lost)  # no name that was not synced
            self._keep(call, live, top, set(folders), lost)  # all of them
            for folder in folders:  # those of one folder alone, and of all others
                self._keep(call, live, top, {folder}, lost)
                self._keep(call, live, top, set(folders) - {folder}, lost)

    def _live(self) -> dict[int, Any]:
        """What a running system sees, by number: a file's content or a folder's entries."""
        found: dict[int, Any] = {}
        for place, _, names in os.walk(self.root):
            with os.scandir(place) as entries:
                found[os.stat(place).st_ino] = {entry.name: entry.inode() for entry in entries}
            for name in names:
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    found[os.fstat(file.fileno()).st_ino] = file.read()
        return found

    def _keep(
        self,
        call: str,
        live: dict[int, Any],
        top: int,
        written: set[int],
        lost: Callable[[bytes], bytes],
    ) -> None:
        tree: Tree = {}

        def walk(number: int, path: str) -> None:
            entries = self.entries.get(number, {})
            if number in written:
                entries = live.get(number, entries)
            for name, inner in entries.items():
                place = f"{path}{name}"
                if isinstance(live.get(inner), dict) or inner in self.entries:
                    tree[place] = None
                    walk(inner, place + "/")
                elif inner in self.content:
                    tree[place] = self.content[inner]
                else:
                    tree[place] = lost(live.get(inner, b""))

        walk(top, "")
        key = tuple(sorted(tree.items(), key=lambda item: item[0]))
        if key not in self.seen:
            self.seen.add(key)
            self.states.append((call, tree))


REAL = {name: getattr(os, name) for name in (*NAMES, "fsync")}


@contextmanager
def watched(root: Path, grave: Path) -> Iterator[Disk]:
    """Watches what happens in a folder during a `with` block."""
    disk = Disk(root, grave)
    inside = str(root)

    def fsync(descriptor: int) -> None:
        REAL["fsync"](descriptor)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path.startswith(inside):
            disk.synced(descriptor)
            disk.cut(f"fsync {path.removeprefix(inside)}")

    def changed(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            told = os.fspath(arguments[0]) if not isinstance(arguments[0], int) else ""
            if named.get("dir_fd") is not None:
                folder = os.readlink(f"/proc/self/fd/{named['dir_fd']}")
                told = os.path.join(folder, told)
            mine = str(told).startswith(inside)
            if mine and name in ("unlink", "remove"):
                disk.bury(told)
            if mine and name in ("rename", "replace"):
                disk.bury(arguments[1])
            if mine and name == "rmdir":  # its number stays taken
                disk.bury_folder(told)
                result = None
            else:
                result = REAL[name](*arguments, **named)
            if mine:
                disk.cut(f"{name} {str(told).removeprefix(inside)}")
            return result

        return call

    with mock.patch.multiple(os, fsync=fsync, **{name: changed(name) for name in NAMES}):
        yield disk


def materialize(tree: Tree, folder: Path) -> None:
    """Writes a tree into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in sorted(tree.items()):
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
