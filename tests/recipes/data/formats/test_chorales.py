"""Chorales as JSON: the upper voice, and what is said of files of another shape."""

import gzip
import json
from pathlib import Path

import pytest

from recipes.data.formats.chorales import REST, read_chorales
from zoo.errors import InputError

SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "jsb_chorales"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no chorales in {SHARED}")


def write(path, content):
    text = content if isinstance(content, str) else json.dumps(content)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def test_voices_from_the_highest_on_give_the_first_even_where_they_cross(tmp_path):
    falling = [[74, 70, 65, 58], [72.0, 74, 65, 58], [], [-1, 70, 65, 58], [74, 70]]
    path = write(tmp_path / "a.json.gz", {"train": [falling, [[60]]], "valid": [], "other": 7})
    found = read_chorales(path)
    assert found == {"train": [[74, 72, REST, REST, 74], [60]], "validation": []}
    assert all(type(pitch) is int for pitch in found["train"][0])


def test_voices_from_the_lowest_on_give_the_last(tmp_path):
    rising = [[60, 72, 79, 88], [72, 79, 86], [], [60]]
    path = write(tmp_path / "a.json", {"test": [rising], "train": [rising[:1]], "dev": [rising]})
    voice = [88, 86, REST, 60]
    assert read_chorales(path) == {"test": [voice], "train": [[88]], "validation": [voice]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "a.json: not JSON (Expecting"),
        ([[60]], "a.json: no chorales under 'train', expected JSON such as"),
        ({"test": [[[60]]]}, "no chorales under 'train'"),
        ({"train": []}, "no chorales under 'train'"),
        ({"train": {"a": 1}}, "'train' holds {\"a\": 1}, expected JSON"),
        ({"train": [[[60]], 7]}, "'train', chorale 2 is 7, expected JSON"),
        ({"train": [[]]}, "'train', chorale 1 is [], expected JSON"),
        ({"train": [[[60], 61]]}, "'train', chorale 1, step 2 is 61, expected a list of pitches"),
        ({"train": [[[60, "C"]]]}, "'train', chorale 1, step 1 is [60, \"C\"], expected a list"),
        ({"train": [[[60]]], "valid": [[[128]]]}, "'valid', chorale 1, step 1 is [128]"),
        ({"train": [[[60.5]]]}, "step 1 is [60.5], expected"),
        ({"train": [[[True]]]}, "step 1 is [true], expected"),
        ('{"train": [[[NaN]]]}', "step 1 is [NaN], expected"),
        ({"train": [["x" * 99]]}, 'step 1 is "' + "x" * 35 + " ..., expected"),
    ],
)
def test_a_file_of_another_shape_is_one_sentence(tmp_path, content, said):
    with pytest.raises(InputError) as raised:
        read_chorales(write(tmp_path / "a.json", content))
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_chorales(tmp_path / "a.json")


@needs_shared
@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("jsb-chorales-16th", [74, 74, 74, 74, 75, 75]),
        ("Jsb16thSeparated", [74, 74, 74, 74, 75, 75]),
        ("jsb-chorales-quarter", [88, 88, 84, 86, 88, 89]),
    ],
)
def test_the_chorales_of_bach_are_read_whole(name, first):
    found = read_chorales(SHARED / f"{name}.json.gz")
    assert {part: len(voices) for part, voices in found.items()} == {
        "train": 229,
        "validation": 76,
        "test": 77,
    }
    assert found["train"][0][:6] == first
    steps = sum(map(len, found["train"]))
    assert steps == (13_807 if "quarter" in name else 55_228)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"train": [[[' + "9" * 5000 + "]]]}"])
def test_json_that_python_cannot_read_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "chorales.json"
    path.write_text(content)
    with pytest.raises(InputError, match="chorales.json: not JSON"):
        read_chorales(path)
