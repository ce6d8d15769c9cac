"""Strings -> ids -> strings: what comes back, and what is told of what is not known."""

import functools
import re
import unicodedata
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.text import BOS, EOS, PAD, UNK, TextCodec, Vocabulary
from zoo.text.text_path import CHUNK

SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]
LEVELS = ["character", "word", "space"]
SENTENCES = [
    "Hello, world! It's good; isn't it?",
    "He (or [she {or they}]) said: no.",
    "\u201cYes,\u201d she said\u2026 twice.",
    "50% of $5 is 2.5; #1 wins!!",
    "so (so)... well?!",
    "an @user at http://a.bc/d?e=(f), my #tag",
]
ODD = st.one_of(
    st.sampled_from("ab \t\n\r\0\x0b\x1f\x7f\x85\u2028\u200d\ufeff\ufffd\\[]"),
    st.sampled_from("\u0301\u0307\u0323eåA\u030a가\u1100\u1161İ👍🏽"),
    st.characters(exclude_categories=["Cs"]),
)


def codec_of(*tokens, **options):
    return TextCodec(Vocabulary([*SPECIAL, *tokens]), **options)


@functools.cache
def learned(level):
    """A codec that knows the sentences; to learn one takes seconds."""
    return TextCodec.learn([*SENTENCES, "", "ab ba, c. <eos>", "<unk> ab"], level=level)


def ids(codec, texts):
    return codec.ids(tf.constant(texts, tf.string)).to_list()


def again(codec, text):
    """text(ids(text)), of one text."""
    raw = text if isinstance(text, bytes) else text.encode()
    found = codec.text(codec.ids(tf.constant([raw])).to_tensor())
    return found.numpy()[0].decode()


def normalized(text):
    text = re.sub("\r\n?", "\n", text)
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)
    return unicodedata.normalize("NFC", text)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(ODD, max_size=12).map("".join), min_size=1, max_size=12))
def test_characters_come_back_as_they_were(texts):
    expected = [normalized(text) for text in texts]
    codec = TextCodec(Vocabulary.learn(Counter("".join(expected))))
    rows = codec.ids(tf.constant([text.encode() for text in texts]))
    assert [text.decode() for text in codec.text(rows.to_tensor()).numpy()] == expected
    assert UNK not in rows.flat_values.numpy() and rows.dtype == tf.int32
    assert rows.row_lengths().numpy().tolist() == [len(text) for text in expected]


@pytest.mark.parametrize("level", LEVELS)
def test_a_vocabulary_is_that_of_the_given_texts(level):
    found = learned(level).vocabulary.tokens[4:]
    text = " ".join([*SENTENCES, "ab ba, c. ab"])
    if level == "character":
        assert set(found) == set(text + "<unk><eos>")
    elif level == "space":
        assert set(found) == set(text.split()) and found[0] == "ab"
    else:
        assert {"Hello", "isn't", "\u201c", "2.5", "#1", "...", "(", "ab"} < set(found)
        assert not {"<unk>", "<eos>", "", " "} & set(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\n\r\n\r\rd", "a\nb\nc\n\n\n\nd"),
        ("tab\tand\nend stay", "tab\tand\nend stay"),
        ("\0a\x07b\x0bc\x1bd\x7f", "abcd"),
        ("  two  blanks ", "  two  blanks "),
        ("e\u0301A\u030a\u1100\u1161", "\u00e9\u00c5\uac00"),
        ("Case STAYS\u2019", "Case STAYS\u2019"),
        (b"caf\xe9 \xff\xfe!", "caf\ufffd \ufffd\ufffd!"),
        ("", ""),
    ],
)
def test_texts_are_normalized_so_and_no_further(text, expected):
    raw = text if isinstance(text, bytes) else text.encode()
    codec = codec_of(*set(expected))
    assert codec.normalized(tf.constant([raw])).numpy()[0].decode() == expected
    assert again(codec, raw) == expected


def test_case_is_dropped_where_it_is_asked_for():
    codec = codec_of(*"ab i\u0307\u00e5\u00e9", lower=True)
    assert again(codec, "aB \u0130A\u030aÉ") == "ab i\u0307\u00e5\u00e9"
    words = TextCodec.learn(["The END the end The"], lower=True, level="space")
    assert words.vocabulary.tokens[4:] == ["the", "end"]
    assert ids(words, ["tHE End"]) == [[4, 5]]


def test_words_and_marks_come_back_with_their_spaces():
    for text in SENTENCES:
        assert again(learned("word"), text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a ,b .\nc", "a, b. c"),
        ("( a ) [ b ]{ c }", "(a) [b] {c}"),
        ("a(b)c", "a (b) c"),
        ("a qx b ( qx )", "a <unk> b (<unk>)"),
        ("\t\n ", ""),
    ],
)
def test_what_words_lose_is_blanks_alone(text, expected):
    codec = codec_of(*"abc,.()[]{}", level="word")
    assert again(codec, text) == expected


