"""`--data`: each kind of source gives three checked splits, each wrong one a sentence."""

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recipes.config import LabelledColumns
from recipes.data import labelled
from recipes.data import splits as splitting
from recipes.data.items import Example
from recipes.data.labelled import load
from recipes.data.splits import Splits
from zoo.errors import InputError

cut = partial(splitting.cut, key=lambda example: example.text)


def _rows(count: int, start: int = 0) -> list[Example]:
    return [Example(f"review {i}", "pos" if i % 2 else "neg") for i in range(start, start + count)]


BUILTIN = Splits(_rows(4), _rows(2), _rows(2))


def _load(
    data: str | Path, builtin: Callable[[], Splits] = lambda: BUILTIN, **changes: Any
) -> Splits:
    fractions: dict[str, Any] = {"validation_fraction": 0.2, "test_fraction": 0.3}
    options = {"split_seed": 5, "download": False} | fractions | changes
    return load(LabelledColumns(data=str(data), **options), builtin)


def _refusal(data: str | Path, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        _load(data, **changes)
    return str(caught.value)


def _write(path: Path, examples: list[Example], header: str = "text\tlabel") -> Path:
    path.parent.mkdir(exist_ok=True)
    separator = "," if ".csv" in path.name.lower() else "\t"
    lines = [header.replace("\t", separator)]
    lines += [f"{example.text}{separator}{example.label}" for example in examples]
    data = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix.lower() == ".gz" else data)
    return path


def test_builtin_is_what_the_recipe_makes_even_beside_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "builtin").mkdir()
    assert _load("builtin", text_column="x", label_column="x") == BUILTIN


def test_builtin_is_checked_like_the_rest() -> None:
    empty = Splits(_rows(4), [], [])
    assert "4 in train, 0 in validation" in _refusal("builtin", builtin=lambda: empty)


def test_a_file_is_cut_in_three_by_hash(tmp_path: Path) -> None:
    rows = _rows(1000)
    splits = _load(_write(tmp_path / "reviews.tsv", rows))
    rest, test = cut(rows, 0.3, 5, salt="test")
    train, validation = cut(rest, 0.2 / 0.7, 5, salt="validation")
    assert splits == Splits(train, validation, test)
    assert len(splits.validation) == pytest.approx(200, abs=40)


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    path = _write(tmp_path / "reviews.csv", _rows(100), header="review\tstars")
    assert len(_load(path, text_column="review", label_column="stars").train) > 30
    assert "reviews.csv:1: there is no column 'text'" in _refusal(path)


def test_one_column_cannot_be_both() -> None:
    message = _refusal("reviews.tsv", label_column="text")
    assert message.startswith("text and label are both read from 'text'")
    assert "--label-column" in message


def test_a_home_folder_is_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    _write(tmp_path / "reviews.tsv", _rows(100))
    assert _load("~/reviews.tsv") == _load(tmp_path / "reviews.tsv")


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev", "Dev"])
@pytest.mark.parametrize("ending", [".tsv", ".CSV", ".tsv.gz"])
def test_a_folder_with_all_three_files_is_taken_as_it_is(
    tmp_path: Path, name: str, ending: str
) -> None:
    parts = {"train" + ending: _rows(5), name + ending: _rows(2, 50), "test.csv": _rows(3, 90)}
    for file, rows in parts.items():
        _write(tmp_path / file, rows)
    assert _load(tmp_path) == Splits(*parts.values())


def test_what_a_folder_lacks_is_cut_from_train(tmp_path: Path) -> None:
    rows, given = _rows(300), _rows(3, 5000)
    _write(tmp_path / "a" / "train.tsv", rows)
    assert _load(tmp_path / "a") == _load(_write(tmp_path / "same.tsv", rows))
    _write(tmp_path / "a" / "test.tsv", given)
    train, validation = cut(rows, 0.2, 5, salt="validation")
    assert _load(tmp_path / "a") == Splits(train, validation, given)
    (tmp_path / "a" / "test.tsv").rename(tmp_path / "a" / "dev.tsv")
    train, test = cut(rows, 0.3, 5, salt="test")
    assert _load(tmp_path / "a") == Splits(train, given, test)


def test_other_things_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    _write(tmp_path / "train.tsv", _rows(100))
    before = _load(tmp_path)
    for name in ("README.md", "test.py", "train.tsv.bak", "trains.tsv"):
        (tmp_path / name).write_text("nothing to read")
    (tmp_path / "test.tsv").mkdir()
    assert _load(tmp_path) == before


def test_a_folder_without_train_says_what_was_expected(tmp_path: Path) -> None:
    _write(tmp_path / "test.tsv", _rows(3))
    message = _refusal(tmp_path)
    assert message.startswith(f"{tmp_path} holds no train file, expected train.tsv, train.csv, ")
    assert "train.jsonl.gz: name yours so" in message


@pytest.mark.parametrize(
    ("files", "part"),
    [(("train.csv", "train.tsv"), "train"), (("dev.tsv", "validation.tsv"), "validation")],
)
def test_two_files_for_one_part_are_refused(
    tmp_path: Path, files: tuple[str, str], part: str
) -> None:
    for file in {"train.tsv", *files}:
        _write(tmp_path / file, _rows(3))
    message = _refusal(tmp_path)
    assert message == (
        f"{tmp_path} holds {files[0]} and {files[1]}, expected one {part} file: take one away"
    )


