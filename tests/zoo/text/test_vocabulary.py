"""Tokens <-> ids: what is kept, in which order, and the file it is kept in."""

from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.text import BOS, EOS, PAD, UNK, Vectorizer, Vocabulary

SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]
# tokens that split lines for `str.splitlines`, look empty, or need more than one byte
ODD = [
    " ",
    "\x85",
    "\u2028",
    "\u2029",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\0",
    "\t",
    "\ufeff",
]
ODD += ["é", "e\u0301", "👍🏽", "我", "\u200d", "a b", " a ", "#", '"', "\ufffd"]
ODD += ["\n", "\r", "\r\n", "\\", "\\n", "\\\n", "\\\\n", "\\r", "a\nb", "\na\n\n", "\\t"]


def test_special_tokens_have_the_first_four_ids():
    assert (PAD, UNK, BOS, EOS) == (0, 1, 2, 3)
    vocabulary = Vocabulary.learn({"a": 1})
    assert vocabulary.tokens == [*SPECIAL, "a"]
    assert vocabulary.ids(tf.constant(SPECIAL)).numpy().tolist() == [0, 1, 2, 3]


def test_tokens_are_ordered_by_count_and_then_by_code_point():
    counts = {"b": 2, "a": 2, "rare": 1, "often": 9, "é": 2, "B": 2, "\U0001f44d": 2, "\uff21": 2}
    expected = ["often", "B", "a", "b", "é", "\uff21", "\U0001f44d", "rare"]
    assert Vocabulary.learn(counts).tokens[4:] == expected
    backwards = dict(reversed(counts.items()))
    assert Vocabulary.learn(backwards).tokens[4:] == expected


@pytest.mark.parametrize(
    ("size", "min_count", "expected"),
    [
        (100, 1, ["c", "a", "b", "d"]),
        (8, 1, ["c", "a", "b", "d"]),
        (7, 1, ["c", "a", "b"]),
        (5, 1, ["c"]),
        (100, 2, ["c", "a", "b"]),
        (100, 3, ["c"]),
        (100, 4, []),
        (6, 2, ["c", "a"]),
    ],
)
def test_size_counts_the_special_tokens_and_min_count_drops_rarer_ones(size, min_count, expected):
    vocabulary = Vocabulary.learn({"d": 1, "b": 2, "a": 2, "c": 3}, size, min_count)
    assert vocabulary.tokens == [*SPECIAL, *expected]
    assert len(vocabulary) == 4 + len(expected)


@pytest.mark.parametrize("size", [4, 0, -1, True, 5.0, "9", None])
def test_a_size_without_room_for_a_token_is_an_error(size):
    with pytest.raises(InputError, match="size must be an int above 4.*got"):
        Vocabulary.learn({"a": 1}, size=size)


@pytest.mark.parametrize("min_count", [0, -2, 1.5, True])
def test_a_wrong_min_count_is_an_error(min_count):
    with pytest.raises(InputError, match="min_count must be a positive int"):
        Vocabulary.learn({"a": 1}, min_count=min_count)


@pytest.mark.parametrize("special", SPECIAL)
def test_a_special_token_spelled_in_the_data_is_not_taken_twice(special):
    vocabulary = Vocabulary.learn({special: 50, "a": 1}, size=5)
    assert vocabulary.tokens == [*SPECIAL, "a"]


def test_known_tokens_get_their_places_and_unknown_ones_unk():
    vocabulary = Vocabulary([*SPECIAL, "film", "the", "\0", "é"])
    tokens = tf.constant([["the", "film", "The"], ["", "\0", "é"]])
    ids = vocabulary.ids(tokens)
    assert ids.dtype == tf.int32
    assert ids.numpy().tolist() == [[5, 4, 1], [1, 6, 7]]
    ragged = vocabulary.ids(tf.ragged.constant([["the"], [], ["e\u0301", "film"]]))
    assert ragged.to_list() == [[5], [], [1, 4]]


@pytest.mark.parametrize("tokens", [[], ["a"], SPECIAL[:3], ["a", *SPECIAL], SPECIAL[::-1]])
def test_missing_or_misplaced_special_tokens_are_an_error(tokens):
    with pytest.raises(InputError, match=r"begins with \[PAD\], \[UNK\], \[BOS\], \[EOS\]"):
        Vocabulary(tokens)


@pytest.mark.parametrize("twice", ["a", "", "[EOS]"])
def test_a_token_that_stands_there_twice_is_an_error_that_names_it(twice):
    with pytest.raises(InputError) as caught:
        Vocabulary([*SPECIAL, "b", "a", "", twice])
    assert repr(twice) in str(caught.value)


