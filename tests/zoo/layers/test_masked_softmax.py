"""The one softmax behind both attentions: exact for scores of any size, in every precision."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import masking
from zoo.layers import Attention, AttentionPooling

MASK = np.array([[True, True, False], [True, False, False], [False, False, False]])
SCORES = np.array([[0.0, 1.0, 9.0], [2.0, 0.0, 0.0], [5.0, 5.0, 5.0]])
E = np.exp(1.0)
EXPECTED = [[1 / (1 + E), E / (1 + E), 0], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("shift", [0.0, -3.5e4, -6e4, 6e4, -1e9, -1e30, 1e30])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_weights_are_those_of_the_real_scores(dtype, shift):
    limit = float(tf.as_dtype(dtype).max)
    scores = tf.constant(SCORES, dtype) if shift == 0 else tf.fill((3, 3), tf.cast(shift, dtype))
    expected = np.array(EXPECTED) if shift == 0 else [[0.5, 0.5, 0], [1, 0, 0], [0, 0, 0]]
    weights = masking.masked_softmax(scores, MASK)
    assert weights.dtype == dtype
    atol = {"float16": 1e-3, "bfloat16": 4e-3}.get(dtype, 1e-6)
    np.testing.assert_allclose(np.array(weights, "float64"), expected, atol=atol)
    assert abs(shift) < limit or np.all(np.isinf(np.array(scores, "float32")))
    assert not np.any(np.array(weights, "float32")[~MASK]), "padding has exactly nothing"


def test_its_gradient_is_finite_and_zero_in_the_padding():
    scores = tf.constant(SCORES - 4e4, "float32")
    with tf.GradientTape() as tape:
        tape.watch(scores)
        total = tf.reduce_sum(masking.masked_softmax(scores, MASK) * SCORES.astype("float32"))
    gradient = np.array(tape.gradient(total, scores))
    alpha = 1 / (1 + E)
    np.testing.assert_allclose(gradient[0, 1], alpha * (1 - alpha), atol=1e-2)
    assert not np.any(gradient[~MASK])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_attention_finds_the_real_token_whose_score_is_far_below_zero(dtype):
    values = np.array([[[-300.0], [1.0]]])
    queries, mask = np.array([[[200.0]]]), np.array([[True, False]])
    _, weights = Attention("dot", dtype=dtype)(queries, values, mask)
    np.testing.assert_array_equal(np.array(weights, "float32"), [[[1, 0]]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_so_does_attention_pooling(dtype):
    layer = AttentionPooling(dtype=dtype)
    layer.build((None, None, 1))
    layer.set_weights([np.ones((1, 1)), np.zeros(1), np.full((1, 1), -6e4)])
    pooled = layer(np.array([[[7.0], [9.0]]]), mask=np.array([[True, False]]))
    np.testing.assert_array_equal(np.array(pooled, "float32"), [[7]])
