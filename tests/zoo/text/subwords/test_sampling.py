"""Segmentations of words other than the best one, and draws of them."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.zoo.text.subwords.test_codec import MARK, TEXTS, codec_of, learned, segmentations
from zoo.errors import InputError
from zoo.text import SubwordSampler, variants
from zoo.text.subwords import sampling

SCORES = {
    **{MARK: -2.0, MARK + "a": -1.5, "a": -1.25, "b": -1.75, "c": -2.25, "ab": -2.5, "bc": -3.0},
    **{MARK + "ab": -2.75, "abc": -4.5, "ca": -3.5},
}


@functools.cache
def codec():
    return codec_of(SCORES)


def reference(word, count, alpha, scores=SCORES):
    """The best segmentations and their probabilities, from all there are."""
    ways = sorted(segmentations(word, scores), reverse=True)[:count]
    weights = np.exp([alpha * (score - ways[0][0]) for score, _, _ in ways])
    return [ids for _, _, ids in ways], weights / weights.sum()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.text("abcx\u00e9", min_size=1, max_size=7), min_size=1, max_size=6),
    st.integers(1, 20),
    st.sampled_from([0, 0.2, 1.0]),
)
def test_the_best_segmentations_are_found_in_their_order(words, count, alpha):
    words = [" " * (len(word) % 2) + word for word in words]
    for word, found in zip(words, variants(codec(), words, count, alpha), strict=True):
        ids, probabilities = reference(word, count, alpha)
        assert [row.tolist() for row in found.ids] == ids
        assert {row.dtype for row in found.ids} == {np.dtype("int32")}
        np.testing.assert_allclose(found.probabilities, probabilities, rtol=1e-12)


@pytest.mark.parametrize(("count", "alpha"), [(4, 0.5), (16, 0.2), (3, 0)])
def test_segmentations_are_drawn_by_their_probabilities(count, alpha):
    texts = ["abca cab"] * 20_000
    sampler = SubwordSampler(codec(), texts, count=count, alpha=alpha)
    rows = sampler(seed=7)
    first, second = reference(" abca", count, alpha), reference(" cab", count, alpha)
    expected = {
        tuple(a + b): p * q
        for a, p in zip(*first, strict=True)
        for b, q in zip(*second, strict=True)
    }
    found = dict.fromkeys(expected, 0)
    for row in rows:
        found[tuple(row.tolist())] += 1  # a row that is none of them is an error
    wanted = np.array(list(expected.values())) * len(rows)
    common = wanted >= 5
    square = np.sum((np.array(list(found.values())) - wanted)[common] ** 2 / wanted[common])
    freedom = common.sum() - 1
    assert square < freedom + 4 * np.sqrt(2 * freedom)  # both words at once: draws are independent


def test_a_draw_is_the_same_for_the_same_seed_alone():
    sampler = SubwordSampler(learned(), TEXTS * 20)
    rows = [[row.tolist() for row in sampler(seed)] for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]
    assert len({tuple(row) for row in rows[0][:: len(TEXTS)]}) > 10  # anew for each text


def test_drawn_pieces_spell_the_same_text(monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 5)
    texts = [*TEXTS, "", "low\u2581 \U0001f44d\u00e9", " ", "a" * 200, "x"]
    expected = learned().normalized(tf.constant(texts)).numpy().tolist()
    sampler = SubwordSampler(learned(), texts, alpha=0)
    for seed in range(5):
        rows = sampler(seed)
        assert {row.dtype for row in rows} == {np.dtype("int32")}
        assert learned().text(tf.ragged.constant(rows).to_tensor()).numpy().tolist() == expected


def test_the_best_alone_is_what_the_codec_gives():
    texts = [*TEXTS, "", "low \U0001f44d"]
    rows = SubwordSampler(learned(), texts, count=1)(0)
    assert [row.tolist() for row in rows] == learned().ids(tf.constant(texts)).to_list()
    greedy = SubwordSampler(learned(), texts, alpha=1000.0)(0)
    assert [len(row) for row in greedy] == [len(row) for row in rows]


def test_nothing_has_no_segmentation():
    assert variants(codec(), []) == []
    assert SubwordSampler(codec(), [])(0) == []
    assert [row.tolist() for row in SubwordSampler(codec(), ["", " "])(0)] == [[], []]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count must be a positive int, got 0"),
        ({"alpha": -1}, "alpha must be a number of at least 0, got -1"),
        ({"alpha": float("nan")}, "alpha must be a number of at least 0, got nan"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(InputError, match=message):
        variants(codec(), ["a"], **options)
    with pytest.raises(InputError, match=message):
        SubwordSampler(codec(), ["a"], **options)
