"""Normalisation form C in TensorFlow ops against Python's `unicodedata`."""

import random
import sys
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.system.flags import kept_here
from zoo.text.nfc import Composer, composer, inert_pattern

SCALARS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
MARKS = [char for char in SCALARS if unicodedata.combining(char)]
CANONICAL = [
    char
    for char in SCALARS
    if unicodedata.decomposition(char) and not unicodedata.decomposition(char).startswith("<")
]
PARTS = sorted({part for char in CANONICAL for part in unicodedata.normalize("NFD", char)})
# characters that change alone, and those that meet in pairs across scripts
SINGLETONS = list("\u212b\u2126\u212a\u0340\u0344\u037e\u1f71\u2000\uf900\U0002f800")
EXCLUDED = list("\u0958\u0929\u2adc\ufb1d\ufb4e\U0001d15e")
INDIC = list("\u09c7\u09be\u09d7\u0bc6\u0bbe\u0dd9\u0dcf\u0dca\u0ddc\u1025\u102e\u0cc6\u0cd5\u0cc2")
ALPHABET = st.one_of(
    st.sampled_from("aeiouAEqs \0'"),
    st.sampled_from("\u0301\u0300\u0323\u0327\u0308\u0302\u0345\u0338\u0334\u031b\u3099"),
    st.sampled_from(MARKS),
    st.sampled_from(CANONICAL),
    st.sampled_from(PARTS),
    st.sampled_from(SINGLETONS + EXCLUDED + INDIC),
    # Hangul: leading consonants, vowels, trailing consonants and one beyond each, syllables
    st.integers(0x10FF, 0x1113).map(chr),
    st.integers(0x1160, 0x1176).map(chr),
    st.integers(0x11A6, 0x11C3).map(chr),
    st.integers(0xABFF, 0xD7A4).map(chr),
    st.sampled_from("\uac00\uac01\uac1c\ud788"),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.text(ALPHABET, max_size=12)


@pytest.fixture(scope="module")
def compose():
    return tf.function(Composer(), input_signature=[tf.TensorSpec([None], tf.string)])


def strings(texts):
    return tf.constant([text.encode() for text in texts], tf.string, [len(texts)])


def nfc(texts):
    return [unicodedata.normalize("NFC", text) for text in texts]


def decoded(tensor):
    return [text.decode() for text in tensor.numpy()]


@settings(deadline=None, max_examples=200)
@given(texts=st.lists(TEXTS, max_size=8))
def test_a_batch_of_texts_becomes_what_unicodedata_makes_of_each(compose, texts):
    assert decoded(compose(strings(texts))) == nfc(texts)


def test_thousands_of_runs_of_marks_become_what_unicodedata_makes_of_them(compose):
    draw = random.Random(3)
    pools = ["aeouAEOsdkη\u0915\u09c7", MARKS, PARTS, CANONICAL, "\u1100\u1161\u11a8\uac00\u11a7"]
    texts = [
        "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 9)))
        for _ in range(20_000)
    ]
    assert decoded(compose(strings(texts))) == nfc(texts)


def test_every_code_point_becomes_what_unicodedata_makes_of_it(compose):
    wrong = [
        f"U+{ord(char):04X}"
        for char, result in zip(SCALARS, compose(strings(SCALARS)).numpy(), strict=True)
        if result != unicodedata.normalize("NFC", char).encode()
    ]
    assert not wrong


def test_every_canonical_decomposition_is_composed_again_unless_excluded(compose):
    apart = [unicodedata.normalize("NFD", char) for char in CANONICAL]
    assert decoded(compose(strings(apart))) == nfc(apart)


def test_every_hangul_syllable_is_composed_from_its_letters(compose):
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    apart = [unicodedata.normalize("NFD", syllable) for syllable in syllables]
    assert decoded(compose(strings(apart))) == syllables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301", "é"),
        ("\u212b", "Å"),
        ("A\u030a\u0323", "\u1ea0\u030a"),  # the lower class first
        ("q\u0307\u0323", "q\u0323\u0307"),  # ordered, though nothing composes
        ("a\u0301\u0301", "á\u0301"),  # the second is blocked by its own class
        ("e\u0327\u0301", "\u0229\u0301"),
        ("o\u031b\u0323", "\u1ee3"),  # two rounds onto one starter
        ("\u0915\u093c", "\u0915\u093c"),  # excluded from composition
        ("\u0958", "\u0915\u093c"),
        ("\u0dd9\u0dcf\u0dca", "\u0ddd"),  # a vowel that is itself a starter
        ("\u1100\u1161\u11a8", "각"),
        ("\uac00\u11a7", "\uac00\u11a7"),  # one below the first trailing consonant
        ("각\u11a8", "각\u11a8"),  # a closed syllable takes no other consonant
        ("\u1100\u0301\u1161", "\u1100\u0301\u1161"),  # a mark keeps letters apart
        ("\u0301e\u0301", "\u0301é"),
        ("a\0\u0301", "a\0\u0301"),
    ],
)
def test_known_cases_are_composed(compose, text, expected):
    assert unicodedata.normalize("NFC", text) == expected
    assert decoded(compose(strings([text]))) == [expected]


