r"""Reads text and lines from files and standard input, within documented limits of size.

All readers share one rule: `\n` ends a line, and a `\r` directly before that `\n` is dropped. No
other character ends a line. A byte order mark before the first line is dropped.

The limits keep an endless input (`/dev/zero`, a gzip bomb, a pipe that never ends) from filling
the memory. Each can be raised by an environment variable, whose value is a positive whole number:

- `RNN_ZOO_MAX_LINE_BYTES` (128 MiB): bytes of one line without its end.
- `RNN_ZOO_MAX_FILE_BYTES` (2 GiB): bytes of one file, after decompression.
- `RNN_ZOO_MAX_LINES` (10 million): lines of one file.
- `RNN_ZOO_MAX_VECTORS_BYTES` (8 GiB): bytes of a file of word vectors, which is read line by line.
"""

import codecs
import gzip
import io
import itertools
import math
import os
import select
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from zoo.errors import InputError

LIMITS = {
    "RNN_ZOO_MAX_LINE_BYTES": 128 * 2**20,
    "RNN_ZOO_MAX_FILE_BYTES": 2 * 2**30,
    "RNN_ZOO_MAX_LINES": 10_000_000,
    "RNN_ZOO_MAX_VECTORS_BYTES": 8 * 2**30,
}
PIPE_SECONDS = 30.0  # timeout for the first byte of a named pipe
_CHUNK = 2**20
_GZIP_MARK = b"\x1f\x8b"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def size_limit(name: str) -> int:
    """The value of one of `LIMITS`, from the environment variable or the default.

    Raises:
        InputError: The environment variable is not a positive whole number.
    """
    text = os.environ.get(name, "")
    if not text:
        return LIMITS[name]
    if not (text.isascii() and text.isdigit() and int(text[:20])):
        raise InputError(
            f"the environment variable {name} must be a positive whole number, got {text!r}: "
            f"set it to one, such as {LIMITS[name]}, or unset it"
        )
    return int(text[:20])


def read_lines(stream: BinaryIO, name: str = "standard input", limit: str = "") -> Iterator[str]:
    r"""Yields each line of a stream, without its end, as soon as it is complete.

    The stream is binary, in UTF-8, such as `sys.stdin.buffer` or an open file, and called `name` in
    errors. A final `\n` adds no empty line. `limit` is the one of `LIMITS` for the bytes of the
    whole stream, whose lines are limited as well; `""` for an endless stream.

    Raises:
        InputError: A line is not UTF-8 or too long, or the stream is too long; the line is named.

    Example:
        >>> import io
        >>> list(read_lines(io.BytesIO(b"\xef\xbb\xbfone\r\ntwo\x0cstill two\n")))
        ['one', 'two\x0cstill two']
    """
    longest, number, total = size_limit("RNN_ZOO_MAX_LINE_BYTES"), 0, 0
    most = size_limit(limit) if limit else math.inf
    most_lines = size_limit("RNN_ZOO_MAX_LINES") if limit else math.inf
    while raw := stream.readline(longest + len("\r\n") + len(codecs.BOM_UTF8)):
        number, total = number + 1, total + len(raw)
        if total > most:
            raise too_large(name, most, "bytes", limit)
        if number > most_lines:
            raise too_large(name, most_lines, "lines", "RNN_ZOO_MAX_LINES")
        data = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if data.endswith(b"\n"):
            data = data[:-1].removesuffix(b"\r")
        if len(data) > longest:
            raise _too_long(f"{name}, line {number}", longest)
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError as error:
            where = f"{name}, line {number}"
            raise _not_utf8(where, data[error.start], number == 1, data) from error


def read_text(path: str | Path) -> str:
    """Reads a whole text file in UTF-8, decompressed if it is a gzip file.

    A leading byte order mark is dropped. Line ends are kept.

    Raises:
        InputError: The path does not exist, cannot be read, is not gzip although its name ends
            in `.gz`, is larger than the limits, or is not UTF-8 (the line of the first wrong byte
            is named).
    """
    with open_file(path) as file:
        return "".join(_decoded(str(path), file))


def split_lines(text: str) -> list[str]:
    r"""Splits a text at `\n` and `\r\n`, and nowhere else.

    `str.splitlines` also splits at form feeds, NEL and U+2028, which occur inside real reviews. The
    lines are without their ends; the last is `""` if the text ends in a line end.

    Example:
        >>> split_lines("one\r\ntwo\x0cstill two\n")
        ['one', 'two\x0cstill two', '']
    """
    *lines, last = text.split("\n")
    return [*(line.removesuffix("\r") for line in lines), last]


