"""A file for each class, as archives and people leave such folders."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from recipes.config import LabelledColumns
from recipes.data import labelled
from recipes.data.formats.class_folder import class_files, read_class_folder
from recipes.data.items import Example
from recipes.data.naming import clean
from recipes.data.splits import Splits
from zoo.errors import InputError

COMPOSED, DECOMPOSED = "Fran\u00e7ais", "Franc\u0327ais"


def write(folder: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def loaded(data: Path, **changes: Any) -> Splits:
    fractions: dict[str, Any] = {"validation_fraction": 0.2, "test_fraction": 0.2}
    options = {"download": False} | fractions | changes
    return labelled.load(LabelledColumns(data=str(data), **options), lambda: Splits([], [], []))


def test_what_an_archive_leaves_is_no_class_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, Aa__txt="a\nb\n", Bb__txt="c\n")
    for name in ("._Aa.txt", ".DS_Store", "README.txt", "ReadMe.txt.gz", "LICENSE.txt", "x.md"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7 no text \xff")
    (tmp_path / "__MACOSX").mkdir()
    write(tmp_path / "__MACOSX", Cc__txt="d\n")
    assert list(class_files(tmp_path)) == ["Aa", "Bb"]
    expected = [Example("a", "Aa"), Example("b", "Aa"), Example("c", "Bb")]
    assert read_class_folder(tmp_path) == expected
    said = capsys.readouterr().out
    assert f"files in {tmp_path} that name no class: .DS_Store, ._Aa.txt, LICENSE.txt" in said


def test_names_that_differ_in_their_normal_form_alone_are_one_class(tmp_path: Path) -> None:
    (tmp_path / f"{DECOMPOSED}.txt").write_text("un\n", encoding="utf-8")
    (tmp_path / f"{COMPOSED}.txt").write_text("deux\n", encoding="utf-8")
    write(tmp_path, Other__txt="three\n")
    examples = read_class_folder(tmp_path)
    assert {example.label for example in examples} == {COMPOSED, "Other"}
    assert sorted(e.text for e in examples if e.label == COMPOSED) == ["deux", "un"]


@pytest.mark.parametrize("other", ["Bb.txt.gz", "Bb.TXT"])
def test_two_files_of_one_class_are_refused_instead_of_losing_one(
    tmp_path: Path, other: str
) -> None:
    write(tmp_path, Aa__txt="a\n", Bb__txt="b\n" * 80)
    data = b"c\n" * 80
    (tmp_path / other).write_bytes(gzip.compress(data) if other.endswith("gz") else data)
    with pytest.raises(InputError) as caught:
        read_class_folder(tmp_path)
    assert "expected one file for the class 'Bb': join them" in str(caught.value)
    assert "Bb.txt" in str(caught.value) and other in str(caught.value)


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl"])
def test_labels_in_columns_are_in_one_normal_form(tmp_path: Path, ending: str) -> None:
    mark = "\ufeff"
    rows = [
        (f"text {n}", (DECOMPOSED, f" {COMPOSED}", f"{mark}{COMPOSED}", "b")[n % 4])
        for n in range(80)
    ]
    if ending == "jsonl":
        lines = [f'{{"text": "{text}", "label": "{label}"}}' for text, label in rows]
    else:
        between = "\t" if ending == "tsv" else ","
        lines = [between.join(row) for row in [("text", "label"), *rows]]
    path = tmp_path / f"data.{ending}"
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    splits = loaded(path)
    assert {example.label for example in splits.train} == {COMPOSED, "b"}


def test_a_label_loses_the_blanks_and_marks_around_it() -> None:
    assert clean("\u00a0 \ufeff A\u030a b \t") == "\u00c5 b"
    assert clean(" \ufeff ") == ""


def test_hidden_tables_do_not_hide_the_classes(tmp_path: Path) -> None:
    lines = "".join(f"{number}\n" for number in range(40))
    write(tmp_path, Aa__txt=lines, Bb__txt=lines.replace("\n", "b\n"))
    (tmp_path / "._old.tsv").write_bytes(b"\0")
    assert {example.label for example in loaded(tmp_path).train} == {"Aa", "Bb"}
