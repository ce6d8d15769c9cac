"""What all formats share: the ending decides, labels are stripped, errors are sentences."""

import gzip
from pathlib import Path

import pytest

from recipes.data.items import Example
from recipes.data.labelled import ENDINGS, read_table
from zoo.errors import InputError

CONTENTS = {
    ".tsv": "text\tlabel\nGood film\tpos\n\t neg \n",
    ".csv": 'text,label\n"Good film",pos\n, neg \n',
    ".jsonl": '{"text": "Good film", "label": "pos"}\n{"text": "", "label": " neg "}\n',
}


def _write(folder: Path, name: str, content: str) -> Path:
    data = content.encode()
    path = folder / name
    path.write_bytes(gzip.compress(data, mtime=0) if name.lower().endswith(".gz") else data)
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path)
    return str(caught.value)


@pytest.mark.parametrize("ending", [*ENDINGS, ".TSV", ".Csv.GZ"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_ending_reads_the_same_examples(
    tmp_path: Path, ending: str, mark: str, line_end: str
) -> None:
    content = CONTENTS[ending.lower().removesuffix(".gz")]
    path = _write(tmp_path, "a.b" + ending, mark + content.replace("\n", line_end))
    assert read_table(path) == [Example("Good film", "pos"), Example("", "neg")]
    assert read_table(str(path)) == read_table(path)


def test_the_endings_are_the_documented_ones() -> None:
    assert ENDINGS == (".tsv", ".csv", ".jsonl", ".tsv.gz", ".csv.gz", ".jsonl.gz")


@pytest.mark.parametrize("ending", CONTENTS)
def test_columns_are_chosen_by_name(tmp_path: Path, ending: str) -> None:
    content = CONTENTS[ending].replace("text", "review").replace("label", "text")
    path = _write(tmp_path, "table" + ending, content)
    expected = [Example("Good film", "pos"), Example("", "neg")]
    assert read_table(path, text_column="review", label_column="text") == expected


@pytest.mark.parametrize(("ending", "line"), [(".tsv", 3), (".csv", 3), (".jsonl", 2)])
def test_a_row_without_a_label_is_named(tmp_path: Path, ending: str, line: int) -> None:
    path = _write(tmp_path, "table" + ending, CONTENTS[ending].replace(" neg ", "  "))
    message = _refusal(path)
    assert message.startswith(f"{path}:{line}: the row has no label")
    assert "add it or leave the row out" in message


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("content", ["", "\n \r\n\t\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, ending: str, content: str) -> None:
    path = _write(tmp_path, "table" + ending, content)
    message = _refusal(path)
    assert message.startswith(f"{path}: the file is empty, expected rows with a 'text' and a")
    assert "put some in" in message


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    path = _write(tmp_path, "table.xlsx", "text\tlabel\n")
    message = _refusal(path)
    assert message.startswith(f"{path}: the ending of the name")
    assert ".tsv, .csv, .jsonl, .tsv.gz, .csv.gz, .jsonl.gz" in message
    assert "rename or convert" in message


@pytest.mark.parametrize("name", ["nowhere.tsv", "nowhere.xlsx"])
def test_a_missing_file_is_missing_whatever_its_ending(tmp_path: Path, name: str) -> None:
    assert _refusal(tmp_path / name).startswith(f"{tmp_path / name}: there is no such file")


def test_the_line_of_a_wrong_byte_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_bytes(b"text\tlabel\nfine\tpos\ncaf\xe9\tneg\n")
    assert _refusal(path).startswith(f"{path}:3: not UTF-8")