def read_bytes(path: str | Path) -> bytes:
    """Reads a whole file within the limits, decompressed if it is a gzip file.

    Raises:
        InputError: The file is larger than the limits.
        OSError: The file cannot be opened or read.
        EOFError, zlib.error: A gzip file is damaged.
    """
    with opened(path) as file:
        return b"".join(_limited(str(path), file))


@contextmanager
def open_file(path: str | Path) -> Iterator[BinaryIO]:
    """Opens a file like `opened`; failures are an `InputError` with the file's name.

    Raises:
        InputError: There is no such file, or opening or reading it in the `with` block fails.
    """
    try:
        with opened(path) as file:
            yield file
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file, check the path's spelling") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: is not a whole gzip file ({error}), expected one because of its name or its "
            f"first bytes: fetch or compress it again, or take .gz off the name if it is plain text"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}), expected a file that you may "
            f"read: see its permissions with `ls -l`"
        ) from error


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """Opens a file for reading bytes; decompresses gzip, by its name or its first bytes.

    It may be a named pipe into which another program writes.

    Raises:
        InputError: Nothing is written into a named pipe for `PIPE_SECONDS`.
        OSError: The file cannot be opened.
    """
    path = Path(path)
    with _raw(path) as file:
        packed = path.suffix.lower() == ".gz" or file.peek(2)[:2] == _GZIP_MARK
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file


def _raw(path: Path) -> io.BufferedReader:
    """The open file; a named pipe is opened once it has a byte, or fails after a timeout."""
    if not stat.S_ISFIFO(path.stat().st_mode):
        return path.open("rb")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        ready = poll.poll(PIPE_SECONDS * 1000)
    except BaseException:
        os.close(descriptor)
        raise
    if not ready:
        os.close(descriptor)
        raise InputError(
            f"{path}: is a pipe into which nothing was written for {PIPE_SECONDS:g} seconds, "
            f"expected a file: start the program that writes to it first, or give a file"
        )
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _limited(name: str, file: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file in pieces, up to the first limit."""
    limits = {limit: size_limit(limit) for limit in LIMITS}
    longest = limits["RNN_ZOO_MAX_LINE_BYTES"]
    size, lines, line_size = 0, 0, 0
    while chunk := file.read(min(_CHUNK, longest + 1)):
        first_end = chunk.find(b"\n")
        if line_size + (first_end if first_end >= 0 else len(chunk)) > longest:
            raise _too_long(f"{name}:{lines + 1}", longest)
        line_size = len(chunk) - chunk.rfind(b"\n") - 1 + (line_size if first_end < 0 else 0)
        size, lines = size + len(chunk), lines + chunk.count(b"\n")
        for count, unit, limit in (
            (size, "bytes", "RNN_ZOO_MAX_FILE_BYTES"),
            (lines, "lines", "RNN_ZOO_MAX_LINES"),
        ):
            if count > limits[limit]:
                raise too_large(name, limits[limit], unit, limit)
        yield chunk


def _decoded(name: str, file: BinaryIO) -> Iterator[str]:
    """The text of an open file in pieces, without byte order mark; fails at an invalid byte."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    lines, head = 0, b""
    for chunk in itertools.chain(_limited(name, file), [b""]):
        head = head or chunk[:2]
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = lines + error.object.count(b"\n", 0, error.start) + 1
            raise _not_utf8(f"{name}:{line}", error.object[error.start], True, head) from error
        lines += chunk.count(b"\n")


def _not_utf8(where: str, byte: int, is_start: bool, head: bytes) -> InputError:
    encoding = "UTF-16" if is_start and head.startswith(_UTF16_MARKS) else "CP1252"
    return InputError(
        f"{where}: not UTF-8 (byte 0x{byte:02x}), expected UTF-8 text: convert it with iconv, "
        f"probably `iconv -f {encoding} -t UTF-8`"
    )


def _too_long(where: str, longest: int) -> InputError:
    return InputError(
        f"{where}: longer than {longest:,} bytes, expected lines of text: end the line, or set "
        f"the environment variable RNN_ZOO_MAX_LINE_BYTES to a larger number"
    )


def too_large(name: str, most: float, unit: str, variable: str) -> InputError:
    """The error for a file beyond a limit."""
    return InputError(
        f"{name}: more than {most:,} {unit}, expected at most that: split the file, or set the "
        f"environment variable {variable} to a larger number if there is enough memory"
    )
