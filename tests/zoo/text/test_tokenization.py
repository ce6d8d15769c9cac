"""Clean text -> tokens: words and characters."""

import unicodedata

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.text import Normalizer
from zoo.text.tokenization import TOKENIZERS, characters, words

TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab1_ '.,-!"),
        st.sampled_from("éñ\u0301\u200c\u200d\ufe0f👩🚀👍🏽我ภानम"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=20,
)
NORMALIZER = Normalizer(lower=False)


def tokens(text, tokenize=words):
    return [token.decode() for token in tokenize(tf.constant([text])).to_list()[0]]


def normalize(text):
    return NORMALIZER(tf.constant([text.encode()])).numpy()[0].decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # contractions stay whole, quotation marks do not
        ("it isn't bad", ["it", "isn't", "bad"]),
        ("rock'n'roll o'clock", ["rock'n'roll", "o'clock"]),
        ("'quoted' word", ["'", "quoted", "'", "word"]),
        ("the boys' film", ["the", "boys", "'", "film"]),
        ("'tis", ["'", "tis"]),
        ("a''b", ["a", "''", "b"]),  # a run of apostrophes is one token
        ("'''so'' a' 'b,'c'", ["'''", "so", "''", "a", "'", "'", "b", ",", "'", "c", "'"]),
        ('"so good"', ['"', "so", "good", '"']),
        ("«très» “bon”", ["«", "très", "»", "“", "bon", "”"]),
        # punctuation and numbers
        ("good,bad...no!?", ["good", ",", "bad", ".", ".", ".", "no", "!", "?"]),
        ("3.14 1,000 10/10", ["3", ".", "14", "1", ",", "000", "10", "/", "10"]),
        ("2nd b4 ½ ٣", ["2nd", "b4", "½", "٣"]),
        ("well-made e-mail", ["well", "-", "made", "e", "-", "mail"]),
        ("$5 50%", ["$", "5", "50", "%"]),
        ("snake_case __x__ _", ["snake_case", "__x__", "_"]),
        # marks and joiners are part of words; an emoji is a token for each of its parts
        ("q\u0323uit e\u0301", ["q\u0323uit", "e\u0301"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("සිංහල ශ්\u200dරී", ["සිංහල", "ශ්\u200dරී"]),
        ("fun👍🏽!", ["fun", "👍", "🏽", "!"]),
        ("👩\u200d🚀", ["👩", "\u200d", "🚀"]),
        # scripts without spaces between words, a token a character
        ("我爱film吗", ["我", "爱", "film", "吗"]),
        ("すごい カナ", ["す", "ご", "い", "カ", "ナ"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("ລາວ", ["ລ", "າ", "ວ"]),
        ("ខ្មែរ", list("ខ្មែរ")),
        ("မြန်", list("မြန်")),
        # scripts with spaces
        ("한국 영화", ["한국", "영화"]),
        ("סרט נהדר, כדאי", ["סרט", "נהדר", ",", "כדאי"]),
        ("фильм не плох.", ["фильм", "не", "плох", "."]),
        ("\ufffd\ufffd bad", ["\ufffd", "\ufffd", "bad"]),
        ("", []),
        (" ", []),
    ],
)
def test_a_text_is_split_into_words_and_single_marks(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("né a", ["n", "é", " ", "a"]),
        ("👩\u200d🚀", ["👩", "\u200d", "🚀"]),
        ("q\u0323", ["q", "\u0323"]),
        ("我爱", ["我", "爱"]),
        ("", []),
    ],
)
def test_a_text_is_split_into_its_code_points_spaces_included(text, expected):
    assert tokens(text, characters) == expected


@pytest.mark.parametrize("tokenize", TOKENIZERS.values(), ids=TOKENIZERS)
def test_each_row_of_a_batch_has_its_own_tokens(tokenize):
    texts = ["it isn't", "", "我 b", "c"]
    together = tokenize(tf.constant(texts)).to_list()
    assert together == [tokenize(tf.constant([text])).to_list()[0] for text in texts]
    assert tokenize(tf.constant([], tf.string)).to_list() == []


@settings(deadline=None, max_examples=100)
@given(text=TEXTS)
@example("a'' 'b'c''d'")
@example("\u200d'\u200d' _'")
def test_words_lose_nothing_but_the_spaces(text):
    text = normalize(text)
    found = tokens(text)
    assert "".join(found) == text.replace(" ", "")
    assert all(found), "no token is empty"


@settings(deadline=None, max_examples=100)
@given(text=TEXTS)
def test_a_word_never_crosses_a_space_and_other_tokens_are_single_marks_or_apostrophes(text):
    text = normalize(text)
    by_part = [token for part in text.split(" ") if part for token in tokens(part)]
    found = tokens(text)
    assert found == by_part
    for token in found:
        is_word = any(unicodedata.category(c)[0] in "LMN" or c in "_\u200c\u200d" for c in token)
        assert is_word or len(token) == 1 or set(token) == {"'"}


@settings(deadline=None, max_examples=100)
@given(text=TEXTS)
def test_characters_lose_nothing(text):
    text = normalize(text)
    found = tokens(text, characters)
    assert "".join(found) == text
    assert found == list(text)
