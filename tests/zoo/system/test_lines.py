"""What a line is, wherever text is read, and the limits that endless input runs into."""

import gzip
import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.system import lines
from zoo.system.lines import open_file, read_lines, read_text, size_limit, split_lines

NO_ENDS = "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\rj"  # str.splitlines cuts each of these


def _lines(data: bytes) -> list[str]:
    return list(read_lines(io.BytesIO(data)))


def _refusal(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        read_text(path)
    return str(caught.value)


def test_a_stream_is_cut_at_line_feeds_alone() -> None:
    assert _lines(f"{NO_ENDS}\r\n\n{NO_ENDS}\n".encode()) == [NO_ENDS, "", NO_ENDS]


def test_one_carriage_return_before_a_line_feed_belongs_to_the_line_end() -> None:
    assert _lines(b"a\r\nb\r\r\nc\r") == ["a", "b\r", "c\r"]


def test_a_byte_order_mark_in_front_is_no_part_of_the_first_line() -> None:
    mark = b"\xef\xbb\xbf"
    assert _lines(mark + b"a\n" + mark + b"b\n") == ["a", "\ufeffb"]
    assert _lines(mark) == [""]


def test_the_last_line_needs_no_end_and_an_end_begins_no_line() -> None:
    assert _lines(b"") == []
    assert _lines(b"a") == _lines(b"a\n") == ["a"]
    assert _lines(b"a\n\n") == ["a", ""]


@settings(deadline=None)
@given(st.text())
def test_a_stream_has_the_lines_of_the_whole_text(text: str) -> None:
    text = text.removeprefix("\ufeff")
    whole = split_lines(text)
    assert _lines(text.encode()) == (whole if whole[-1] else whole[:-1])


def test_each_line_is_yielded_before_the_next_one_is_there() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream, os.fdopen(writer, "wb", buffering=0) as pipe:
        found = read_lines(stream)
        pipe.write(b"first\n")
        assert next(found) == "first"
        pipe.write(b"second\n")
        assert next(found) == "second"


def test_the_line_of_a_stream_that_is_not_utf8_is_named() -> None:
    found = read_lines(io.BytesIO(b"good\ncaf\xe9\n"))
    assert next(found) == "good"
    with pytest.raises(InputError, match=r"standard input, line 2: not UTF-8 \(byte 0xe9\)"):
        next(found)
    with pytest.raises(InputError, match="table, line 1: .*iconv -f UTF-16"):
        next(read_lines(io.BytesIO("ab".encode("utf-16")), "table"))


def test_an_endless_line_of_a_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_ZOO_MAX_LINE_BYTES", "5")
    assert _lines(b"\xef\xbb\xbf12345\r\n12345\n12345") == ["12345"] * 3
    with pytest.raises(InputError, match="line 2: longer than 5 bytes.*RNN_ZOO_MAX_LINE_BYTES"):
        _lines(b"1\n123456")
    with open("/dev/zero", "rb") as endless, pytest.raises(InputError, match="line 1: longer"):
        next(read_lines(endless))


def test_a_file_in_bounds_is_read_at_any_size_of_its_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text.txt"
    content = "ß\n日本語\r\n\nx😀y\n" * 3
    path.write_bytes(b"\xef\xbb\xbf" + content.encode())
    for size in range(1, 12):
        monkeypatch.setattr(lines, "_CHUNK", size)
        assert read_text(path) == content


@pytest.mark.parametrize("packed", [False, True])
def test_files_beyond_a_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    path = tmp_path / ("text.gz" if packed else "text.txt")
    content = b"12345\n" * 100
    path.write_bytes(gzip.compress(content) if packed else content)
    for name, most in (("LINE_BYTES", 5), ("FILE_BYTES", 600), ("LINES", 100)):
        variable = f"RNN_ZOO_MAX_{name}"
        monkeypatch.setenv(variable, str(most))
        assert read_text(path) == content.decode()
        monkeypatch.setenv(variable, str(most - 1))
        assert variable in _refusal(path)
        assert f"{most - 1} " in _refusal(path)
        monkeypatch.delenv(variable)


def test_a_device_without_an_end_and_a_gzip_bomb_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lines.LIMITS, "RNN_ZOO_MAX_LINE_BYTES", 2**22)
    assert _refusal("/dev/zero").startswith("/dev/zero:1: longer than 4,194,304 bytes")
    assert _refusal("/dev/urandom").startswith("/dev/urandom:")
    bomb = tmp_path / "bomb.tsv.gz"
    bomb.write_bytes(gzip.compress(bytes(2**23)))
    assert _refusal(bomb).startswith(f"{bomb}:1: longer than 4,194,304 bytes")


@pytest.mark.parametrize("value", ["0", "-1", "many", "1e9", "²"])
def test_a_limit_must_be_a_positive_whole_number(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("RNN_ZOO_MAX_LINES", value)
    with pytest.raises(InputError, match="RNN_ZOO_MAX_LINES must be a positive whole number"):
        size_limit("RNN_ZOO_MAX_LINES")


def test_the_default_limits_are_those_of_the_documentation() -> None:
    found = [size_limit(name) for name in lines.LIMITS]
    assert found == [134_217_728, 2_147_483_648, 10_000_000, 8_589_934_592]
    for text in ("128 MiB", "2 GiB", "10 million", "8 GiB"):
        assert text in str(lines.__doc__)


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "no_ending"
    path.write_bytes(gzip.compress(b"packed\n"))
    assert read_text(path) == "packed\n"


def test_a_pipe_is_read_when_a_program_writes_to_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("through the pipe\n" * 9000,))
    writer.start()
    assert read_text(path) == "through the pipe\n" * 9000
    writer.join()


def test_a_pipe_without_a_writer_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setattr(lines, "PIPE_SECONDS", 0.1)
    assert "is a pipe into which nothing was written for 0.1 seconds" in _refusal(path)


def test_the_bytes_of_a_stream_can_be_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNN_ZOO_MAX_VECTORS_BYTES", "3")
    found = read_lines(io.BytesIO(b"a\nb\n"), "vectors.txt", "RNN_ZOO_MAX_VECTORS_BYTES")
    assert next(found) == "a"
    with pytest.raises(InputError, match="vectors.txt: more than 3 bytes"):
        next(found)
    monkeypatch.setenv("RNN_ZOO_MAX_LINES", "2")
    assert len(_lines(b"a\n" * 9)) == 9
    monkeypatch.delenv("RNN_ZOO_MAX_VECTORS_BYTES")
    with pytest.raises(InputError, match="vectors.txt: more than 2 lines"):
        list(read_lines(io.BytesIO(b"a\n" * 3), "vectors.txt", "RNN_ZOO_MAX_VECTORS_BYTES"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"), open_file(tmp_path):
        pass
