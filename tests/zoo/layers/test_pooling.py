"""Pooling: the real tokens alone, compared with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tests.references import reference
from tests.references.reference import mask_of, random_values
from tests.references.weights import arrays, assign_random
from zoo.layers import AttentionPooling, MaxPooling, MeanPooling

T, D = 5, 3
LENGTHS = [5, 1, 3, 0]
MASK = mask_of(LENGTHS, T)
LAYERS = {"mean": MeanPooling, "max": MaxPooling, "attention": AttentionPooling}


@pytest.fixture
def states():
    """Random also in the padding, and larger there than any real value."""
    values = random_values(len(LENGTHS), T, D, seed=3)
    return np.where(MASK[:, :, None], values, 9 + values)


def built(kind, **options):
    layer = LAYERS[kind](**options)
    layer.build((None, None, D))
    return assign_random(layer)


@pytest.mark.parametrize("kind", LAYERS)
def test_pooling_takes_the_real_tokens_alone(kind, states):
    layer = built(kind)
    expected = reference.pool(kind, states, LENGTHS, weights=arrays(layer))
    pooled = np.array(layer(states, mask=MASK))
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    np.testing.assert_array_equal(pooled[3], np.zeros(D))


@pytest.mark.parametrize("kind", LAYERS)
def test_the_maximum_of_negative_states_is_negative_and_means_stay(kind):
    states = -np.abs(random_values(len(LENGTHS), T, D, seed=4)) - 1
    layer = built(kind)
    pooled = np.array(layer(states * MASK[:, :, None], mask=MASK))
    assert pooled[:3].max() <= -1


@pytest.mark.parametrize("kind", LAYERS)
def test_the_gradient_is_finite_and_zero_in_the_padding(kind, states):
    layer = built(kind)
    values = tf.constant(states)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(layer(values, mask=MASK) * random_values(len(LENGTHS), D, seed=5))
    gradients = tape.gradient(loss, [values, *(w.value for w in layer.trainable_weights)])
    for gradient in gradients:
        assert np.all(np.isfinite(gradient))
    assert np.all(np.array(gradients[0])[~MASK] == 0)
    assert np.all(np.any(np.array(gradients[0])[:3], axis=(1, 2)))


@pytest.mark.parametrize("kind", LAYERS)
def test_more_padding_changes_nothing(kind, states):
    layer = built(kind)
    longer = np.concatenate([states, 50 + random_values(len(LENGTHS), 4, D)], axis=1)
    padded = layer(longer, mask=mask_of(LENGTHS, T + 4))
    np.testing.assert_allclose(padded, layer(states, mask=MASK), atol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_pooling_in_half_precision_is_finite_and_close(kind, states):
    layer = built(kind, dtype="float16")
    pooled = np.array(layer(states, mask=MASK))
    assert pooled.dtype == np.float16
    expected = reference.pool(kind, states, LENGTHS, weights=arrays(layer))
    np.testing.assert_allclose(pooled, expected, atol=1e-2)


def test_attention_has_a_size_of_its_own_that_its_config_keeps(states):
    layer = built("attention", units=7)
    assert [array.shape for array in arrays(layer)] == [(D, 7), (7,), (7, 1)]
    expected = reference.pool("attention", states, LENGTHS, weights=arrays(layer))
    np.testing.assert_allclose(layer(states, mask=MASK), expected, atol=1e-5)
    assert AttentionPooling.from_config(layer.get_config()).units == 7
