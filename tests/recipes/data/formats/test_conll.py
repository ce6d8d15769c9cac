"""CoNLL columns as people have them: documents, comments, tabs or blanks, and malformed lines."""

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.data.formats.conll import read_conll
from recipes.data.items import Sentence
from recipes.data.naming import clean
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
TAGS = WORDS.map(clean).filter(bool)  # tags are read in normal form
SENTENCES = st.lists(st.lists(st.tuples(WORDS, TAGS), min_size=1), min_size=1)


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


def _counted(folder: Path, content: str) -> tuple[list[Sentence], dict[str, int]]:
    counts: Counter[str] = Counter()
    return read_conll(_write(folder, content), counts=counts), dict(counts)


@pytest.mark.parametrize(
    "comment",
    [
        "# sent_id = 7",  # as many columns as the file has
        "# global.columns = ID",
        "#sent_id = 7 x",
        "# text = it rains today and tomorrow",
        "# text =",
        "#begin document (x); part 000",
        "#end document of four",
        "#begin",
        "# newdoc id = x",
        "# Newdoc x y",
        "# newpar 1 2",
        "# https://example.org/a b c",
        "# doc_id=7 a b",
        "# ",
        "#",
        "  # sent_id = 7",
        "# one\ttwo",
    ],
)
def test_a_comment_is_none_of_the_columns_of_a_file_with_blanks(
    tmp_path: Path, comment: str
) -> None:
    content = f"{comment}\nit _ _ O\n{comment}\nrains _ _ B-X\n\n{comment}\n# _ _ O\n#now _ _ O\n"
    expected = [Sentence(("it", "rains"), ("O", "B-X")), Sentence(("#", "#now"), ("O", "O"))]
    assert _counted(tmp_path, content) == (expected, {"comments": 3, "tokens": 2})


@pytest.mark.parametrize(
    ("line", "is_comment"),
    [
        ("# Newdoc", True),
        ("# newpar", True),
        ("#end document", True),
        ("# sent_id=7", True),
        ("#begin O", False),
        ("# O", False),
        ("#end B-X", False),
        ("# #", False),  # as the Penn Treebank tags it
        ("# Foreign=Yes", False),
    ],
)
def test_two_columns_tell_comments_from_tokens_by_their_words(
    tmp_path: Path, line: str, is_comment: bool
) -> None:
    found, counts = _counted(tmp_path, f"rain O\nnow B-X\n\n{line}\nit O\n")
    token, tag = line.split()
    rest = Sentence(("it",), ("O",)) if is_comment else Sentence((token, "it"), (tag, "O"))
    assert found == [Sentence(("rain", "now"), ("O", "B-X")), rest]
    assert counts == {"comments" if is_comment else "tokens": 1}


def test_hash_tags_between_tabs_stay_tokens_and_the_url_of_germeval_is_none(
    tmp_path: Path,
) -> None:
    content = (
        "#\thttp://de.example.org/wiki/Ort [2009-10-17]\n"
        "1\tOrt\tB-LOC\tO\n2\t#begin\tO\tO\n\n"
        "#\thttp://de.example.org/wiki/Zeit [2009-10-17]\n1\t#\tO\tO\n"
    )
    path = _write(tmp_path, content)
    counts: Counter[str] = Counter()
    assert read_conll(path, 1, 2, counts=counts) == [
        Sentence(("Ort", "#begin"), ("B-LOC", "O")),
        Sentence(("#",), ("O",)),
    ]
    assert counts == {"comments": 2}
    content = "#love\tO\n#begin\tO\n#end\tB-X\n#x = 1\tO\nsong\tB-X\n# sent_id = 7\n#\thttp://a b\n"
    tokens = ("#love", "#begin", "#end", "#x = 1", "song")
    expected = [Sentence(tokens, ("O", "O", "B-X", "O", "B-X"))]
    assert _counted(tmp_path, content) == (expected, {"comments": 2, "tokens": 4})


def test_a_file_of_hash_tags_alone_has_its_columns_from_them(tmp_path: Path) -> None:
    content = "# sent_id = 1\n#rain\tO\n#snow\tB-X\n"
    assert _counted(tmp_path, content) == (
        [Sentence(("#rain", "#snow"), ("O", "B-X"))],
        {"comments": 1, "tokens": 2},
    )


def test_conll_u_in_a_file_of_another_name_keeps_its_hash_forms(tmp_path: Path) -> None:
    rest = "_\t_\t_\t_\t_\t_\n"
    words = f"1\t#\t#\tSYM\t{rest}2\t1\t1\tNUM\t{rest}"
    content = f"# newdoc id = d\n# sent_id = 1\n# text = # 1\n{words}"
    counts: Counter[str] = Counter()
    found = read_conll(_write(tmp_path, content), 1, 3, counts=counts)
    assert found == [Sentence(("#", "1"), ("SYM", "NUM"))]
    assert counts == {"comments": 3}


def test_tags_are_read_in_one_normal_form_and_without_marks(tmp_path: Path) -> None:
    content = "\ufeffun\tB-Pre\u0301nom\ndeux\tI-Pr\u00e9nom\u00a0\ntrois\tO\ufeff\n"
    assert _read(tmp_path, content)[0].tags == ("B-Pr\u00e9nom", "I-Pr\u00e9nom", "O")


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


@pytest.mark.parametrize("between", ["\t", " "])
@pytest.mark.parametrize("mark", ["", "# ", "#"])
def test_a_header_line_names_the_columns(tmp_path: Path, between: str, mark: str) -> None:
    rows = [f"{mark}word", "pos", "ner"], ["rain", "NN", "O"], ["#", "SYM", "B-X"]
    content = "# sent_id = 7\n" + "\n".join(between.join(row) for row in rows)
    path = _write(tmp_path, content)
    expected = [Sentence(("rain", "#"), ("O", "B-X"), (("NN", "SYM"),))]
    assert read_conll(path, "token,word", "ner", ["pos"], header=True) == expected
    assert read_conll(path, 0, "-1", [1], header=True) == expected
    with pytest.raises(InputError, match="there is no column 'tag', expected one of 'word', 'pos'"):
        read_conll(path, "word", "tag", header=True)
    with pytest.raises(InputError, match="there is no column word among 3 .* give --header if"):
        read_conll(path, "word", "ner")


def test_columns_that_differ_between_files_are_tried_in_order(tmp_path: Path) -> None:
    expected = [Sentence(("rain",), ("O",))]
    assert read_conll(_write(tmp_path, "rain\tO\n"), 0, "3,1") == expected
    assert read_conll(_write(tmp_path, "rain\t_\t_\tO\n"), "0", "3,1") == expected


def test_a_header_line_of_another_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=":2: 3 columns .*expected 2 as in the header line"):
        read_conll(_write(tmp_path, "word\ttag\nrain\t_\tO\n"), header=True)
    with pytest.raises(InputError, match="holds no sentence"):
        read_conll(_write(tmp_path, "word\ttag\n"), header=True)
