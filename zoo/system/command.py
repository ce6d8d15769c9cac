"""Error handling of commands: every failure is one sentence on stderr and an exit status.

Expected failures (wrong input, a full disk, too little memory, Ctrl-C, a closed pipe) have no
traceback. The traceback of any other error is stored in a log file, which the sentence names.
"""

import errno
import io
import os
import select
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from zoo.errors import Failure, InputError
from zoo.system import startup
from zoo.version import VERSION

FAILED, WRONG_INPUT = 1, 2  # exit statuses
LONGEST = 300  # characters of a foreign error's message in a sentence
FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_TEXTS = ("No space left on device", "Disk quota exceeded")  # messages of TensorFlow and HDF5


@dataclass
class Place:
    """The progress of a command, which decides where its log goes and how to continue.

    Attributes:
        folder: The run's folder, for the log; None before it exists.
        resumable: Whether the command takes `--resume`.
        needed: The file that `--resume` needs, if any; without it a run cannot be resumed.
    """

    folder: Path | None = None
    resumable: bool = False
    needed: Path | None = None

    @property
    def advice(self) -> str:
        """How to continue, or ""."""
        there = self.needed is None or self.needed.exists()
        return "the same command with --resume goes on" if self.resumable and there else ""


def guarded(name: str, words: Sequence[str], run: Callable[[list[str], Place], int]) -> int:
    """Runs a command and reports its failures in one sentence.

    `run` does the work and returns the exit status; it may note its `Place`. `name` is the
    command's for the log: `python -m zoo`. Returns the exit status: 0 done, 1 failed or
    interrupted, 2 wrong input.

    Raises:
        SystemExit: The parser has printed its help or a usage error.
    """
    startup.open_streams()
    startup.restore_interrupts()
    place, output = Place(), Output(sys.stdout)
    with ExitStack() as after:
        after.callback(output.release)
        after.enter_context(redirect_stdout(cast(TextIO, output)))
        try:
            status = run(in_utf8(words), place)
            sys.stdout.flush()
            return status
        except SystemExit:
            raise
        except (Exception, KeyboardInterrupt) as error:
            status, sentence = _failure(error, place, [name, *words])
            with suppress(OSError, ValueError):  # stderr is closed, or its reader has gone
                if sentence:
                    print(sentence, file=sys.stderr, flush=True)
            return status


def in_utf8(words: Sequence[str]) -> list[str]:
    r"""Decodes arguments as UTF-8, whatever the locale is.

    Python keeps bytes that do not fit the locale's encoding as lone surrogates, which files,
    tensors and JSON reject. UTF-8 bytes are decoded here.

    Raises:
        InputError: An argument is not UTF-8.

    Example:
        >>> in_utf8(["caf\udcc3\udca9"])
        ['café']
    """
    decoded = []
    for number, word in enumerate(words, 1):
        try:
            known = os.fsencode(word).decode("utf-8") if startup.has_surrogates(word) else word
        except UnicodeError as error:
            raise InputError(
                f"argument {number} must be UTF-8, got {word!r}: convert a text with iconv, rename "
                "a file with such a name"
            ) from error
        decoded.append(known)
    return decoded


class OutputError(OSError):
    """Standard output cannot be written: its reader has gone, or its disk is full."""


class Output:
    r"""Standard output whose errors can be distinguished from those of other files.

    A character that the stream's encoding lacks is written as an escape such as `\u2026`. An
    `OutputError` means that the stream cannot be written.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._errors = getattr(stream, "errors", None)
        self.broken = False
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes text."""
        with self._watched():
            return int(self._stream.write(text))

    def flush(self) -> None:
        """Writes what is buffered."""
        with self._watched():
            self._stream.flush()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.broken = True
            raise OutputError(error.errno, error.strerror) from error

    def release(self) -> None:
        """Restores the stream; a broken one is redirected to the null device, for a clean exit."""
        with suppress(OutputError):
            self.flush()
        with suppress(OSError, ValueError):  # a stream without a descriptor
            if self.broken:
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self._stream.fileno())
                os.close(null)
            if isinstance(self._stream, io.TextIOWrapper):
                self._stream.reconfigure(errors=self._errors)


def _failure(error: BaseException, place: Place, command: Sequence[str]) -> tuple[int, str]:
    """The exit status and the sentence for an error; "" for no message."""
    resume = place.advice
    if isinstance(error, KeyboardInterrupt):
        return FAILED, ": ".join(filter(None, ["interrupted", resume]))
    if isinstance(error, InputError):
        return WRONG_INPUT, f"error: {error}"
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        sentence = (
            "this command needs TensorFlow, which reads texts and serves models, and it is not "
            "installed: pip install tensorflow"
        )
        return WRONG_INPUT, f"error: {sentence}"
    if isinstance(error, OutputError) and error.errno in (errno.EPIPE, errno.EINVAL):
        return FAILED, f"stopped, since nobody reads standard output: {resume}" if resume else ""
    if isinstance(error, OutputError):
        return FAILED, f"failed: standard output cannot be written ({error.strerror})"
    if isinstance(error, BrokenPipeError) and _has_no_reader(sys.stderr):
        return FAILED, ""
    known = _known(error)
    if known:
        return FAILED, f"failed: {known}"
    text = f"{type(error).__name__}: {shortened(str(error))}".removesuffix(": ")
    return FAILED, f"failed: {text}; {_logged(error, place, command)}"


def _has_no_reader(stream: Any) -> bool:
    """Whether a stream is a pipe whose reader has gone."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # errors are always reported
        return any(events & select.POLLERR for _, events in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # a system without poll, no descriptor
        return False


def _known(error: BaseException) -> str:
    """The message for an error that needs no traceback, or ""."""
    text = str(error)
    if isinstance(error, Failure):
        return text
    if getattr(error, "errno", None) in FULL or any(part in text for part in _FULL_TEXTS):
        where = getattr(error, "filename", None)
        place = f" for {where}" if where else ""
        return f"no space left on the device{place}: free some, or give another folder"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return (
            f"out of memory ({shortened(text) or 'no details'}): make the model, the batch "
            "or the input smaller"
        )
    if isinstance(error, UnicodeEncodeError) and error.encoding not in ("utf-8", "utf8"):
        return (
            f"the locale's encoding {error.encoding} lacks {error.object[error.start]!a}: set the "
            "environment variable PYTHONUTF8=1"
        )
    if isinstance(error, UnicodeEncodeError) and startup.has_surrogates(error.object):
        return f"not UTF-8: {shortened(ascii(error.object))}: convert the text, or rename the file"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.strerror}: {error.filename}"
    return ""


def shortened(text: str) -> str:
    """A message on one line, cut to 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _logged(error: BaseException, place: Place, command: Sequence[str]) -> str:
    """Writes the traceback to the first writable folder; returns a clause that names the file."""
    trace = "".join(traceback.format_exception(error))
    log = f"{' '.join(map(ascii, command))}\nrnn-zoo {VERSION}\n\n{trace}"
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in _log_folders(place):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(log)
        except OSError:  # full or read-only: try the next one
            continue
        return f"the traceback is in {folder / name}"
    return f"its traceback could not be stored:\n{trace}"


def _log_folders(place: Place) -> Iterator[Path]:
    """The run's folder, then the user's state folder, then the temporary folder."""
    if place.folder and place.folder.is_dir():
        yield place.folder
    state = os.environ.get("XDG_STATE_HOME", "")
    with suppress(RuntimeError):  # a user without a home folder
        base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
        yield base / "rnn-zoo"
    with suppress(OSError):  # no temporary folder that can be written
        yield Path(tempfile.gettempdir())
