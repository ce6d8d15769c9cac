"""The CRF's sums and maxima against all C^T paths, written out."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import random_values
from tests.sweeps import swept
from zoo.crf import chain as linear_chain
from zoo.crf.chain import IMPOSSIBLE, Chain

C = 4


def chain_of(lengths, time=None, seed=0, scale=2.0, count=C):
    """Random scores; noise in the padding, where nothing may look."""
    lengths = np.array(lengths, np.int32)
    shape = (len(lengths), time or int(lengths.max()), count)
    values = [random_values(*shape, seed=seed, scale=scale)]
    values += [
        random_values(*sizes, seed=seed + number, scale=scale)
        for number, sizes in enumerate(((count, count), (count,), (count,)), 1)
    ]
    return Chain(*[tf.constant(value, tf.float32) for value in values], tf.constant(lengths))


def paths_of(chain, row, allowed=None):
    """All paths of a sentence with their scores, best first; in float64."""
    logits, transitions, start, end = [np.asarray(v, np.float64) for v in chain[:4]]
    logits = logits[row, : int(chain.lengths[row])]
    scored = []
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        if allowed is not None and not all(allowed[row, t, y] for t, y in enumerate(path)):
            continue
        score = sum(logits[t, y] for t, y in enumerate(path))
        score += sum(transitions[a, b] for a, b in itertools.pairwise(path))
        score += start[path[0]] + end[path[-1]] if path else 0.0
        scored.append((score, path))
    return sorted(scored, reverse=True)


def log_sum(scores):
    return float(np.logaddexp.reduce(np.array(list(scores))))


LENGTHS = [[1], [6], [1, 2, 3, 4, 5, 6], [3, 0, 5], [2, 6, 6, 1]]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("extra", [0, 3])
def test_the_partition_is_the_sum_over_all_paths(lengths, extra):
    chain = chain_of(lengths, max(lengths) + extra, seed=len(lengths))
    expected = [log_sum(score for score, _ in paths_of(chain, row)) for row in range(len(lengths))]
    np.testing.assert_allclose(linear_chain.log_partition(chain), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_a_paths_log_likelihood_is_its_share_of_all_paths(lengths):
    chain = chain_of(lengths, seed=3)
    rng = np.random.default_rng(1)
    tags = rng.integers(0, C, (len(lengths), max(lengths)))
    expected = []
    for row, length in enumerate(lengths):
        paths = {path: score for score, path in paths_of(chain, row)}
        expected.append(paths[tuple(tags[row, :length])] - log_sum(paths.values()))
    found = linear_chain.log_likelihood(chain, tf.constant(tags, tf.int32))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)


def test_a_sentence_labelled_in_part_sums_over_what_its_tags_may_be():
    chain = chain_of([5, 3, 4], seed=5)
    allowed = np.random.default_rng(2).random((3, 5, C)) < 0.5
    allowed[..., 1] = True  # at least one tag a token
    expected = [
        log_sum(s for s, _ in paths_of(chain, row, allowed))
        - log_sum(s for s, _ in paths_of(chain, row))
        for row in range(3)
    ]
    found = linear_chain.log_likelihood(chain, tf.constant(allowed))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_the_marginals_are_the_paths_shares(lengths):
    chain = chain_of(lengths, max(lengths) + 1, seed=7)
    expected = np.zeros(chain.logits.shape)
    for row in range(len(lengths)):
        paths = paths_of(chain, row)
        total = log_sum(score for score, _ in paths)
        for score, path in paths:
            for token, tag in enumerate(path):
                expected[row, token, tag] += np.exp(score - total)
    np.testing.assert_allclose(linear_chain.marginals(chain), expected, atol=1e-5)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("count", [1, 3, 10])
def test_the_best_paths_are_the_first_of_all(lengths, count):
    chain = chain_of(lengths, max(lengths) + 1, seed=9)
    tags, scores = linear_chain.best_paths(chain, count)
    assert tags.shape == (len(lengths), count, max(lengths) + 1)
    for row, length in enumerate(lengths):
        paths = paths_of(chain, row)[:count]
        known = len(paths)
        np.testing.assert_allclose(scores[row, :known], [s for s, _ in paths], rtol=1e-5, atol=1e-5)
        assert np.all(np.isneginf(scores[row, known:]))
        np.testing.assert_array_equal(tags[row, :known, :length], [path for _, path in paths])
        assert not np.any(tags[row, :, length:])


def test_the_best_of_several_is_the_best_path():
    chain = chain_of([40, 17, 1, 30], seed=11, count=7)
    one, several = linear_chain.best_paths(chain), linear_chain.best_paths(chain, 6)
    np.testing.assert_array_equal(one[0][:, 0], several[0][:, 0])
    np.testing.assert_allclose(one[1][:, 0], several[1][:, 0])
    for number in range(6):
        score = linear_chain.path_scores(chain, several[0][:, number])
        known = np.isfinite(several[1][:, number])
        np.testing.assert_allclose(
            np.where(known, score, 0), np.where(known, several[1][:, number], 0), rtol=1e-5
        )


def slopes(chain, compute):
    sources = list(chain[:4])
    with tf.GradientTape() as tape:
        tape.watch(sources)
        loss = compute(Chain(*sources, chain.lengths))
    return [np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(loss, sources)]


def test_the_gradient_is_that_of_finite_differences():
    chain = chain_of([4, 2, 0, 1], 5, seed=13, scale=1.0)
    tags = tf.constant(np.random.default_rng(3).integers(0, C, (4, 5)), tf.int32)
    shares = np.array([1.0, -2.0, 0.5, 3.0])

    def exact(values):
        total = 0.0
        for row in range(4):
            given = Chain(*values, chain.lengths)
            paths = {path: score for score, path in paths_of(given, row)}
            path = tuple(np.asarray(tags)[row, : int(chain.lengths[row])])
            total += shares[row] * (paths[path] - log_sum(paths.values()))
        return total

    found = slopes(
        chain,
        lambda c: tf.reduce_sum(
            linear_chain.log_likelihood(c, tags) * tf.constant(shares, tf.float32)
        ),
    )
    values = [np.asarray(value, np.float64) for value in chain[:4]]
    for number, value in enumerate(values):
        expected = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            sides = []
            for move in (1e-5, -1e-5):
                moved = [v.copy() for v in values]
                moved[number][place] += move
                sides.append(exact(moved))
            expected[place] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(found[number], expected, atol=2e-5)


def test_padding_changes_neither_values_nor_gradients():
    chain = chain_of([4, 2], seed=17)
    noise = random_values(2, 3, C, seed=18, scale=1e6)
    padded = chain._replace(logits=tf.concat([chain.logits, noise], axis=1))
    found, more = [slopes(c, lambda c: linear_chain.log_partition(c)) for c in (chain, padded)]
    np.testing.assert_allclose(more[0][:, :4], found[0], atol=1e-6)
    assert not np.any(more[0][:, 4:])
    for one, other in zip(found[1:], more[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_a_thousand_tokens_neither_overflow_nor_lose_the_sum(scale):
    chain = chain_of([1000, 700], seed=19, scale=scale)
    logits, transitions, start, end = [np.asarray(v, np.float64) for v in chain[:4]]
    sums, shares = tf.function(  # step by step it takes ten times as long
        lambda: (linear_chain.log_partition(chain), linear_chain.marginals(chain))
    )()
    for row, length in enumerate((1000, 700)):
        state = start + logits[row, 0]
        for token in range(1, length):
            state = np.logaddexp.reduce(state[:, None] + transitions, axis=0) + logits[row, token]
        expected = np.logaddexp.reduce(state + end)
        np.testing.assert_allclose(sums[row], expected, rtol=2e-6)
    assert np.all(np.isfinite(shares))
    if scale == 1.0:
        np.testing.assert_allclose(np.sum(shares[0], axis=-1), 1, atol=1e-3)


def test_what_is_ruled_out_has_probability_0_and_no_gradient():
    chain = chain_of([5, 3], seed=23)
    ruled = np.array(chain.transitions)
    ruled[1, 2] = ruled[0, 3] = IMPOSSIBLE
    chain = chain._replace(transitions=tf.constant(ruled))
    paths = [(s, p) for s, p in paths_of(chain, 0) if s > IMPOSSIBLE / 2]
    expected = log_sum(s for s, _ in paths)
    np.testing.assert_allclose(linear_chain.log_partition(chain)[0], expected, rtol=1e-5)
    gradients = slopes(chain, lambda c: linear_chain.log_partition(c))
    assert gradients[1][1, 2] == gradients[1][0, 3] == 0
    assert all(np.all(np.isfinite(g)) for g in gradients)
    tags = np.asarray(linear_chain.best_paths(chain, 50)[0][0])
    pairs = {pair for path in tags for pair in itertools.pairwise(path)}
    assert not pairs & {(1, 2), (0, 3)}


@pytest.mark.parametrize("compiled", swept([False, True], lambda compiled: compiled))
def test_it_runs_in_a_graph_of_unknown_sizes_and_under_xla(compiled):
    chain = chain_of([4, 0, 3], seed=29)
    tags = tf.constant([[1, 2, 3, 0], [0, 0, 0, 0], [3, 3, 1, 0]])

    def compute(logits, lengths):
        given = chain._replace(logits=logits, lengths=lengths)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            likelihood = linear_chain.log_likelihood(given, tags)
        best = linear_chain.best_paths(given, 2)
        return likelihood, tape.gradient(likelihood, logits), linear_chain.marginals(given), *best

    specs = [tf.TensorSpec((None, None, C)), tf.TensorSpec((None,), tf.int32)]
    graph = tf.function(compute, input_signature=specs, jit_compile=compiled, autograph=False)
    for one, other in zip(
        graph(chain.logits, chain.lengths), compute(chain.logits, chain.lengths), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)
