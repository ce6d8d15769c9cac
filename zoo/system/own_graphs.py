"""Graphs that stay in the process that traces them."""

import contextlib
import contextvars
from collections.abc import Iterator

_kept_here = contextvars.ContextVar("kept_here", default=False)


@contextlib.contextmanager
def kept_here() -> Iterator[None]:
    """Traces graphs that are never written to a file: they may call Python."""
    token = _kept_here.set(True)
    try:
        yield
    finally:
        _kept_here.reset(token)


def is_kept_here() -> bool:
    """Whether `kept_here` holds."""
    return _kept_here.get()
