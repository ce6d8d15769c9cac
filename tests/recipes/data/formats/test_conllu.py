"""CoNLL-U: words in ten columns, ranges and empty nodes beside them, and what is malformed."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from recipes.data.formats.conllu import read_conllu
from recipes.data.items import Sentence
from zoo.errors import InputError


def _line(number: str, form: str, upos: str = "_", xpos: str = "_", misc: str = "_") -> str:
    return "\t".join((number, form, form.lower(), upos, xpos, "_", "_", "_", "_", misc)) + "\n"


# Invented: a range over two words, an empty node before the first and between two words, a word _.
SAMPLE = (
    "# sent_id = 1\n# text = I don't, you do _\n"
    + _line("0.1", "Well", "INTJ", "UH")
    + _line("1", "I", "PRON", "PRP")
    + _line("2-3", "don't", misc="SpaceAfter=No")
    + _line("2", "do", "AUX", "VBP")
    + _line("3", "n't", "PART", "RB")
    + "# in the middle\n"
    + _line("3.1", "go", "VERB", "VB")
    + _line("4", ",", "PUNCT", ",")
    + "\n\n# newdoc\n\n"
    + _line("1", "10 000", "NUM", "CD")
    + _line("2", "_", "SYM", "NFP")
    + _line("3", "#", "SYM", "#")
)
FORMS = [("I", "do", "n't", ","), ("10 000", "_", "#")]
UPOS = [("PRON", "AUX", "PART", "PUNCT"), ("NUM", "SYM", "SYM")]
XPOS = [("PRP", "VBP", "RB", ","), ("CD", "NFP", "#")]


def _write(folder: Path, content: str, name: str = "x-ud-train.conllu") -> Path:
    path = folder / name
    data = content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def _refusal(folder: Path, content: str, tag: str = "upos") -> str:
    path = _write(folder, content)
    with pytest.raises(InputError) as caught:
        read_conllu(path, tag)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.mark.parametrize(("tag", "tags"), [("upos", UPOS), ("xpos", XPOS)])
@pytest.mark.parametrize("name", ["a.conllu", "a.conllu.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_words_are_read_and_ranges_and_empty_nodes_are_not(
    tmp_path: Path, tag: str, tags: list[tuple[str, ...]], name: str, end: str
) -> None:
    path = _write(tmp_path, "\ufeff" + SAMPLE.replace("\n", end), name)
    assert read_conllu(path, tag) == [Sentence(*both) for both in zip(FORMS, tags, strict=True)]


def test_further_columns_are_read_besides(tmp_path: Path) -> None:
    path = _write(tmp_path, SAMPLE)
    found = read_conllu(path, "upos", ["xpos", "deprel"])
    assert [sentence.tags for sentence in found] == UPOS
    assert [sentence.others[0] for sentence in found] == XPOS
    columns = [line.split("\t") for line in SAMPLE.splitlines() if "\t" in line]
    relations = [fields[7] for fields in columns if fields[0].isdigit()]
    assert [tag for sentence in found for tag in sentence.others[1]] == relations
    with pytest.raises(InputError, match="auxiliary.*must be one of"):
        read_conllu(path, "upos", ["head"])


def test_upos_is_the_default(tmp_path: Path) -> None:
    assert [sentence.tags for sentence in read_conllu(_write(tmp_path, SAMPLE))] == UPOS


def test_a_sentence_of_an_empty_node_alone_is_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path, _line("0.1", "so", "ADV") + "\n" + _line("1", "rain", "NOUN"))
    assert read_conllu(path) == [Sentence(("rain",), ("NOUN",))]


def test_a_word_without_the_tag_is_named(tmp_path: Path) -> None:
    content = "# text\n" + _line("1", "I", "PRON") + _line("2", "rain", "_", "VBP")
    message = _refusal(tmp_path, content)
    assert message.startswith(":3: the word 'rain' has no upos ('_'), expected one for every word")
    message = _refusal(tmp_path, content, "xpos")
    assert message.startswith(":2: the word 'I' has no xpos ('_'), expected one for every word")
    assert "--tags-feature" in message
    assert ":1: the word 'I' has no upos ('')" in _refusal(tmp_path, _line("1", "I", ""))


@pytest.mark.parametrize(
    ("ids", "line", "expected"),
    [
        (["1", "3"], 2, "id '3', expected '2'"),
        (["2"], 1, "id '2', expected '1'"),
        (["1", "2", "2"], 3, "id '2', expected '3'"),
        (["1", "2", "1"], 3, "id '1', expected '3'"),
        (["1", "1-2", "x"], 3, "id 'x', expected '2'"),
        (["1", "2-", "2"], 2, "id '2-', expected '2'"),
        (["", "1"], 1, "id '', expected '1'"),
        (["01"], 1, "id '01', expected '1'"),
    ],
)
def test_ids_must_count_up_from_1(tmp_path: Path, ids: list[str], line: int, expected: str) -> None:
    message = _refusal(tmp_path, "".join(_line(each, "w", "X") for each in ids))
    assert message.startswith(f":{line}: {expected}: number the words of a sentence from 1 up")
    assert "blank line between sentences" in message


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1\train\tNOUN", "3 columns ('1\\train\\tNOUN'), expected 10"),
        ("rain", "1 column ('rain'), expected 10"),
        (_line("1", "a\tb", "X").strip(), "12 columns ('1\\ta\\tb"),
        (_line("1-2", "a", "X")[:-3], "9 columns ('1-2\\ta"),
    ],
)
def test_a_row_of_other_columns_is_shown(tmp_path: Path, row: str, problem: str) -> None:
    message = _refusal(tmp_path, _line("1", "so", "ADV") + "\n" + row + "\n")
    assert message.startswith(f":3: {problem}")
    assert "name the file .conll if it has columns of another kind" in message


def test_an_empty_form_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path, _line("1", "", "X")).startswith(":1: the form (column 2) is empty")


@pytest.mark.parametrize("content", ["", "\n\n", "# a comment\n", _line("0.1", "so", "ADV")])
def test_a_file_without_a_word_is_refused(tmp_path: Path, content: str) -> None:
    assert _refusal(tmp_path, content).startswith(": holds no sentence, expected words in 10 col")


def test_another_tag_is_answered_with_the_nearest(tmp_path: Path) -> None:
    message = _refusal(tmp_path, SAMPLE, "upso")
    assert "must be one of upos, xpos; got 'upso': did you mean 'upos'?" in message


def test_comments_are_counted_and_tags_are_in_one_normal_form(tmp_path: Path) -> None:
    row = "1\t#\t#\tSYM\tE\u0301\t_\t0\troot\t_\t_\n"
    path = tmp_path / "a.conllu"
    path.write_text(f"# newdoc\n# sent_id = 7\n{row}\n#x\n", encoding="utf-8")
    counts: Counter[str] = Counter()
    found = read_conllu(path, "xpos", ["upos"], counts)
    assert found == [Sentence(("#",), ("\u00c9",), (("SYM",),))]
    assert counts == {"comments": 3}
