"""Hashed letter n-grams against counting by hand."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import InputError
from zoo.text import NgramVectorizer

TEXTS = ["Ann", "annan", "Ñandú", "", "a\0b  c", "👍🏽"]


def grams(text, sizes):
    """The n-grams of a normalised text, its ends marked."""
    letters = ["\x02", *text, "\x03"]
    return Counter(
        "".join(letters[i : i + size]) for size in sizes for i in range(len(letters) - size + 1)
    )


def expected(text, sizes, num_features):
    vector = np.zeros(num_features)
    for gram, count in grams(text, sizes).items():
        vector[int(tf.strings.to_hash_bucket_fast(gram, num_features))] += count
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("sizes", [(1,), (2, 3), (1, 2, 3)])
def test_each_row_counts_its_ngrams(sizes):
    vectors = NgramVectorizer(512, sizes)(tf.constant(TEXTS)).numpy()
    for vector, text in zip(vectors, ["ann", "annan", "ñandú", "", "a b c", "👍🏽"], strict=True):
        np.testing.assert_allclose(vector, expected(text, sizes, 512), atol=1e-6)


def test_case_and_order_count_where_they_are_asked_to():
    texts = tf.constant(["Ann", "ann", "nan"])
    dropped, kept, single = (
        NgramVectorizer(512, sizes, lower)(texts).numpy()
        for sizes, lower in (((2,), True), ((2,), False), ((1,), True))
    )
    np.testing.assert_array_equal(dropped[0], dropped[1])
    assert np.any(kept[0] != kept[1]) and np.any(dropped[1] != dropped[2])
    np.testing.assert_array_equal(single[1], single[2])


def test_a_text_too_short_for_any_ngram_gives_zeros_and_no_nan():
    np.testing.assert_array_equal(NgramVectorizer(8, (5,))(tf.constant([""])), np.zeros((1, 8)))


def test_a_split_is_encoded_as_the_numbers_of_its_ngrams():
    vectorizer = NgramVectorizer(64, (1, 2))
    rows = vectorizer.encode(TEXTS)
    vectors = vectorizer(tf.constant(TEXTS)).numpy()
    for row, vector in zip(rows, vectors, strict=True):
        counts = np.bincount(row, minlength=64)
        np.testing.assert_allclose(counts / np.linalg.norm(counts), vector, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_features": 0}, "num_features must be a positive int, got 0"),
        ({"sizes": ()}, "sizes must name at least one"),
        ({"sizes": (2, -1)}, "sizes must be a positive int, got -1"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(InputError, match=said):
        NgramVectorizer(**options)
