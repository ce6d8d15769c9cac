"""Tokens with their places: against the rules written again as a loop over characters."""

import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.text import word_tokens

UNSPACED = ("CJK UNIFIED", "CJK COMPAT", "HIRAGANA", "KATAKANA", "THAI", "LAO ", "KHMER", "MYANMAR")
split = tf.function(
    word_tokens, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
)


def kind(character):
    """One letter for what a character is; `o` is a mark."""
    category = unicodedata.category(character)
    if category == "Cc" or category.startswith("Z"):
        return " "
    if category[0] == "L" and unicodedata.name(character, "").startswith(UNSPACED):
        return "c"
    if category[0] in "LM":
        return "l"
    if category[0] == "N":
        return "d"
    return "w" if character in "_\u200c\u200d" else "o"


def reference(text):
    """Tokens as (start, end), the rules one by one."""
    kinds = [kind(character) for character in text] + [" "]
    stretch_start, inside = 0, [k in "ldw" for k in kinds]
    for place, character in enumerate(text):
        before = kinds[place - 1] if place else " "
        after = kinds[place + 1]
        if before == " ":
            stretch_start = place
        end = next(p for p in range(place, len(kinds)) if kinds[p] == " ")
        stretch = text[stretch_start:end].lower()
        address = stretch.startswith(("http://", "https://")) and not stretch.endswith("://")
        inside[place] |= kinds[place] != " " and address
        inside[place] |= character in "'\u2019" and before == after == "l"
        inside[place] |= character in ".,:" and before == after == "d"
        inside[place] |= character in "@#" and before == " " and after in "ldw"
    found = []
    for place, character in enumerate(text):
        if kinds[place] == " ":
            continue
        goes_on = bool(found) and found[-1][1] == place
        both = goes_on and inside[place] and inside[place - 1]
        run = goes_on and character in ".!?-=*~" and text[place - 1] == character
        if both or (run and not inside[place] and not inside[place - 1]):
            found[-1][1] = place + 1
        else:
            found.append([place, place + 1])
    return found


def found_in(texts):
    tokens, starts, ends = (values.numpy() for values in split(tf.constant(texts)))
    return [
        [(t.decode(), int(s), int(e)) for t, s, e in zip(*row, strict=True) if t]
        for row in zip(tokens, starts, ends, strict=True)
    ]


CASES = {
    "Ann's cat didn't move.": "Ann's cat didn't move .",
    "3.5 km, 1,000 men at 10:30.": "3.5 km , 1,000 men at 10:30 .",
    "well-known -- so -it- goes": "well - known -- so - it - goes",
    "@user #tag a@b.c # @": "@user #tag a @ b . c # @",
    "wow!!! what?! ... a..b": "wow !!! what ? ! ... a .. b",
    "see http://a.b/c?d=1, or (x)": "see http://a.b/c?d=1, or ( x )",
    "'quoted' O’Neil o'": "' quoted ' O’Neil o '",
    "中文 ok 日本": "中 文 ok 日 本",
    "naïve cafe\u0301 שלום עולם": "naïve cafe\u0301 שלום עולם",
    "a\0b\u00a0c\u3000d": "a b c d",
}


@pytest.mark.parametrize("text", CASES)
def test_the_rules_by_hand(text):
    ((*row,),) = found_in([text])
    assert [token for token, _, _ in row] == CASES[text].split(" ")
    assert [(start, end) for _, start, end in row] == [tuple(pair) for pair in reference(text)]


ALPHABET = st.sampled_from(list("aB'’.,:;!?-=*~@# 12_/\n\t\u200d\u0301中の한é😀א\u00a0\0ʼ"))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(ALPHABET, max_size=25), min_size=1, max_size=4))
def test_tokens_are_the_slices_that_the_rules_give(texts):
    rows = found_in([text.encode() for text in texts])
    for text, row in zip(texts, rows, strict=True):
        assert [(start, end) for _, start, end in row] == [tuple(pair) for pair in reference(text)]
        assert [token for token, _, _ in row] == [text[start:end] for _, start, end in row]
        covered = {place for _, start, end in row for place in range(start, end)}
        assert all((place in covered) == (kind(c) != " ") for place, c in enumerate(text))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=30))
def test_any_text_is_covered_by_its_tokens_but_for_blanks(text):
    (row,) = found_in([text.encode()])
    assert [token for token, _, _ in row] == [text[start:end] for _, start, end in row]
    joined = "".join(token for token, _, _ in row)
    assert joined == "".join(c for c in text if kind(c) != " ")


def test_a_text_without_tokens_has_one_empty_token():
    for texts in (["", " \n"], []):
        tokens, starts, ends = split(tf.constant(texts, tf.string))
        assert tokens.shape == starts.shape == ends.shape == (len(texts), 1)
        assert set(tokens.numpy().ravel()) <= {b""}
        assert not starts.numpy().any()
        assert not ends.numpy().any()


def test_bytes_that_are_no_text_count_as_one_character_each():
    assert found_in([b"\xff\xfe ab"]) == [[("\ufffd", 0, 1), ("\ufffd", 1, 2), ("ab", 3, 5)]]
