"""What a tagger knows of words: against the same rules in plain Python."""

import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.text import TokenVectorizer

SENTENCES = [["Ann", "sees", "Ann", "3.5"], ["NATO", "x1", "!", "ann"], ["Café", "iPhone", "I"]]
VECTORIZER = TokenVectorizer.learn(SENTENCES, letters_min_count=1, max_letters=4)


def casing(token):
    letters = [c for c in token if unicodedata.category(c)[0] == "L"]
    kinds = [unicodedata.category(c) for c in letters]
    if any(unicodedata.category(c)[0] == "N" for c in token):
        return 2 if letters else 1
    if not letters:
        return 3
    if all(k == "Ll" for k in kinds):
        return 4
    if kinds[0] in ("Lu", "Lt") and all(k == "Ll" for k in kinds[1:]):
        return 6
    return 5 if all(k in ("Lu", "Lt") for k in kinds) else 7


def expected(token, vectorizer=VECTORIZER):
    token = unicodedata.normalize("NFC", token)
    places = {word: number for number, word in enumerate(vectorizer.vocabulary.tokens)}
    letters = {letter: number for number, letter in enumerate(vectorizer.letters.tokens)}
    kept = token if len(token) <= 4 else token[:2] + token[-2:]
    return places.get(token.lower(), 1), [letters.get(c, 1) for c in kept], casing(token)


def check(tokens):
    ids = {n: v.numpy() for n, v in VECTORIZER(tf.constant([tokens])).items()}
    for place, token in enumerate(tokens):
        word, letters, written = expected(token)
        assert ids["token_ids"][0, place] == word, token
        assert [n for n in ids["character_ids"][0, place] if n] == letters, token
        assert ids["casing_ids"][0, place] == written, token


def test_words_by_hand():
    check(
        ["Ann", "ANN", "ann", "sees", "3.5", "1,000", "x1", "!", "NATO", "I", "iPhone", "McX", "中"]
        + ["Cafe\u0301", "unheard", "ǅ", "O'Neil", "abcdefgh", "-", "É"]
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from(list("aBéÉ1!-ß中")), min_size=1, max_size=7), min_size=1))
def test_random_words(tokens):
    check(tokens)


def test_ids_are_those_of_the_training_tokens_and_of_what_is_given_besides():
    extra = ["zebra", "ann", "zebra", "", "Zoo", "a\rb"]  # the last ones are never looked up
    vectorizer = TokenVectorizer.learn([*SENTENCES, ["\0"]], min_count=2, extra=extra)
    assert vectorizer.vocabulary.tokens[4:] == ["ann", "zebra"]
    assert "z" not in vectorizer.letters.tokens
    assert set(vectorizer.letters.tokens[4:]) == {"n", "e", "A", "s", "a"}  # what stands twice


def test_padding_is_0_and_a_row_without_tokens_one_unknown_word():
    ids = VECTORIZER(tf.constant([["Ann", ""], ["", ""]]))
    assert ids["token_ids"].numpy().tolist() == [[expected("Ann")[0], 0], [1, 0]]
    assert ids["casing_ids"].numpy().tolist() == [[6, 0], [3, 0]]
    assert not ids["character_ids"].numpy()[:, 1].any()
    assert not ids["character_ids"].numpy()[1].any()
    assert VECTORIZER(tf.constant([[""]]))["character_ids"].shape == (1, 1, 1)


def test_a_token_that_is_spelt_like_a_special_one_is_unknown():
    vectorizer = TokenVectorizer.learn(SENTENCES, lower=False)
    assert vectorizer(tf.constant([["[PAD]", "[EOS]"]]))["token_ids"].numpy().tolist() == [[1, 1]]


def test_a_split_is_encoded_as_its_sentences_are_one_by_one():
    sentences = [*SENTENCES, [], *[["Ann", "sees", "x" * n] for n in range(1, 600)]]
    rows = VECTORIZER.encode(sentences)
    for sentence, row in list(zip(sentences, rows, strict=True))[:20] + [(sentences[-1], rows[-1])]:
        alone = VECTORIZER(tf.constant([sentence or [""]]))
        for name, values in row.items():
            np.testing.assert_array_equal(values, alone[name][0])


def test_the_options_come_back_from_its_config():
    again = TokenVectorizer(VECTORIZER.vocabulary, VECTORIZER.letters, **VECTORIZER.get_config())
    tokens = tf.constant([["Ann", "NATO", "abcdefgh"]])
    for name, values in again(tokens).items():
        np.testing.assert_array_equal(values, VECTORIZER(tokens)[name])


@pytest.mark.parametrize("options", [{"max_letters": 0}, {"lower": "yes"}])
def test_wrong_options_are_named(options):
    with pytest.raises(InputError, match=next(iter(options))):
        TokenVectorizer.learn(SENTENCES, **options)


def test_words_are_counted_by_their_ids():
    sentences = [["Ann", "sees", "ann"], ["Bob", "sees"]]
    vectorizer = TokenVectorizer.learn(sentences, extra=["unseen"])
    words = vectorizer.vocabulary.tokens
    counts = vectorizer.counts(sentences)
    assert dict(zip(words[4:], counts[4:], strict=False)) == {"ann": 2, "sees": 2, "bob": 1}
    assert len(counts) == words.index("unseen"), "extra words have no count"
