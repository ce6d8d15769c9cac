"""A line for each request, as text or as JSON; written by a thread, so that nobody waits for it."""

import json
import logging
import logging.handlers
import queue
import sys
import time
from contextlib import suppress
from typing import Any, TextIO

FIELDS = ("method", "path", "status", "milliseconds", "bytes", "model", "version", "rows")
LONGEST = 200  # characters of a path


class AccessLog:
    """The log.

    Args:
        form: `text`, `json` or `off`.
        stream: Where it goes; by default standard output.
    """

    def __init__(self, form: str, stream: TextIO | None = None) -> None:
        self.form = form
        lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._put = lines.put_nowait
        handler = _Lines(stream or sys.stdout)
        self._listener = logging.handlers.QueueListener(lines, handler)
        if form != "off":
            self._listener.start()

    def write(self, client: str, **fields: Any) -> None:
        """Writes a line: `FIELDS` and the time; what is not known is left out."""
        if self.form == "off":
            return
        known = {name: fields[name] for name in FIELDS if fields.get(name) is not None}
        known["path"] = known["path"][:LONGEST]
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        if self.form == "json":
            line = json.dumps({"time": stamp, "client": client, **known})
        else:
            head = f"{stamp} {client} {known.pop('method')} {known.pop('path')}"
            rest = " ".join(f"{name}={value}" for name, value in known.items() if name != "status")
            line = f"{head} {known['status']} {rest}"
        self._put(logging.makeLogRecord({"msg": line}))

    def close(self) -> None:
        """Waits until all lines are written."""
        if self.form != "off":
            self._listener.stop()


class _Lines(logging.Handler):
    """Writes each record's text; a stream that nobody reads stops no request."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):
            self.stream.write(record.getMessage() + "\n")
            self.stream.flush()
