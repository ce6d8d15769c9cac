"""Folders as `--data` of the language models: split files, or a library of independent texts."""

from pathlib import Path

import pytest

from recipes.data.splits import hash_fraction
from tests.recipes.data.corpora import LINES, corpus_of, refusal, running, write


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("train.txt", "dev.txt.gz", "test.md"),
        ("Train.TXT", "VALIDATION.txt", "Test.txt"),
        ("train", "val", "test"),
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
        ("wiki.train.tokens.gz", "wiki.valid.tokens.gz", "wiki.test.tokens.gz"),
        ("wiki.train.raw", "wiki.valid.raw", "wiki.test.raw"),
    ],
)
def test_the_files_of_a_folder_are_known_by_their_names(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    for name, text in zip(names, [" \n = a = \n\n", "b\r\nb", "c\n\n"], strict=True):
        write(tmp_path / name, text)
    for name in ("README.md", "notes.txt", "restrain.txt", "test.py", ".test.txt", "train.txt.bak"):
        write(tmp_path / name, "nothing to read")
    write(tmp_path / "more" / "test.txt", "nothing to read")
    assert corpus_of(tmp_path) == running([" ", " = a = ", ""], ["b", "b"], ["c", ""])
    assert corpus_of(tmp_path, unit="file") == running([" \n = a = \n\n"], ["b\nb"], ["c\n\n"])


def test_what_a_folder_lacks_is_cut_from_the_end_of_train(tmp_path: Path) -> None:
    write(tmp_path / "ptb.train.txt", "\n".join(LINES))
    assert corpus_of(tmp_path) == running(LINES[:140], LINES[140:160], LINES[160:])
    write(tmp_path / "ptb.test.txt", "t")
    assert corpus_of(tmp_path) == running(LINES[:180], LINES[180:], ["t"])


@pytest.mark.parametrize(
    ("files", "part"),
    [(("ptb.train.txt", "train.txt"), "train"), (("dev.txt", "wiki.valid.tokens"), "validation")],
)
def test_two_files_for_one_part_are_refused(
    tmp_path: Path, files: tuple[str, str], part: str
) -> None:
    for file in {"train.txt", *files} if part != "train" else files:
        write(tmp_path / file, "text")
    assert refusal(tmp_path) == (
        f"{tmp_path} holds {files[0]} and {files[1]}, expected one {part} file: take one away"
    )


def test_test_without_train_is_not_trained_on(tmp_path: Path) -> None:
    for name in ("wiki.test.tokens", "wiki.valid.tokens", "README.md"):
        write(tmp_path / name, "text")
    message = refusal(tmp_path)
    assert message.startswith(
        f"{tmp_path} holds wiki.valid.tokens and wiki.test.tokens and no train file, expected one"
    )


def _library(folder: Path, count: int) -> list[str]:
    """Writes texts into files of all kinds, some in folders; returns them in the files' order."""
    texts = [f"Grüße {number}\n\nEnde {number}" for number in range(count)]
    endings = (".txt", ".txt.gz", ".md", ".TOKENS")
    for number, text in enumerate(texts):
        shelf = folder / f"shelf {number // 4}"
        write(shelf / f"{number:02}{endings[number % 4]}", text.replace("\n", "\r\n"))
    for name in ("picture.png", ".hidden/x.txt", "shelf 0/.y.txt", "z.csv"):
        write(folder / name, "nothing to read")
    (folder / "empty.txt").touch()
    return texts


def test_many_files_of_a_folder_are_drawn_whole_by_the_seed(tmp_path: Path) -> None:
    texts = _library(tmp_path, 20)
    corpus = corpus_of(tmp_path, unit="file")
    test = sorted(texts, key=lambda text: hash_fraction(text, 5, "test"))[:4]
    rest = [text for text in texts if text not in test]
    validation = sorted(rest, key=lambda text: hash_fraction(text, 5, "validation"))[:2]
    assert corpus.test == [text for text in texts if text in test] != texts[16:]
    assert corpus.validation == [text for text in rest if text in validation]
    assert corpus.train == [text for text in rest if text not in validation]
    assert corpus_of(tmp_path, unit="file", split_seed=6).test != corpus.test


def test_lines_of_many_files_stay_beside_their_neighbours(tmp_path: Path) -> None:
    _library(tmp_path, 20)
    corpus = corpus_of(tmp_path)
    assert [len(part) for part in (corpus.train, corpus.validation, corpus.test)] == [42, 6, 12]
    for part in (corpus.train, corpus.validation, corpus.test):
        for start in range(0, len(part), 3):
            number = part[start].removeprefix("Grüße ")
            assert part[start + 1 : start + 3] == ["", f"Ende {number}"]


def test_few_files_of_a_folder_are_cut_as_running_text(tmp_path: Path) -> None:
    texts = _library(tmp_path, 9)
    lines = [line for text in texts for line in text.split("\n")]
    corpus = corpus_of(tmp_path)
    assert corpus == corpus_of(tmp_path, split_seed=6)
    assert corpus.train + corpus.validation + corpus.test == lines
    assert corpus == running(lines[:18], lines[18:21], lines[21:])
    whole = corpus_of(tmp_path, unit="file")  # at 99 and, for 108, at 113 of 135 characters
    assert whole.train == [*texts[:6], "Grüße 6\n\n"]
    assert whole.validation == ["Ende 6", "Grüße 7\n"]
    assert whole.test == ["\nEnde 7", texts[8]]


def test_a_folder_without_text_says_what_was_expected(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "text")
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path} holds no text file, expected names that end in .txt, ")


def test_what_an_archive_leaves_and_what_is_about_the_data_is_no_text(tmp_path: Path) -> None:
    for number in range(12):
        write(tmp_path / f"{number:02}.txt", f"text {number}\n")
    for name in (
        "._00.txt",
        "__MACOSX/01.txt",
        "README.txt",
        "more/License.txt",
        "readme.de.txt.gz",
    ):
        write(tmp_path / name, "nothing to read")
    found = corpus_of(tmp_path)
    texts = found.train + found.validation + found.test
    assert sorted(texts) == sorted(f"text {number}" for number in range(12))


def test_a_text_with_and_without_gz_is_refused_instead_of_being_read_twice(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "b.txt.gz"):
        write(tmp_path / "shelf" / name, "text\n")
    assert refusal(tmp_path) == (
        f"{tmp_path} holds shelf/b.txt with and without .gz, expected one of the two: take one away"
    )
