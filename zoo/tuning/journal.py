"""What happened in a search, a line each: all that is needed to go on with it after a crash."""

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """A file of JSON lines that is only appended to, each on the disk before work goes on.

    Args:
        path: The file; a line that was cut off by a crash is taken away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[dict[str, Any]] = []
        if path.exists():
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                os.truncate(path, len(whole))
            self.events = [json.loads(line) for line in whole.splitlines()]

    def append(self, event: dict[str, Any]) -> None:
        """Adds an event; it is either in the file as a whole or not at all.

        Raises:
            OSError: The disk is full, or cannot be written.
        """
        line = json.dumps(event, ensure_ascii=False) + "\n"
        size = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(self.path, size)
            raise
        self.events.append(event)
