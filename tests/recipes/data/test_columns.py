"""Files as people have them: no header line, any ending, columns that differ between files."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from recipes.config import LabelledColumns
from recipes.data import labelled
from recipes.data.columns import candidates, first_of, place_of
from recipes.data.items import Example
from recipes.data.labelled import read_table
from recipes.data.splits import Splits
from zoo.errors import InputError

EXAMPLES = [Example("it, rains", "a"), Example("snow", "b")]
TABLES = {
    "tsv": "it, rains\ta\nsnow\tb\n",
    "csv": '"it, rains",a\nsnow,b\n',
    "jsonl": '{"text": "it, rains", "label": "a"}\n{"text": "snow", "label": "b"}\n',
}
HEADS = {"tsv": "text\tlabel\n", "csv": "text,label\n", "jsonl": ""}


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def refusal(path: Path, *options: Any, **named: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path, *options, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def loaded(data: Path, **changes: Any) -> Splits:
    fractions: dict[str, Any] = {"validation_fraction": 0.2, "test_fraction": 0.2}
    options = {"download": False} | fractions | changes
    return labelled.load(LabelledColumns(data=str(data), **options), lambda: Splits([], [], []))


@pytest.mark.parametrize("name", ["tsv", "csv"])
@pytest.mark.parametrize(
    ("text", "label"), [("0", "1"), ("-2", "-1"), ("0", "-1"), ("text,0", "1")]
)
def test_a_file_without_a_header_line_has_columns_by_number(
    tmp_path: Path, name: str, text: str, label: str
) -> None:
    path = write(tmp_path / f"data.{name}", TABLES[name])
    assert read_table(path, text, label, header=False) == EXAMPLES


@pytest.mark.parametrize("name", ["tsv", "csv"])
def test_a_header_line_allows_numbers_as_well(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / f"data.{name}", HEADS[name] + TABLES[name])
    assert read_table(path, "0", "-1") == EXAMPLES
    assert read_table(path, "text", "1") == EXAMPLES


def test_a_column_that_is_called_by_a_number_goes_before_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", "1,0\na,snow\n")
    assert read_table(path, "0", "1") == [Example("snow", "a")]


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl"])
@pytest.mark.parametrize("ending", ["", ".data", ".txt", ".jsonl", ".tsv", ".data.gz", ".gz"])
def test_a_format_is_read_from_a_file_with_any_ending(
    tmp_path: Path, format: str, ending: str
) -> None:
    path = write(tmp_path / f"train{ending}", HEADS[format] + TABLES[format])
    assert read_table(path, format=format) == EXAMPLES


def test_an_unknown_ending_names_the_option(tmp_path: Path) -> None:
    path = write(tmp_path / "tsv", TABLES["tsv"])
    assert "give --format (tsv, csv, jsonl), or rename or convert the file" in refusal(path)


def test_columns_without_a_header_line_must_be_numbers_that_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "data.tsv", TABLES["tsv"])
    message = refusal(path, header=False)
    assert message.startswith(f"{path}:1: there is no column 'text' in a file without a header")
    assert "expected a number from 0 to 1, or -1 for the last" in message
    assert "'2'" in refusal(path, "0", "2", header=False)
    assert "both read from column 1" in refusal(path, "1", "-1", header=False)
    ragged = write(tmp_path / "ragged.tsv", "a\tb\nc\n")
    assert "expected 2 as in the first row" in refusal(ragged, "0", "1", header=False)


def test_a_missing_header_line_names_the_option(tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "data.tsv", TABLES["tsv"]))
    assert message.endswith("if it names none, give --no-header")


def test_columns_that_differ_between_files_are_tried_in_order(tmp_path: Path) -> None:
    for part, head in (("train", "sentence\tlabel"), ("test", "content\tmark")):
        rows = "".join(f"{part} {row}\t{'ab'[row % 2]}\n" for row in range(40))
        write(tmp_path / f"{part}.tsv", f"{head}\n{rows}")
    rows = "".join(f'{{"y": "{"ab"[row % 2]}", "x": "dev {row}"}}\n' for row in range(4))
    write(tmp_path / "dev.jsonl", rows)
    splits = loaded(tmp_path, text_column="sentence, content,x", label_column="label,mark,y")
    assert [example.text for example in splits.train[:2]] == ["train 0", "train 1"]
    assert splits.test[1] == Example("test 1", "b")
    assert splits.validation[3] == Example("dev 3", "b")


def test_of_several_columns_the_first_that_a_file_has_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", '"a,b",a,b,label\n1,2,3,x\n')
    found = [read_table(path, option)[0].text for option in ("a,b", "b,a", "c, a", "c,2")]
    assert found == ["1", "3", "2", "3"]
    assert "there is no column 'c,d'" in refusal(path, "c,d")


def test_names_of_columns_are_compared_in_one_normal_form(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", "\ufeffre\u0301sume\u0301 ,label\nsnow,b\n")
    assert read_table(path, "r\u00e9sum\u00e9") == [Example("snow", "b")]


@pytest.mark.parametrize("ending", ["", ".data", ".tsv"])
def test_a_folder_of_a_given_format_may_have_any_endings(tmp_path: Path, ending: str) -> None:
    for part in ("train", "dev", "test"):
        rows = "".join(f"{'ab'[row % 2]},{part} {row}\n" for row in range(8))
        write(tmp_path / f"{part}{ending}", rows)
    (tmp_path / f"._train{ending}").write_bytes(b"\0\xff")
    options = {"text_column": "1", "label_column": "0", "header": False, "format": "csv"}
    splits = loaded(tmp_path, **options)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [8, 8, 8]
    assert splits.test[7] == Example("test 7", "b")


@pytest.mark.parametrize("ending", ["", ".names", ".txt.gz"])
def test_a_class_folder_of_any_endings_is_asked_for_by_its_format(
    tmp_path: Path, ending: str
) -> None:
    for label in ("Aa", "Bb"):
        write(tmp_path / f"{label}{ending}", "".join(f"{label} {row}\n" for row in range(40)))
    write(tmp_path / "README", "about the data\n")
    splits = loaded(tmp_path, format="txt")
    assert {example.label for example in splits.train} == {"Aa", "Bb"}
    with pytest.raises(InputError, match="--format txt is for a folder"):
        loaded(tmp_path / f"Aa{ending}", format="txt")


def test_an_unknown_format_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "data.tsv", TABLES["tsv"])
    with pytest.raises(InputError, match="format must be one of tsv, csv, jsonl, txt; got 'xml'"):
        loaded(path, format="xml")


def test_candidates_and_places_by_hand() -> None:
    assert candidates("a, b,,c") == ["a, b,,c", "a", "b", "c"]
    assert first_of("x,b", {"b": 1}) == "b" and first_of("x,y", {"b": 1}) == "x,y"
    assert place_of("f", ["b", "a"], 2, "a", "text", "--x") == 1
    assert place_of("f", None, 3, -1, "text", "--x") == 2
    with pytest.raises(InputError, match="2 columns 'a'.*rename the others"):
        place_of("f", ["a", "a"], 2, "a", "text", "--x")
    for option in ("3", "-4", "1e0", "²"):
        with pytest.raises(InputError, match="f: there is no column"):
            place_of("f", None, 3, option, "text", "--x")
