"""Text files as users have them: packed or not, with a byte order mark, in a wrong encoding."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.system.lines import read_text, split_lines


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_text(path)
    return str(caught.value)


def test_plain_and_gzipped_files_read_the_same(tmp_path: Path) -> None:
    content = "Grüße\tпривет\r\n日本\n"
    (tmp_path / "plain.txt").write_bytes(content.encode())
    (tmp_path / "packed.txt.GZ").write_bytes(gzip.compress(content.encode(), mtime=0))
    assert read_text(tmp_path / "plain.txt") == content
    assert read_text(str(tmp_path / "packed.txt.GZ")) == content


def test_a_byte_order_mark_in_front_is_dropped_and_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "excel.txt"
    path.write_bytes(b"\xef\xbb\xbfa\xef\xbb\xbfb")
    assert read_text(path) == "a\ufeffb"


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert read_text(tmp_path / "empty.txt") == ""


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    message = _refusal(tmp_path / "nowhere.txt")
    assert message.startswith(f"{tmp_path / 'nowhere.txt'}: there is no such file")
    assert "check the path" in message


def test_what_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.txt").mkdir()
    message = _refusal(tmp_path / "folder.txt")
    assert message.startswith(f"{tmp_path / 'folder.txt'}: cannot be read (Is a directory)")

    def denied(path: Path, mode: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "secret.txt").touch()
    monkeypatch.setattr(Path, "open", denied)  # root may read everything
    message = _refusal(tmp_path / "secret.txt")
    assert "secret.txt: cannot be read (Permission denied)" in message
    assert "ls -l" in message


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        gzip.compress(b"cut short" * 100, mtime=0)[:-9],
        gzip.compress(b"one byte is wrong" * 100, mtime=0)[:-7] + b"\x00" * 7,
        gzip.compress(b"damaged inside" * 100, mtime=0)[:10] + b"\xff" * 30,
    ],
)
def test_a_file_that_is_no_whole_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.tsv.gz"
    path.write_bytes(content)
    message = _refusal(path)
    assert message.startswith(f"{path}: is not a whole gzip file")
    assert "take .gz off the name" in message


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("content", "line"),
    [(b"caf\xe9", 1), (b"\n\ncaf\xe9\n", 3), (b"\xc3\xa9\r\n\xe9\r\n", 2), (b"\n\xe9", 2)],
)
def test_the_line_of_a_byte_that_is_not_utf8_is_named(
    tmp_path: Path, mark: bytes, content: bytes, line: int
) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(mark + content)
    message = _refusal(path)
    assert message.startswith(f"{path}:{line}: not UTF-8 (byte 0xe9)")
    assert "`iconv -f CP1252 -t UTF-8`" in message


def test_utf16_is_recognised_by_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "unicode.txt"
    path.write_bytes("text\tlabel\n".encode("utf-16"))
    assert "`iconv -f UTF-16 -t UTF-8`" in _refusal(path)


def test_lines_end_at_line_feeds_only() -> None:
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\rg\r\r\nh\n\n"
    assert split_lines(text) == ["a\x0bb\x0cc\x1cd\x85e\u2028f\rg\r", "h", "", ""]


@settings(deadline=None)
@given(st.lists(st.text().filter(lambda line: "\n" not in line and not line.endswith("\r"))))
def test_lines_survive_joining_with_either_line_end(lines: list[str]) -> None:
    lines = lines or [""]
    assert split_lines("\n".join(lines)) == lines
    assert split_lines("\r\n".join(lines)) == lines
