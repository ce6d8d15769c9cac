"""JSON Lines: values as they are written, and a sentence for each way to be malformed."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.data.formats.jsonl import read_jsonl
from zoo.errors import InputError

FILE = Path("reviews.jsonl")
STRINGS = st.text(st.characters(exclude_categories=["Cs"]))


def _read(content: str, text: str = "text", label: str = "label") -> list[tuple[int, str, str]]:
    return read_jsonl(FILE, content, text, label)


def _refusal(line: str, text: str = "text", label: str = "label") -> str:
    with pytest.raises(InputError) as caught:
        _read('{"text": "x", "label": "pos"}\n\n' + line + "\n", text, label)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("5", "5"),
        ("-1.50", "-1.50"),
        ("1e3", "1e3"),
        ("12345678901234567890.1", "12345678901234567890.1"),
        ("true", "true"),
        ("false", "false"),
        ('"five stars"', "five stars"),
        ('"True"', "True"),
        ('"\\u00e9 \\ud83d\\ude00"', "é 😀"),
    ],
)
def test_texts_and_labels_are_kept_as_they_are_written(written: str, label: str) -> None:
    assert _read(f'{{"text": {written}, "label": {written}}}') == [(1, label, label)]


def test_blank_lines_are_skipped_and_counted() -> None:
    content = '\r\n{"text": "a", "label": 1}\r\n \n\n{"label": 2, "id": [], "text": "b\\n"}\n\n'
    assert _read(content) == [(2, "a", "1"), (5, "b\n", "2")]


def test_keys_are_chosen_by_name() -> None:
    assert _read('{"text": "no", "review": "yes", "stars": 4}', "review", "stars") == [
        (1, "yes", "4")
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "a", "label": }', "malformed JSON (Expecting value at column 24)"),
        ('{"text": "a" "label": 1}', "malformed JSON (Expecting ',' delimiter at column 14)"),
        ("text,label", "malformed JSON (Expecting value at column 1)"),
        ('{"text": "a", "label": NaN}', "malformed JSON (NaN is no JSON number)"),
        ('{"text": "a", "label": 1} {}', "malformed JSON (Extra data at column 27)"),
        ("[" * 100_000, "malformed JSON (maximum recursion depth exceeded"),
        ('["a", "pos"]', "this is a list"),
        ('"a"', "this is a single value"),
        ("7", "this is a single value"),
        ("null", "this is null"),
    ],
)
def test_a_line_that_is_no_object_is_named(line: str, problem: str) -> None:
    message = _refusal(line)
    assert message.startswith(f"reviews.jsonl:3: {problem}")
    assert 'expected one whole JSON object in each line, as {"text": "...", "label"' in message
    assert message.endswith((": mend the line", ": rewrite the file so"))


@pytest.mark.parametrize(
    ("written", "kind"), [("[1]", "a list"), ('{"en": "a"}', "an object"), ("null", "null")]
)
@pytest.mark.parametrize("key", ["text", "label"])
def test_a_value_that_is_no_string_or_number_is_named(key: str, written: str, kind: str) -> None:
    row = {"text": '"a"', "label": '"pos"', key: written}
    line = ", ".join(f'"{name}": {value}' for name, value in row.items())
    message = _refusal(f"{{{line}}}")
    assert message.startswith(f"reviews.jsonl:3: {key!r} is {kind}, expected a string or a number")
    assert "leave the line out" in message


def test_a_missing_key_lists_the_keys_and_the_nearest() -> None:
    message = _refusal('{"txt": "a", "label": 1}')
    assert message == (
        "reviews.jsonl:3: there is no key 'text', expected one of 'txt', 'label' (did you mean "
        "'txt'?): choose the text's key with --text-column"
    )
    assert _refusal('{"text": "a"}').endswith("choose the label's key with --label-column")


@pytest.mark.parametrize("key", ["text", "label"])
def test_half_a_surrogate_pair_is_refused(key: str) -> None:
    row = {"text": "a", "label": "pos", key: "\ud83d!"}
    message = _refusal(json.dumps(row))
    assert message.startswith(f"reviews.jsonl:3: {key!r} holds half a surrogate pair ('\\ud83d')")
    assert "in UTF-8" in message
    message.encode()  # can be printed


@settings(deadline=None)
@given(st.lists(st.tuples(STRINGS, STRINGS), min_size=1), st.booleans())
def test_what_json_wrote_is_read_back(rows: list[tuple[str, str]], ascii_only: bool) -> None:
    lines = [
        json.dumps({"text": text, "label": label}, ensure_ascii=ascii_only) for text, label in rows
    ]
    expected = [(line, *row) for line, row in enumerate(rows, start=1)]
    assert _read("\n".join(lines) + "\n") == expected
