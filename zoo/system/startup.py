"""Start-up of a command: its standard streams, Ctrl-C, and TensorFlow's notices.

But for `collected_later`, everything here changes only a process that runs one of the project's
commands: a program that imports the zoo keeps its own behaviour.
"""

import gc
import io
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from zoo.errors import InputError

PACKAGES = ("zoo", "recipes")
SCRIPTS = ("rnn-zoo", "rnn-zoo-recipes")
INTERRUPTED = 1  # the exit status
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")  # Python's own options that take a value
_MODULE = re.compile(r"-[bBdEhiIOPqsSuvVx]*m(.*)")  # -m, -mzoo, -Im
_stderr = 2  # the file descriptor that reaches the user while notices are hidden


def is_command(words: Sequence[str] | None = None) -> bool:
    """Whether this process, or one with this command line, is one of the project's commands.

    These are `python -m zoo`, `python -m recipes`, and the scripts `rnn-zoo` and
    `rnn-zoo-recipes`.

    Example:
        >>> is_command(["python3", "-X", "dev", "-m", "zoo", "list"])
        True
        >>> is_command(["python3", "/usr/local/bin/rnn-zoo-recipes", "sentiment"])
        True
        >>> is_command(["python3", "-m", "pytest", "-m", "zoo"])
        False
    """
    rest = iter((sys.orig_argv if words is None else words)[1:])
    for word in rest:
        module = _MODULE.fullmatch(word)
        if module:
            return (module[1] or next(rest, "")).split(".")[0] in PACKAGES
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return _is_script(word)
    return False


def _is_script(path: str) -> bool:
    by_path = any(Path(path).match(f"{package}/__main__.py") for package in PACKAGES)
    return by_path or script_name(path) in SCRIPTS


def script_name(path: str) -> str:
    """The name of a console script, without the endings that it has on Windows."""
    return re.sub(r"(-script\.pyw?|\.exe)$", "", Path(path).name)


def program() -> str:
    """What a user types to run the recipes: the console script of this process, if it is one."""
    name = script_name(sys.argv[0])
    return name if name in SCRIPTS else "python -m recipes"


def has_surrogates(text: str) -> bool:
    """Whether a text has lone surrogates: Python's form of bytes that it cannot decode."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def start() -> None:
    """Makes the start of a command safe, before anything large is imported.

    Closed standard streams are replaced. Until `restore_interrupts`, Ctrl-C ends the process with
    one line and status 1.
    """
    open_streams()
    _end_on_interrupt()


@contextmanager
def importing() -> Iterator[None]:
    """For a `with` block that imports TensorFlow: in a command, it prints no notices.

    Ctrl-C ends the command at once: a module that is being imported could catch the exception.
    """
    with collected_later():
        if not is_command() or _stderr != 2:  # a block inside another one
            yield
            return
        _end_on_interrupt()
        try:
            with held_notices():
                yield
        finally:
            restore_interrupts()


@contextmanager
def collected_later() -> Iterator[None]:
    """For a `with` block whose many objects stay: no garbage is collected before its end.

    Collections find next to nothing while TensorFlow is imported, and take a quarter of the time.
    The first one afterwards would walk over all that was made, for half a second, so those objects
    are moved into the oldest generation.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():  # what a program froze itself stays so
                gc.freeze()
                gc.unfreeze()  # into the oldest generation
            gc.enable()


def restore_interrupts() -> None:
    """Makes Ctrl-C raise `KeyboardInterrupt` again."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_on_interrupt() -> None:
    """Unless Ctrl-C has another handler; only the main thread may change it."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)


def _interrupted(_number: int, _frame: Any) -> None:
    """Ends the process without an exception."""
    os.write(_stderr, b"interrupted\n")
    os._exit(INTERRUPTED)


def open_streams() -> None:
    """Opens the null device in place of a closed standard stream.

    Otherwise the next file that is opened would get the closed stream's descriptor, and output for
    the stream would go into that file. A closed `sys.stdin` stays None, so that a reader of it can
    report that.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            os.set_inheritable(number, True)
    if sys.stdout is None:
        sys.stdout = _stream(1)
    if sys.stderr is None:
        sys.stderr = _stream(2)


def _stream(number: int) -> io.TextIOWrapper:
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


@contextmanager
def held_notices() -> Iterator[None]:
    """Hides what native code writes to stderr in a `with` block; prints it if the block fails.

    An `InputError` is about the user's input alone and prints nothing.
    Set `TF_CPP_MIN_LOG_LEVEL=0` to see it all.
    """
    global _stderr
    held = None if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0" else _scratch_file()
    if held is None:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with held:
        _stderr = kept
        os.dup2(held.fileno(), 2)
        try:
            yield
        except InputError:
            raise
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            _stderr = 2
            os.close(kept)


def _scratch_file() -> IO[bytes] | None:
    """A temporary file, or None if there is no space for one: then notices are printed."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return None