def test_blanks_alone_split_texts_that_are_split_already():
    text = "the N cats , it 's \n  ( a\tU.S. )"
    codec = codec_of(*set(text.split()), level="space")
    assert again(codec, text) == "the N cats , it 's ( a U.S. )"


def test_unknown_tokens_are_unk_as_is_what_is_written_as_such():
    codec = codec_of("a", "b", level="space")
    assert ids(codec, ["a <unk> qx b", "<unk>"]) == [[4, UNK, UNK, 5], [UNK]]
    assert again(codec, "b qx a <unk>") == "b <unk> a <unk>"
    letters = codec_of("a", "b")
    assert ids(letters, ["axb"]) == [[4, UNK, 5]]
    assert again(letters, "axb") == "a\ufffdb"


def test_a_last_eos_is_left_out_and_any_other_is_an_unknown_word():
    codec = codec_of("a", "b", level="space")
    texts = ["a b <eos>", "", "<eos>", "a <eos> b", "<eos> <eos>", "b <eos> \n", "b"]
    expected = [[4, 5], [], [], [4, UNK, 5], [UNK], [5], [5]]
    assert ids(codec, texts) == expected
    assert [ids(codec, [text])[0] for text in texts] == expected
    assert ids(codec_of("<eos>", "<unk>", level="word"), ["<eos>"])[0] == [UNK] * 3


@pytest.mark.parametrize("level", LEVELS)
def test_a_token_that_is_spelt_like_a_special_one_is_unknown(level):
    rows = ids(codec_of("a", level=level), [f"a {' '.join(SPECIAL)} a"])
    assert set(rows[0][1:-1]) == {UNK} and rows[0][0] == rows[0][-1] == 4


@pytest.mark.parametrize("level", LEVELS)
def test_special_tokens_are_left_out_of_texts(level):
    codec = codec_of("a", "b", level=level)
    rows = [[BOS, 4, 5, EOS, PAD], [PAD, 4, BOS, EOS, 5], [PAD] * 5, [4, UNK, EOS, 5, PAD]]
    between, unknown = ("", "\ufffd") if level == "character" else (" ", "<unk>")
    expected = [["a", "b"], ["a", "b"], [], ["a", unknown, "b"]]
    for dtype in (tf.int32, tf.int64):
        texts = codec.text(tf.constant(rows, dtype)).numpy()
        assert [text.decode() for text in texts] == [between.join(row) for row in expected]


@pytest.mark.parametrize("level", LEVELS)
def test_empty_texts_have_no_token(level):
    codec = codec_of("a", level=level)
    assert ids(codec, ["", "\0", "a", ""]) == [[], [], [4], []]
    assert ids(codec, [""]) == [[]]
    assert codec.ids(tf.constant([], tf.string)).to_list() == []
    assert codec.text(tf.zeros([2, 0], tf.int32)).numpy().tolist() == [b"", b""]
    assert TextCodec.learn([], level=level).vocabulary.tokens == SPECIAL


@pytest.mark.parametrize("level", LEVELS)
def test_a_split_is_encoded_as_its_texts_are_one_by_one(level):
    codec, some = learned(level), ["ab", "", "ba, qx c.", "c <eos>", "\r\n"]
    assert codec.encode([]) == []
    texts = [some[number % 5] * (1 + number % 3) for number in range(CHUNK + 1)]
    rows = codec.encode(texts)
    assert [row.tolist() for row in rows] == ids(codec, texts)
    assert {row.dtype for row in rows} == {np.dtype("int32")}
    assert [row.tolist() for row in rows[:10]] == [ids(codec, [text])[0] for text in texts[:10]]


def test_a_vocabulary_keeps_to_size_and_min_count_over_all_chunks():
    texts = ["rare"] + ["often"] * (CHUNK + 40) + ["late late"] * 100 + ["more"] * 250
    codec = TextCodec.learn(iter(texts), level="space", min_count=200, size=6)
    assert codec.vocabulary.tokens[4:] == ["often", "more"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("lower", [False, True])
def test_its_config_builds_it_again(level, lower):
    codec = codec_of(*"AbCac, B", level=level, lower=lower)
    assert codec.get_config() == {"level": level, "lower": lower}
    other = TextCodec(codec.vocabulary, **codec.get_config())
    for text in ("Ab, C", "aB ,c <eos>", "x\r\n"):
        assert ids(other, [text]) == ids(codec, [text])
        assert again(other, text) == again(codec, text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "words"}, "level must be one of.*did you mean 'word'"),
        ({"lower": 1}, "lower must be True or False, got 1"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    for make in (codec_of, lambda **given: TextCodec.learn(["a"], **given)):
        with pytest.raises(InputError, match=message):
            make(**options)
