"""Edit distances: by hand, against all edit scripts of short strings, and against jiwer."""

import functools
import random
import time

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo import metrics
from zoo.errors import InputError


def drawn_texts(count, seed, words="zero one two three four"):
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(words.split(), k=draw.randint(1, 7))) for _ in range(count)]
    others = []
    for text in texts:
        tokens = [
            draw.choice(words.split()) if draw.random() < 0.2 else one for one in text.split()
        ]
        tokens = [one for one in tokens if draw.random() < 0.9]
        others.append(" ".join(tokens + ["one"] * (draw.random() < 0.2)))
    return texts, others


@pytest.mark.parametrize(
    ("reference", "hypothesis", "pairs"),
    [
        ("", "", []),
        ("", "ab", [(None, "a"), (None, "b")]),
        ("ab", "", [("a", None), ("b", None)]),
        ("abc", "abc", [("a", "a"), ("b", "b"), ("c", "c")]),
        ("abcd", "axcd", [("a", "a"), ("b", "x"), ("c", "c"), ("d", "d")]),
        ("abcd", "acd", [("a", "a"), ("b", None), ("c", "c"), ("d", "d")]),
        ("abc", "abxc", [("a", "a"), ("b", "b"), (None, "x"), ("c", "c")]),
        ("aa", "a", [("a", "a"), ("a", None)]),
        ("ab", "xyz", [(None, "x"), ("a", "y"), ("b", "z")]),
    ],
)
def test_alignments_by_hand(reference, hypothesis, pairs):
    assert metrics.align(reference, hypothesis) == pairs


@functools.cache
def fewest_edits(reference, hypothesis):
    """The edit distance by its recursive definition."""
    if not reference or not hypothesis:
        return len(reference) + len(hypothesis)
    return min(
        fewest_edits(reference[1:], hypothesis[1:]) + (reference[0] != hypothesis[0]),
        fewest_edits(reference[1:], hypothesis) + 1,
        fewest_edits(reference, hypothesis[1:]) + 1,
    )


@settings(max_examples=150, deadline=None)
@given(st.text("ab ", max_size=7), st.text("abc", max_size=7))
def test_an_alignment_has_both_sequences_and_the_fewest_edits(reference, hypothesis):
    pairs = metrics.align(reference, hypothesis)
    assert "".join(one for one, _ in pairs if one is not None) == reference
    assert "".join(other for _, other in pairs if other is not None) == hypothesis
    assert (None, None) not in pairs
    assert sum(one != other for one, other in pairs) == fewest_edits(reference, hypothesis)


def test_edits_and_confusions_are_summed_over_rows():
    references, hypotheses = [[1, 2, 3], [4, 5], [7]], [[1, 9, 3], [5], [7, 7, 8]]
    edits = metrics.count_edits(references, hypotheses)
    assert edits == (4, 1, 2, 1) and edits.errors == 4
    assert edits.rate == pytest.approx(4 / 6)
    counts = metrics.count_aligned(references, hypotheses)
    assert counts[2, 9] == 1 and counts[4, None] == 1 and counts[None, 8] == 1
    assert counts[1, 1] == counts[7, 7] == 1 and counts.total() == 8


def test_error_rates_are_jiwers():
    references, hypotheses = drawn_texts(300, seed=1)
    words = jiwer.process_words(references, hypotheses)
    found = metrics.count_edits([t.split() for t in references], [t.split() for t in hypotheses])
    assert found.errors == words.substitutions + words.insertions + words.deletions
    assert found.insertions - found.deletions == words.insertions - words.deletions
    assert metrics.word_error_rate(references, hypotheses) == pytest.approx(words.wer)
    assert 0.1 < words.wer < 0.6
    expected = jiwer.cer(references, hypotheses)
    assert metrics.character_error_rate(references, hypotheses) == pytest.approx(expected)


def test_a_rate_weighs_rows_by_their_lengths_and_can_exceed_1():
    assert metrics.word_error_rate(["a b c", "d"], ["a b c", "e"]) == pytest.approx(1 / 4)
    assert metrics.word_error_rate(["a"], ["b c d"]) == 3
    assert metrics.character_error_rate(["ab c"], ["abc"]) == pytest.approx(1 / 4)
    assert metrics.word_error_rate([], []) == 0
    assert metrics.word_error_rate([""], ["a"]) == float("inf")


def test_different_numbers_of_rows_are_an_error():
    with pytest.raises(InputError, match="got 1 references for 2 hypotheses"):
        metrics.word_error_rate(["a"], ["a", "b"])


def test_thousands_of_short_rows_take_a_moment():
    references, hypotheses = drawn_texts(2000, seed=2)
    start = time.process_time()
    metrics.word_error_rate(references, hypotheses)
    metrics.character_error_rate(references, hypotheses)
    assert time.process_time() - start < 5
