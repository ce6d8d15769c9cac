"""Tables whose rows are answered: the file's own columns, and the text of each row."""

import json
from pathlib import Path
from typing import Any

import pytest

from recipes.data.table import TableOptions, read_table
from recipes.predictions import beside
from zoo.errors import InputError


def _read(path: Path, content: str, **options: Any) -> tuple[list[dict[str, Any]], list[str]]:
    path.write_bytes(content.encode())
    return read_table(TableOptions(str(path), **options))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", '\ufeffid;review\r\n7;a\r\n8;"b; c\nd"\r\n'),
        ("t.csv", 'id,review\n7,a\n8,"b; c\nd"\n'),
        ("t.jsonl", '{"id": "7", "review": "a"}\n\n{"id": "8", "review": "b; c\\nd"}\n'),
    ],
)
def test_the_rows_keep_their_own_columns(tmp_path: Path, name: str, content: str) -> None:
    rows, texts = _read(tmp_path / name, content, text_column="review")
    assert rows == [{"id": "7", "review": "a"}, {"id": "8", "review": "b; c\nd"}]
    assert texts == ["a", "b; c\nd"]


def test_a_file_of_lines_has_a_text_on_each(tmp_path: Path) -> None:
    rows, texts = _read(tmp_path / "t.txt", "a, b\n\n c\n")
    assert texts == ["a, b", "", " c"] and rows[0] == {"text": "a, b"}


def test_the_only_column_needs_no_name(tmp_path: Path) -> None:
    assert _read(tmp_path / "t.csv", "review\na\n") == ([{"review": "a"}], ["a"])
    assert _read(tmp_path / "t.tsv", "a\nb\n", header=False)[1] == ["a", "b"]


def test_columns_of_one_name_or_none_stay_apart(tmp_path: Path) -> None:
    content = "id,note,note,,text\n1,2,3,4,5\n"
    row = {"id": "1", "note 1": "2", "note 2": "3", "3": "4", "text": "5"}
    assert _read(tmp_path / "t.csv", content) == ([row], ["5"])


def test_the_values_of_json_keep_their_types(tmp_path: Path) -> None:
    row = {"id": 7, "text": 1.50, "more": [None, {"a": True}]}
    assert _read(tmp_path / "t.jsonl", json.dumps(row)) == ([row], ["1.5"])
    flat = beside(row, {"text": "1.5", "label": "x"}, is_flat=True)
    assert flat == {"id": "7", "text": "1.5", "more": '[null, {"a": true}]', "label": "x"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.csv",
            "id,review\n1,a\n",
            ":1: there is no column 'text', expected one of 'id', 'review'",
        ),
        ("t.csv", "id,text\n", "only a header"),
        ("t.csv", "id,text\n1,2,3\n", ":2: number of fields 3, expected 2"),
        ("t.jsonl", '{"id": 1}', ":1: there is no key 'text'"),
        ("t.csv", " \n", "the file is empty"),
    ],
)
def test_a_wrong_table_is_one_sentence(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        _read(tmp_path / name, content)


def test_answers_stand_beside_the_own_columns_and_replace_none() -> None:
    own = {"id": "1", "text": "t", "label": "mine", "predicted_label": "older", "p": "q"}
    answer = {"text": "t", "label": "x", "probabilities": {"x": 0.75, "y": 0.25}, "ends": [1, 2]}
    assert beside(own, answer) == {
        **own,
        "predicted_predicted_label": "x",
        **{"probabilities": {"x": 0.75, "y": 0.25}, "ends": [1, 2]},
    }
    flat = beside(own, answer, is_flat=True)
    assert list(flat)[5:] == ["predicted_predicted_label", "probability:x", "probability:y", "ends"]
    assert (flat["probability:x"], flat["ends"]) == ("0.750000", "1 2")
