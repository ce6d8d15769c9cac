"""Opens the user's own text files: bytes on disk -> str; stands before every reader of a format."""

import codecs
import gzip
import zlib
from pathlib import Path

from zoo.errors import InputError

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path) -> str:
    """Reads a whole text file, unpacked if its name ends in `.gz`.

    A byte order mark in front is dropped. Line ends stay as they are.

    Args:
        path: A file in UTF-8.

    Returns:
        The file's text, `""` for a file without a byte.

    Raises:
        InputError: The path does not exist, cannot be read, is no gzip file though its name says
            so, or is not UTF-8 (the line of the first wrong byte is named).
    """
    path = Path(path)
    data = _read_bytes(path)
    if path.suffix.lower() == ".gz":
        data = _decompress(path, data)
    return _decode(path, data)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file, check the path's spelling") from error
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}), expected a file that you may "
            f"read: see its permissions with `ls -l`"
        ) from error


def _decompress(path: Path, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: is not a whole gzip file ({error}), expected one because of its name: "
            f"fetch or compress it again, or take .gz off the name if it is plain text"
        ) from error


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        # Positions count from behind the byte order mark: error.object, not data.
        line = error.object.count(b"\n", 0, error.start) + 1
        encoding = "UTF-16" if data.startswith(_UTF16_MARKS) else "CP1252"
        raise InputError(
            f"{path}:{line}: not UTF-8 (byte 0x{error.object[error.start]:02x}), expected UTF-8 "
            f"text: convert it with iconv, probably `iconv -f {encoding} -t UTF-8`"
        ) from error


def split_lines(text: str) -> list[str]:
    r"""Cuts a text at its line ends, `\n` or `\r\n`, and nowhere else.

    `str.splitlines` also cuts at form feeds, NEL and U+2028, which stand inside real reviews.

    Args:
        text: A whole file.

    Returns:
        The lines without their ends; index 0 is line 1. The last is `""` if the file ends in a
        line end.

    Example:
        >>> split_lines("one\r\ntwo\x0cstill two\n")
        ['one', 'two\x0cstill two', '']
    """
    return [line.removesuffix("\r") for line in text.split("\n")]