@pytest.mark.parametrize("tokens", [[], ["film", "a"], ODD, ODD[::-1], [""], ["a", ""]], ids=ascii)
def test_what_is_saved_is_loaded_again(tmp_path, tokens):
    path = tmp_path / "vocabulary.txt"
    saved = Vocabulary([*SPECIAL, *tokens])
    saved.save(path)
    loaded = Vocabulary.load(path)
    assert loaded.tokens == [*SPECIAL, *tokens]
    assert loaded.ids(tf.constant(loaded.tokens)).numpy().tolist() == list(range(4 + len(tokens)))


LETTERS = st.one_of(st.sampled_from("\n\r\\nr"), st.characters(exclude_categories=["Cs"]))


@settings(deadline=None, max_examples=100)
@given(tokens=st.lists(st.text(LETTERS, max_size=4), unique=True))
def test_any_tokens_are_loaded_as_they_were_saved(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    tokens = [*SPECIAL, *(token for token in tokens if token not in SPECIAL)]
    Vocabulary(tokens).save(path)
    assert path.read_bytes().count(b"\n") == len(tokens), "one line each"
    assert Vocabulary.load(path).tokens == tokens


def test_line_ends_and_backslashes_are_written_with_a_backslash(tmp_path):
    path = tmp_path / "vocabulary.txt"
    Vocabulary([*SPECIAL, "\n", "a\r", "\\", "\\n", "\t"]).save(path)
    assert path.read_bytes().split(b"\n")[4:] == [rb"\n", rb"a\r", b"\\" * 2, rb"\\n", b"\t", b""]


def test_the_file_is_one_token_a_line_in_utf_8_and_replaces_the_one_before(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_text("something older and much longer than what comes " * 9)
    Vocabulary([*SPECIAL, "é"]).save(path)
    assert path.read_bytes() == "[PAD]\n[UNK]\n[BOS]\n[EOS]\né\n".encode()
    assert [file.name for file in tmp_path.iterdir()] == ["vocabulary.txt"]


@pytest.mark.parametrize(
    "content", [b"[PAD]\n[UNK]\n[BOS]\n[EOS]\na", b"[PAD]\r\n[UNK]\r\n[BOS]\r\n[EOS]\r\na\r\n"]
)
def test_a_file_without_a_last_line_end_or_with_those_of_windows_is_read(tmp_path, content):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    assert Vocabulary.load(path).tokens == [*SPECIAL, "a"]


def test_a_missing_file_is_an_error_with_its_path(tmp_path):
    with pytest.raises(InputError) as caught:
        Vocabulary.load(tmp_path / "nowhere" / "vocabulary.txt")
    assert str(tmp_path / "nowhere" / "vocabulary.txt") in str(caught.value)


def test_a_file_that_is_not_utf_8_is_an_error_with_its_path_and_the_byte(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"[PAD]\ncaf\xe9\n")
    with pytest.raises(InputError) as caught:
        Vocabulary.load(path)
    assert str(path) in str(caught.value) and "byte 9" in str(caught.value)


@pytest.mark.parametrize("content", ["", "a\nb\n", "[PAD]\n[UNK]\n[BOS]\n[EOS]\na\na\n"])
def test_a_file_that_is_no_vocabulary_is_an_error(tmp_path, content):
    path = tmp_path / "vocabulary.txt"
    path.write_text(content)
    with pytest.raises(InputError):
        Vocabulary.load(path)


@pytest.mark.parametrize("level", ["word", "character"])
def test_a_vocabulary_is_learned_from_the_given_texts_alone(level):
    first = Vectorizer.learn(["good film", "a good one"], level=level)
    Vectorizer.learn(["zebra xylophone"], level=level)
    again = Vectorizer.learn(iter(["good film", "a good one"]), level=level)
    assert first.vocabulary.tokens == again.vocabulary.tokens
    words = ["good", "film", "a", "good", "one"]
    units = words if level == "word" else "good film" + "a good one"
    counts = Counter(units)
    assert set(first.vocabulary.tokens[4:]) == set(counts)
    assert first.vocabulary.tokens[4] == max(sorted(counts), key=counts.__getitem__)


@pytest.mark.parametrize("token", ["a\x0bb", "a\x85", "a\u2028b", "\x1c"])
def test_a_vocabulary_ends_its_lines_at_line_feeds_and_drops_a_mark_in_front(tmp_path, token):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes("\ufeff".encode() + "\n".join([*SPECIAL, token, "z\ry", ""]).encode())
    assert Vocabulary.load(path).tokens == [*SPECIAL, token, "z\ry"]


def test_a_vocabulary_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RNN_ZOO_MAX_LINE_BYTES", "1000000")
    with pytest.raises(InputError, match="/dev/zero:1: longer than 1,000,000 bytes"):
        Vocabulary.load(Path("/dev/zero"))
    with pytest.raises(InputError, match="no vocabulary at .*Is a directory"):
        Vocabulary.load(tmp_path)