def test_an_error_in_a_folder_names_the_file_and_the_line(tmp_path: Path) -> None:
    _write(tmp_path / "train.tsv", _rows(3))
    _write(tmp_path / "dev.tsv", [*_rows(2), Example("no label", "")])
    assert _refusal(tmp_path).startswith(f"{tmp_path / 'dev.tsv'}:4: the row has no label")


def test_too_few_rows_to_cut_tell_how_many_there_were(tmp_path: Path) -> None:
    message = _refusal(_write(tmp_path / "reviews.tsv", _rows(2)), test_fraction=0.001)
    assert message.startswith("too few examples: ")
    assert "expected at least 1 in each split" in message


def test_fractions_are_checked_where_they_are_needed(tmp_path: Path) -> None:
    path = _write(tmp_path / "reviews.tsv", _rows(100))
    assert "test_fraction must be" in _refusal(path, test_fraction=0)
    _write(tmp_path / "all" / "train.tsv", _rows(4))
    _write(tmp_path / "all" / "test.tsv", _rows(2))
    _write(tmp_path / "all" / "val.tsv", _rows(2))
    assert _load(tmp_path / "all", test_fraction=0, validation_fraction=7) == BUILTIN


Fake = Callable[[dict[str, list[Example]]], list[tuple[Any, ...]]]


@pytest.fixture
def tfds(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts given splits in the place of tensorflow-datasets; returns the list of its calls."""

    def install(found: dict[str, list[Example]]) -> list[tuple[Any, ...]]:
        calls: list[tuple[Any, ...]] = []

        def load_tfds(*arguments: Any, splits: Any) -> dict[str, list[Example]]:
            calls.append(arguments)
            return {name: rows for name, rows in found.items() if name in splits}

        monkeypatch.setattr(labelled, "load_tfds", load_tfds)
        return calls

    return install


def test_tfds_gets_name_keys_and_permission(tfds: Fake) -> None:
    calls = tfds({"train": _rows(4), "validation": _rows(2), "test": _rows(2)})
    assert _load("tfds:some/plain", text_column="a", label_column="b", download=True) == BUILTIN
    assert calls == [("tfds:some/plain", "a", "b", True)]
    _load("tfds:some", download=False)
    assert calls[1] == ("tfds:some", "text", "label", False)


@pytest.mark.parametrize("name", ["validation", "dev", "val", "valid"])
def test_what_tfds_lacks_is_cut_from_train_and_other_splits_are_not_read(
    tfds: Fake, name: str
) -> None:
    tfds({"unsupervised": _rows(9), "train": _rows(300), name: _rows(3, 900)})
    train, test = cut(_rows(300), 0.3, 5, salt="test")
    assert _load("tfds:some") == Splits(train, _rows(3, 900), test)
    tfds({"train": _rows(300), "test": _rows(3, 900)})
    train, validation = cut(_rows(300), 0.2, 5, salt="validation")
    assert _load("tfds:some") == Splits(train, validation, _rows(3, 900))


def test_tfds_without_train_is_refused(tfds: Fake) -> None:
    tfds({"test": _rows(3)})
    message = _refusal("tfds:some")
    assert message.startswith("tfds:some: no labelled examples in a split called 'train', found")
    assert "test: choose another" in message


@pytest.mark.parametrize(
    ("data", "near"),
    [
        ("bultin", "; did you mean 'builtin'?"),
        ("tfsd:imdb_reviews", "; did you mean 'tfds:imdb_reviews'?"),
        ("imdb", ": check the spelling"),
        ("", ": check the spelling"),
        ("no/such/folder/x.tsv", f" (in the folder {Path.cwd()}): check the spelling"),
    ],
)
def test_data_that_is_nowhere_names_the_kinds_and_the_nearest(data: str, near: str) -> None:
    message = _refusal(data)
    assert message.startswith("--data must be 'builtin', 'tfds:NAME[/CONFIG]', or a path")
    assert message.endswith(f"got {data!r}, which is none of them{near}")


def test_a_misspelt_path_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    path = _write(tmp_path / "reviews.tsv", _rows(3))
    assert _refusal(tmp_path / "rewiews.tsv").endswith(f"; did you mean {str(path)!r}?")


def test_a_path_that_the_system_refuses_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = _refusal("~nobody_of_that_name/x.tsv")
    assert message.startswith("--data must be 'builtin', ")
    assert "got '~nobody_of_that_name/x.tsv', which fails: " in message

    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)  # root may look into every folder
    assert "which fails: [Errno 13] Permission denied" in _refusal(tmp_path)


def test_a_column_of_numbers_is_hardly_the_label(tmp_path: Path) -> None:
    path = _write(tmp_path / "reviews.tsv", [Example(f"row {n}", str(n)) for n in range(100)])
    message = _refusal(path)
    assert "training examples, expected several examples of each: is 'label' the label?" in message
