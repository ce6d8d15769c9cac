"""The events of a long run, one per line, from which it resumes after a crash."""

import json
import os
from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile
from zoo.system import durable

ADVICE = "put back a copy of it, or start in a new folder"


class Journal:
    """An append-only file of JSON lines, each synced before the run continues.

    A line that a crash cut off is removed.

    Raises:
        InputError: A whole line is not JSON: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[dict[str, Any]] = []
        if path.exists():
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                os.truncate(path, len(whole))
            self.events = [
                self._event(number, line) for number, line in enumerate(whole.splitlines(), 1)
            ]

    def _event(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DamagedFile(
                f"{self.path}, line {number}: not JSON ({error}): {ADVICE}"
            ) from error
        if not isinstance(found, dict):
            raise DamagedFile(
                f"{self.path}, line {number}: expected an event {{...}}, got {str(found)[:60]}: "
                f"{ADVICE}"
            )
        return found

    def append(self, event: dict[str, Any]) -> None:
        """Appends an event atomically.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        line = json.dumps(event, ensure_ascii=False) + "\n"
        new = not self.path.exists()
        size = 0 if new else self.path.stat().st_size
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            if new:
                durable.sync(self.path.parent)
        except OSError:
            os.truncate(self.path, size)
            raise
        self.events.append(event)
