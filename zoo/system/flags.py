"""Flags that hold inside a `with` block, such as what the graph that is being traced may do."""

import contextlib
import contextvars
from collections.abc import Iterator


class Flag:
    """A flag of the running thread, or of the running task.

    Args:
        name: Its name.

    Example:
        >>> flag = Flag("quiet")
        >>> with flag.on():
        ...     flag.holds()
        True
        >>> flag.holds()
        False
    """

    def __init__(self, name: str) -> None:
        self._value = contextvars.ContextVar(name, default=False)

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Sets the flag inside a `with` block."""
        token = self._value.set(True)
        try:
            yield
        finally:
            self._value.reset(token)

    def holds(self) -> bool:
        """Whether the flag is set."""
        return self._value.get()


# graphs that are never written to a file: they may call Python
kept_here = Flag("kept_here")
