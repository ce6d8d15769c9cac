"""`--data` of the language models: each source gives a corpus, each wrong one a sentence."""

from pathlib import Path
from typing import Any

import pytest

from tests.recipes.data.corpora import BUILTIN, LINES, corpus_of, refusal, running, write

WIKITEXT = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "wikitext2"


def test_builtin_is_what_the_recipe_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "builtin").mkdir()
    assert corpus_of("builtin") == BUILTIN
    many = running(["one", "", "two"] * 9, ["three"] * 9, ["four"] * 9)
    limited = running([*["one", "", "two"] * 7, "one", ""], ["three"], ["four"])
    assert corpus_of("builtin", builtin=lambda: many, limit=70) == limited
    assert "0 in test" in refusal("builtin", builtin=lambda: running(["a"], ["b"], [""]))


@pytest.mark.parametrize("name", ["book.txt", "book", "book.txt.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_is_cut_into_contiguous_lines(tmp_path: Path, name: str, end: str) -> None:
    path = write(tmp_path / name, end.join(LINES) + end)
    expected = running(LINES[:140], LINES[140:160], LINES[160:])
    assert corpus_of(path) == corpus_of(path, split_seed=6) == expected
    joined = ["\n".join(part) + "\n" for part in (LINES[:140], LINES[140:160], LINES[160:])]
    assert corpus_of(path, unit="file") == running(*[[text] for text in joined])


def test_lines_are_cut_by_their_length_and_stay_whole(tmp_path: Path) -> None:
    lines = ["x" * 99] * 5 + ["y" * 9] * 50
    corpus = corpus_of(write(tmp_path / "a.txt", "\n".join(lines)))
    assert corpus == running(lines[:25], lines[25:35], lines[35:])


def test_a_wrong_byte_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "dev.txt"
    path.write_bytes(b"fine\r\n\ncaf\xe9\n")
    assert refusal(path).startswith(f"{path}:3: not UTF-8 (byte 0xe9), expected UTF-8 text")
    write(tmp_path / "train.txt", "text")
    assert refusal(tmp_path).startswith(f"{path}:3: not UTF-8")


def test_a_limit_counts_for_files_before_they_are_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "book.txt", "\n".join(LINES))
    corpus = corpus_of(path, limit=328)  # cut at 226 and 257 for 224 and 262
    assert corpus == running(LINES[:28], LINES[28:32], LINES[32:40])
    corpus = corpus_of(path, limit=338)  # an empty line more, and one character too few for another
    assert corpus.train + corpus.validation + corpus.test == LINES[:41]
    path.rename(tmp_path / "a" / "train.txt")
    write(tmp_path / "a" / "dev.txt", "\n".join(LINES))
    write(tmp_path / "a" / "test.txt", "\n".join(LINES))
    corpus = corpus_of(tmp_path / "a", limit=820)
    assert corpus == running(LINES[:100], LINES[:10], LINES[:10])
    corpus = corpus_of(tmp_path / "a", limit=820, unit="file")
    assert [len(text) for text in corpus.train + corpus.validation] == [820, 82]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"unit": "lines"}, "unit must be one of line, file; got 'lines': did you mean 'line'?"),
        ({"limit": -1}, "limit must be a number of characters, got -1: try 1000000, or 0 for all"),
        ({"limit": 1e6}, "limit must be a number of characters, got 1000000.0"),
        ({"test_fraction": 0}, "test_fraction must be a number between 0 and 1, got 0"),
    ],
)
def test_a_wrong_option_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    assert refusal(write(tmp_path / "a.txt", "a\nb\nc"), **changes).startswith(problem)


@pytest.mark.parametrize(
    ("text", "unit", "counted"),
    [
        ("", "line", "0 in train, 0 in validation, 0 in test (on 0 lines), "),
        ("one line", "line", "8 in train, 0 in validation, 0 in test (on 1 line), "),
        ("ab\ncd\n", "line", "2 in train, 0 in validation, 2 in test (on 2 lines), "),
        ("\n\n\n\nabc\n", "line", "0 in train, 0 in validation, 3 in test (on 5 lines), "),
        ("abcd", "file", "3 in train, 0 in validation, 1 in test, "),
    ],
)
def test_too_little_text_tells_how_much_there_was(
    tmp_path: Path, text: str, unit: str, counted: str
) -> None:
    message = refusal(write(tmp_path / "a.txt", text), unit=unit)
    assert message.startswith(f"too few characters: {counted}expected at least 1 in each split")
    assert "raise the limit" in message


@pytest.mark.parametrize(
    ("data", "near"),
    [
        ("bultin", "; did you mean 'builtin'?"),
        ("tfsd:lm1b", "; did you mean 'tfds:lm1b'?"),
        ("", ": check the spelling"),
        ("no/such/folder/x.txt", f" (in the folder {Path.cwd()}): check the spelling"),
    ],
)
def test_data_that_is_nowhere_names_the_kinds_and_the_nearest(data: str, near: str) -> None:
    message = refusal(data)
    assert message.startswith("--data must be 'builtin', 'tfds:NAME[/CONFIG]', or a path: a text")
    assert message.endswith(f"got {data!r}, which is none of them{near}")


def test_a_misspelt_path_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    path = write(tmp_path / "book.txt", "text")
    assert refusal(tmp_path / "bok.txt").endswith(f"; did you mean {str(path)!r}?")
    assert "which fails: " in refusal("~nobody_of_that_name/x.txt")


@pytest.mark.skipif(not WIKITEXT.is_dir(), reason=f"no WikiText-2 in {WIKITEXT}")
def test_wikitext_has_its_published_numbers_of_tokens_and_lines() -> None:
    corpus = corpus_of(WIKITEXT)
    parts = [corpus.train, corpus.validation, corpus.test]
    assert [len(part) for part in parts] == [36_718, 3_760, 4_358]
    tokens = [[*line.split(), "<eos>"] for line in corpus.train]
    assert sum(map(len, tokens)) == 2_088_628
    assert len({token for line in tokens for token in line}) == 33_278
    assert sum(len(line.split()) + 1 for line in corpus.validation) == 217_646
    assert sum(len(line.split()) + 1 for line in corpus.test) == 245_569
    whole = corpus_of(WIKITEXT, unit="file")
    assert whole.train == ["".join(line + "\n" for line in corpus.train)]
