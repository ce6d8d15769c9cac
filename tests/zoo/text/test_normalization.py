"""Bytes as they come -> clean text: breaks, blanks, case, bad bytes, apostrophes."""

import json
import os
import subprocess
import sys
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.text import Normalizer

ODD = st.one_of(
    st.sampled_from("abIiS \t\n\0\x0b\x1f\x85\xa0\u2028\u3000\u200d\ufeff"),
    st.sampled_from("\u2018\u2019\u02bc'\u0301\u0307\u0323\u0338"),
    st.sampled_from("İßẞΣσςÅ\u212b\u212aĲǅﬁΆᾈЁЙ"),
    st.sampled_from(["<br>", "<BR />", "</p>", "<p>", "<", ">", "br", "/", "p"]),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.lists(ODD, max_size=12).map("".join)
BREAKS = [
    *("<br>", "<br/>", "<br />", "<br  />", "<br\t/>", "<br\n>", "<br >"),
    *("<BR>", "<Br/>", "<bR />", "<p>", "</p>", "<P>", "</P>"),
]
BLANKS = [
    *(" ", "\t", "\n", "\r", "\r\n", "\x0b", "\x0c", "\0", "\x01", "\x1c", "\x1f", "\x7f"),
    *("\x80", "\x85", "\x9f", "\xa0", "\u1680", "\u2000", "\u2009", "\u2028", "\u2029", "\u202f"),
    *("\u205f", "\u3000", " \0\t\u3000 "),
]
NORMALIZERS = {lower: Normalizer(lower) for lower in (True, False)}
TRACED = {
    lower: tf.function(normalizer, input_signature=[tf.TensorSpec([None], tf.string)])
    for lower, normalizer in NORMALIZERS.items()
}


def normalize(text, lower=False):
    raw = text if isinstance(text, bytes) else text.encode()
    return TRACED[lower](tf.constant([raw])).numpy()[0].decode()


@pytest.mark.parametrize("mark", BREAKS)
def test_an_html_break_becomes_a_space_in_every_spelling(mark):
    assert normalize(f"Good{mark}film") == "Good film"
    assert normalize(f"{mark}Good {mark}{mark} film{mark}") == "Good film"


@pytest.mark.parametrize(
    "text", ["a < b", "a <b> c", "<pre>", "<brr>", "br", "a<br", "p>", "</br>", "<//p>", "<p/>"]
)
def test_what_is_no_html_break_stays(text):
    assert normalize(text) == text


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_white_space_and_control_characters_become_one_space_and_none_at_the_ends(blank):
    for lower in (True, False):
        assert normalize(f"{blank}good{blank}{blank}film{blank}", lower) == "good film"
        assert normalize(blank, lower) == ""


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d", "\u00ad", "\ufeff"], ids=ascii)
def test_format_characters_stay(joiner):
    assert normalize(f"a{joiner}b") == f"a{joiner}b"


@pytest.mark.parametrize("lower", [True, False])
def test_the_text_behind_a_nul_survives(lower):
    assert normalize("a\0b\0\0c", lower) == "a b c"
    assert normalize("\0e\u0301nd", lower) == "énd"


@pytest.mark.parametrize(
    ("text", "lowered"),
    [
        ("GREAT Film", "great film"),
        ("ΚΑΛΗ Ταινία", "καλη ταινία"),
        ("ΔΡΌΜΟΣ", "δρόμος"),  # the last sigma of a word has a letter of its own
        ("ХОРОШИЙ Фильм Ё", "хороший фильм ё"),
        ("ÜBERGRÖSSE Straße", "übergrösse straße"),
        ("ГРОẞ ẞ", "гроß ß"),
        ("ÉCOLE E\u0301COLE", "école école"),
        ("\u212b \u212a", "å k"),
        ("ԲԱՐԵՎ ᲒᲐ", "բարեվ გა"),
        ("𐐀 Ａ", "𐐨 ａ"),
    ],
)
def test_letters_of_all_scripts_turn_lower_only_if_asked(text, lowered):
    assert normalize(text, lower=True) == lowered
    assert normalize(text, lower=False) == unicodedata.normalize("NFC", text)


def test_lower_case_does_not_depend_on_the_locale_of_the_process():
    """A server may run under a Turkish or Lithuanian locale, whose lower case has other rules."""
    program = (
        "import json, sys, tensorflow as tf; from zoo.text import Normalizer; "
        "texts = tf.constant(json.load(sys.stdin)); "
        "print(json.dumps([t.decode() for t in Normalizer(True)(texts).numpy()]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(["TITLE I İ Ì"]),
        env={**os.environ, "LC_ALL": "tr_TR.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(result.stdout.splitlines()[-1]) == ["title i i̇ ì"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xff\xfe bad bytes", "\ufffd\ufffd bad bytes"),
        (b"caf\xe9 good", "caf\ufffd good"),
        (b"cut \xe2\x82", "cut \ufffd"),
        (b"\xed\xa0\x80 surrogate", "\ufffd\ufffd\ufffd surrogate"),
        (b"\xc0\xaf overlong", "\ufffd\ufffd overlong"),
        (b"\x80", "\ufffd"),
    ],
)
def test_bytes_that_are_not_utf_8_become_replacement_characters(raw, expected):
    assert normalize(raw) == expected


@pytest.mark.parametrize("apostrophe", list("'\u2018\u2019\u02bc"))
def test_curly_apostrophes_become_straight_ones(apostrophe):
    assert normalize(f"didn{apostrophe}t") == "didn't"


def test_other_quotation_marks_stay():
    assert normalize("“good” `film` ´tis") == "“good” `film` ´tis"


@pytest.mark.parametrize("text", ["Cafe\u0301", "n\u0303o a\u0323\u0302", "\u1112\u1161\u11ab"])
def test_decomposed_letters_are_composed(text):
    assert normalize(text) == unicodedata.normalize("NFC", text) != text


def test_a_batch_keeps_its_rows_and_an_empty_batch_is_empty():
    texts = tf.constant(["A<br>B", "", "\0", "e\u0301"])
    assert NORMALIZERS[True](texts).numpy().tolist() == [b"a b", b"", b"", "é".encode()]
    assert NORMALIZERS[True](tf.constant([], tf.string)).shape == (0,)


@settings(deadline=None, max_examples=300)
@given(text=TEXTS, lower=st.booleans())
def test_normalising_twice_is_normalising_once(text, lower):
    once = normalize(text, lower)
    assert normalize(once, lower) == once


@pytest.mark.parametrize("mark", ["<br\0>", "<br\xa0/>", "<br\x0b>"], ids=ascii)
def test_a_break_with_any_blank_in_it_becomes_a_space(mark):
    assert normalize(f"good{mark}film") == "good film"


@settings(deadline=None, max_examples=200)
@given(text=TEXTS, lower=st.booleans())
def test_a_normalised_text_is_composed_and_has_single_blanks_inside_alone(text, lower):
    result = normalize(text, lower)
    assert unicodedata.normalize("NFC", result) == result
    assert result.strip(" ") == result and "  " not in result
    categories = {unicodedata.category(char) for char in result if char != " "}
    assert not categories & {"Cc", "Zs", "Zl", "Zp"}
    assert not set(result) & set("\u2018\u2019\u02bc")


@settings(deadline=None, max_examples=100)
@given(raw=st.binary(max_size=30))
def test_any_bytes_become_valid_utf_8(raw):
    expected = raw.decode(errors="replace")
    assert normalize(raw) == normalize(expected)