@pytest.mark.parametrize(
    "texts",
    [
        ["e", "\u0301"],
        ["x", "", "e", "", "\u0301\u0323", "\u0301"],
        ["\u1100", "\u1161", "\u11a8"],
        ["\u09c7", "\u09be", "e\u0301"],
        ["a\u0301", "\u0323\u0301a"],  # ordering must not cross the border either
        ["\u0301", "e"],
    ],
)
def test_a_row_that_begins_with_a_mark_does_not_join_the_row_before(compose, texts):
    assert decoded(compose(strings(texts))) == nfc(texts)


@settings(deadline=None, max_examples=50)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_a_row_alone_is_as_in_its_batch(compose, texts):
    together = decoded(compose(strings(texts)))
    assert together == [decoded(compose(strings([text])))[0] for text in texts]


@pytest.mark.parametrize(
    "texts", [[], [""], ["", "", ""], ["", "e\u0301", ""], ["\0", "\0e\u0301\0"]]
)
def test_empty_batches_empty_texts_and_nul_are_kept(compose, texts):
    assert decoded(compose(strings(texts))) == nfc(texts)


def test_an_eager_call_is_as_the_traced_one(compose):
    texts = ["A\u030a\u0323", "", "\u0dd9\u0dcf\u0dca", "plain"]
    traced = decoded(compose(strings(texts)))
    tf.config.run_functions_eagerly(True)
    try:
        assert decoded(Composer()(strings(texts))) == nfc(texts) == traced
    finally:
        tf.config.run_functions_eagerly(False)


def test_the_shared_one_may_be_made_in_a_graph_and_used_outside():
    made = []

    @tf.function
    def first():
        made.append(composer.__wrapped__())
        return made[0](strings(["e\u0301"]))

    assert decoded(first()) == ["\u00e9"]
    assert decoded(made[0](strings(["A\u030a"]))) == ["\u00c5"]
    assert composer() is composer()


def test_no_character_that_nfc_may_change_or_join_is_called_inert():
    jamo = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    changing = {char for char in SCALARS if unicodedata.normalize("NFC", char) != char}
    composites = [char for char in CANONICAL if char not in changing]
    joining = {chr(int(unicodedata.decomposition(char).split()[1], 16)) for char in composites}
    active = sorted({*MARKS, *jamo} | changing | joining)
    matches = tf.strings.regex_full_match(strings(active), inert_pattern()).numpy()
    assert [f"U+{ord(c):04X}" for c, match in zip(active, matches, strict=True) if match] == []


@settings(deadline=None, max_examples=300)
@given(text=st.text(st.one_of(ALPHABET, st.sampled_from("éñ가ab")), max_size=4))
def test_a_text_that_matches_the_inert_pattern_is_left_alone_by_nfc(text):
    if tf.strings.regex_full_match(text.encode(), inert_pattern()):
        assert unicodedata.normalize("NFC", text) == text


@pytest.mark.parametrize(
    "text", ["", "plain text, 1984!", "Crème brûlée", "Ünïcödé", "각하", "日本", "👍🏽"]
)
def test_common_composed_text_takes_the_short_way(text):
    assert tf.strings.regex_full_match(text.encode(), inert_pattern())


def test_a_graph_that_stays_here_asks_python_and_finds_the_same(compose):
    """It has one operation in place of hundreds, and is never written to a file."""
    drawn = random.Random(0)
    texts = ["".join(drawn.choices(MARKS + CANONICAL + PARTS, k=5)) for _ in range(200)]
    texts += ["", "plain", "e\u0301\x00", "\u1100\u1161\u11a8"]
    with kept_here.on():
        here = tf.function(
            Composer(), input_signature=[tf.TensorSpec([None], tf.string)]
        ).get_concrete_function()
    kinds = {each.type for each in compose.get_concrete_function().graph.get_operations()}
    assert not kinds & {"PyFunc", "PyFuncStateless", "EagerPyFunc"}, "what is exported"
    assert len(here.graph.get_operations()) < 10
    assert decoded(here(strings(texts))) == decoded(compose(strings(texts))) == nfc(texts)
    assert decoded(here(strings([]))) == []
