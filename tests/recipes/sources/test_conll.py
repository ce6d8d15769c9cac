"""CoNLL columns as people have them: documents, comments, tabs or blanks, and malformed lines."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.sources.conll import read_conll
from recipes.sources.sentences import Sentence
from zoo.errors import InputError

# The shape of CoNLL-2003: word, part of speech, chunk, entity in IOB1; the sentences are invented.
DOCUMENTS = """-DOCSTART- -X- -X- O

Anna NNP I-NP I-PER
Berg NNP I-NP I-PER
met VBD I-VP O
Zoo NNP I-NP I-ORG
Basel NNP I-NP I-ORG
Bern NNP B-NP B-ORG
. . O O

-DOCSTART- -X- -X- O

# # I-NP O
7 CD I-NP O

"""
ENTITIES = [
    Sentence(
        ("Anna", "Berg", "met", "Zoo", "Basel", "Bern", "."),
        ("I-PER", "I-PER", "O", "I-ORG", "I-ORG", "B-ORG", "O"),
    ),
    Sentence(("#", "7"), ("O", "O")),
]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r ")
WORDS = st.text(CHARACTERS, min_size=1).filter(lambda word: not word.startswith("-DOCSTART-"))
SENTENCES = st.lists(st.lists(st.tuples(WORDS, WORDS), min_size=1), min_size=1)


def _write(folder: Path, content: str, name: str = "train.conll") -> Path:
    path = folder / name
    data = content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def _read(folder: Path, content: str, *columns: int) -> list[Sentence]:
    return read_conll(_write(folder, content), *columns)


def _refusal(folder: Path, content: str, *columns: int) -> str:
    path = _write(folder, content)
    with pytest.raises(InputError) as caught:
        read_conll(path, *columns)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.mark.parametrize("name", ["eng.train", "eng.train.gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_four_columns_and_documents_are_read_as_they_stand(
    tmp_path: Path, name: str, mark: str, end: str
) -> None:
    path = _write(tmp_path, mark + DOCUMENTS.replace("\n", end), name)
    assert read_conll(path) == ENTITIES


@pytest.mark.parametrize(
    ("columns", "tokens", "tags"),
    [
        ((0, 1), ("#", "7"), ("#", "CD")),
        ((-4, -2), ("#", "7"), ("I-NP", "I-NP")),
        ((1, 0), ("#", "CD"), ("#", "7")),
    ],
)
def test_any_two_columns_can_be_chosen(
    tmp_path: Path, columns: tuple[int, int], tokens: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    assert _read(tmp_path, DOCUMENTS, *columns)[1] == Sentence(tokens, tags)
    assert _read(tmp_path, "B-X\tone\nO\ttwo\n", 1, 0) == [Sentence(("one", "two"), ("B-X", "O"))]


def test_a_document_line_ends_a_sentence_without_a_blank_line(tmp_path: Path) -> None:
    found = _read(tmp_path, "-DOCSTART-\nrain X\n-DOCSTART- O\nfalls Y\n")
    assert found == [Sentence(("rain",), ("X",)), Sentence(("falls",), ("Y",))]


@pytest.mark.parametrize("gap", ["\n", " \n", "\t\n", "\r\n\r\n \t \r\n", "\n\n\n"])
@pytest.mark.parametrize("between", ["\t", " ", "   "])
def test_lines_of_blanks_and_tabs_stand_between_sentences(
    tmp_path: Path, gap: str, between: str
) -> None:
    content = f"{gap}rain{between}X\nfalls{between}O\n{gap}so{between}Y"
    expected = [Sentence(("rain", "falls"), ("X", "O")), Sentence(("so",), ("Y",))]
    assert _read(tmp_path, content) == expected


def test_with_a_tab_anywhere_tokens_may_hold_blanks(tmp_path: Path) -> None:
    content = "New York\tB-LOC\n 10 000 \t O \nle\tO\n"
    assert _read(tmp_path, content) == [Sentence(("New York", "10 000", "le"), ("B-LOC", "O", "O"))]


def test_blanks_and_tabs_behind_the_last_column_do_not_count(tmp_path: Path) -> None:
    expected = [Sentence(("rain", "falls"), ("X", "Y"))]
    assert _read(tmp_path, "rain X  \nfalls Y \n  \n") == expected
    assert _read(tmp_path, "  rain   X \t\nfalls Y\t\n") == expected
    assert _read(tmp_path, "rain\tX \t \nfalls\tY\n") == expected


def test_other_white_space_is_part_of_a_token(tmp_path: Path) -> None:
    odd = ("10\u00a0000", "\u3000", "a\x0cb", "\u2028", "x\ufeff")
    expected = [Sentence(odd, ("O",) * len(odd))]
    assert _read(tmp_path, "".join(f"{token} O\n" for token in odd)) == expected
    assert _read(tmp_path, "".join(f"{token}\tO\n" for token in odd)) == expected


def test_comments_are_skipped_and_hashes_are_tokens(tmp_path: Path) -> None:
    content = "# id 17\tdomain=train\n# O\nso _ _ O\n# in between\n# _ _ B-X\n#tag _ _ I-X\n# \n"
    assert _read(tmp_path, content) == [Sentence(("so", "#", "#tag"), ("O", "B-X", "I-X"))]


def test_in_tabs_a_hash_with_blanks_is_a_token_where_it_has_a_tag(tmp_path: Path) -> None:
    content = "# a comment of several words\n# 1\tB-X\n#\tO\n# another\nsong\tO\n"
    assert _read(tmp_path, content) == [Sentence(("# 1", "#", "song"), ("B-X", "O", "O"))]


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ("a\tX\n\nb\n", ":3: 1 column ('b'), expected 2 as in line 1: mend the line; "),
        ("\na\tX\nb\t\n", ":3: 1 column ('b\\t'), expected 2 as in line 2: mend the line; "),
        ("a _ X\nb X\n", ":2: 2 columns ('b X'), expected 3 as in line 1: mend the line; "),
        ("a X\nNew York X\n", ":2: 3 columns ('New York X'), expected 2 as in line 1: mend "),
        ("a\tX\n\tX\n", ":2: the token is empty ('\\tX'), expected 2 columns as in line 1: add"),
        ("# id\na\t \tX\n", ":2: the tag is empty ('a\\t \\tX'), expected 3 columns as in line 2"),
    ],
)
def test_a_malformed_line_is_shown_with_its_number(tmp_path: Path, content: str, rest: str) -> None:
    assert _refusal(tmp_path, content, 0, 1).startswith(rest)


def test_a_long_line_is_shown_in_part(tmp_path: Path) -> None:
    message = _refusal(tmp_path, "a X\n" + "word " * 2000)
    assert ":2: 2000 columns ('word word " in message
    assert len(message) < 250


@pytest.mark.parametrize(("columns", "option"), [((4, 0), "--token-column"), ((0, -5), "--tag-")])
def test_a_column_that_is_not_there_tells_how_many_there_are(
    tmp_path: Path, columns: tuple[int, int], option: str
) -> None:
    message = _refusal(tmp_path, DOCUMENTS, *columns)
    wrong = next(column for column in columns if column)
    assert message.startswith(
        f":3: there is no column {wrong} among 4 columns ('Anna NNP I-NP I-PER'), expected 0 to 3"
    )
    assert f"choose another with {option}" in message


def test_one_column_cannot_be_both(tmp_path: Path) -> None:
    message = _refusal(tmp_path, DOCUMENTS, 3, -1)
    assert message.startswith(": tokens and tags are both read from column 3 of 4, expected two")


def test_words_without_tags_are_refused(tmp_path: Path) -> None:
    message = _refusal(tmp_path, "\nrain\nfalls\n")
    assert message.startswith(":2: 1 column ('rain'), expected 2 or more, a token and its tag: put")


@pytest.mark.parametrize("content", ["", "\n \n\t\n", "-DOCSTART- O\n\n", "# only a comment\n"])
def test_a_file_without_a_sentence_is_refused(tmp_path: Path, content: str) -> None:
    assert _refusal(tmp_path, content).startswith(": holds no sentence, expected a token and its")


def test_what_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_conll(tmp_path / "nowhere.conll")
    (tmp_path / "latin.conll").write_bytes(b"a\tX\ncaf\xe9\tX\n")
    with pytest.raises(InputError, match="latin.conll:2: not UTF-8"):
        read_conll(tmp_path / "latin.conll")


@settings(deadline=None)
@given(SENTENCES, st.sampled_from(["\t", " "]), st.sampled_from(["\n", "\r\n"]))
def test_every_sentence_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    sentences: list[list[tuple[str, str]]],
    between: str,
    end: str,
) -> None:
    # Two columns more, so that a first word "#" cannot stand for a comment.
    first = [[("first", "O")], *sentences]
    lines = [
        "".join(between.join((token, "_", "_", tag)) + end for token, tag in sentence) + end
        for sentence in first
    ]
    path = tmp_path_factory.mktemp("conll") / "train.txt"
    path.write_bytes("".join(lines).encode())
    assert read_conll(path) == [Sentence.of(sentence) for sentence in first]


def test_further_columns_are_read_besides(tmp_path: Path) -> None:
    found = read_conll(_write(tmp_path, DOCUMENTS), others=[1, -2])
    assert [(each.tokens, each.tags) for each in found] == [
        (each.tokens, each.tags) for each in ENTITIES
    ]
    assert found[1].others == (("#", "CD"), ("I-NP", "I-NP"))
    with pytest.raises(InputError, match="there is no column 4 .* choose another with --auxiliary"):
        read_conll(_write(tmp_path, DOCUMENTS), others=[4])
