"""Guidance: what is drawn, against the distribution that its equation gives."""

import numpy as np
import tensorflow as tf
from scipy import stats

from zoo.decoding import generate, guided

OWN = np.random.default_rng(0).normal(size=(4, 4)).astype("float32")
FREE = np.random.default_rng(1).normal(size=(4, 4)).astype("float32")
END = 3


def step(tokens, table):
    """A Markov chain, whose table (1 = with the condition, 0 = without) is its state."""
    own = tf.gather(tf.constant(OWN), tokens)
    return tf.where(table[:, None] == 1, own, tf.gather(tf.constant(FREE), tokens)), table


def softmax(values):
    shares = np.exp(values.astype("float64"))
    return shares / shares.sum(axis=-1, keepdims=True)


def test_the_logits_are_those_of_the_equation_and_both_states_go_on():
    tokens, states = tf.constant([0, 2]), (tf.ones([2], tf.int32), tf.zeros([2], tf.int32))
    for strength in (0.0, 0.5, 2.0):
        logits, (own, free) = guided(step, strength)(tokens, states)
        expected = softmax(OWN[[0, 2]]) ** (1 + strength) / softmax(FREE[[0, 2]]) ** strength
        expected /= expected.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(softmax(logits.numpy()), expected, atol=1e-6)
        assert own.numpy().tolist() == [1, 1] and free.numpy().tolist() == [0, 0]


def test_what_the_condition_does_not_make_likely_never_comes():
    tokens, states = tf.constant([0, 2]), (tf.ones([2], tf.int32), tf.zeros([2], tf.int32))
    logits, _ = guided(step, 3.0, min_p=0.3)(tokens, states)
    own = softmax(OWN[[0, 2]])
    likely = own >= 0.3 * own.max(axis=1, keepdims=True)
    assert 0 < likely.sum() < likely.size
    assert ((softmax(logits.numpy()) > 0) == likely).all()
    free, _ = guided(step, 3.0)(tokens, states)
    np.testing.assert_allclose(logits.numpy()[likely], free.numpy()[likely])


def test_what_is_drawn_has_the_probabilities_of_the_equation():
    rows, strength = 20_000, tf.constant(1.5)
    both = guided(step, strength)
    states = (tf.ones([rows], tf.int32), tf.zeros([rows], tf.int32))
    logits, states = both(tf.zeros([rows], tf.int32), states)
    drawn = generate(both, logits, states, end=END, max_tokens=2, seed=3).token_ids.numpy()
    changed = OWN + 1.5 * (OWN - FREE)
    changed[:, 0] = -np.inf  # PAD is not drawn
    table = softmax(changed)
    shares = {(END, 0): table[0, END]}
    shares |= {(a, b): table[0, a] * table[a, b] for a in (1, 2) for b in (1, 2, 3)}
    counts = [np.sum((drawn == pair).all(axis=1)) for pair in shares]
    assert sum(counts) == rows
    expected = rows * np.array(list(shares.values()))
    assert stats.chisquare(counts, expected).pvalue > 1e-3
