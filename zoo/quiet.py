"""Keeps TensorFlow's start-up notices (CPU features, no GPU found) off a command's output."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_command() -> bool:
    """Whether this process is `python -m zoo` or `python -m recipes`, and no user's own program."""
    first = sys.argv[0] if sys.argv else ""
    return first == "-m" or Path(first).match("recipes/__main__.py")


@contextmanager
def held_notices(wanted: bool) -> Iterator[None]:
    """Holds back what native code writes to stderr in a `with` block; shows it if the block fails.

    Set `TF_CPP_MIN_LOG_LEVEL=0` to see it all.

    Args:
        wanted: False does nothing.
    """
    if not wanted or os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
