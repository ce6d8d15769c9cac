"""Lengths and masks: small values written down by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import mask_of, random_values
from zoo import masking

LENGTHS = np.array([4, 1, 3, 0])


@pytest.fixture(params=["tensorflow", "jax"])
def backend(request, monkeypatch):
    """Both ways of reversing; the operations themselves stay TensorFlow's."""
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)
    return request.param


def test_a_mask_is_true_on_every_id_but_0():
    mask = masking.padding_mask(np.array([[7, 1, 0], [0, 0, 0]]))
    assert mask.dtype == "bool"
    np.testing.assert_array_equal(mask, [[True, True, False], [False, False, False]])


def test_a_length_is_the_number_of_real_tokens():
    lengths = masking.lengths(mask_of(LENGTHS, 4))
    assert lengths.dtype == "int32"
    np.testing.assert_array_equal(lengths, LENGTHS)


def test_rows_of_ids_are_reversed_within_their_own_length(backend):
    rows = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 9], [6, 7, 8, 9]])
    expected = [[4, 3, 2, 1], [5, 6, 7, 8], [3, 2, 1, 9], [6, 7, 8, 9]]
    np.testing.assert_array_equal(masking.reverse_within_lengths(rows, LENGTHS), expected)


def test_rows_of_vectors_are_reversed_within_their_own_length(backend):
    values = random_values(4, 4, 3)
    expected = values.copy()
    for row, length in enumerate(LENGTHS):
        expected[row, :length] = values[row, :length][::-1]
    actual = masking.reverse_within_lengths(values, LENGTHS)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(masking.reverse_within_lengths(actual, LENGTHS), values)


def test_reversing_works_in_a_graph_of_unknown_length(backend):
    signature = [tf.TensorSpec((None, None, 3)), tf.TensorSpec((None,), tf.int32)]
    function = tf.function(masking.reverse_within_lengths, input_signature=signature)
    values = random_values(4, 4, 3)
    actual = function(tf.constant(values), tf.constant(LENGTHS, tf.int32))
    np.testing.assert_array_equal(actual[2], values[2][[2, 1, 0, 3]])


def test_the_other_way_of_reversing_is_really_another(monkeypatch):
    calls = []
    reverse = tf.reverse_sequence
    monkeypatch.setattr(tf, "reverse_sequence", lambda *a, **k: calls.append(1) or reverse(*a, **k))
    masking.reverse_within_lengths(np.ones((4, 4)), LENGTHS)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    masking.reverse_within_lengths(np.ones((4, 4)), LENGTHS)
    assert len(calls) == 1


def test_the_last_real_value_is_taken_or_the_given_one():
    values, otherwise = random_values(4, 4, 2), random_values(4, 2, seed=1)
    last = masking.last_real(values, LENGTHS, otherwise)
    expected = [values[0, 3], values[1, 0], values[2, 2], otherwise[3]]
    np.testing.assert_array_equal(last, expected)


def test_a_masked_mean_is_over_real_tokens_and_0_without_any():
    values = tf.constant([[[2.0], [4.0], [90.0]], [[5.0], [70.0], [90.0]], [[7.0], [7.0], [7.0]]])
    mean = masking.masked_mean(values, mask_of([2, 1, 0], 3))
    np.testing.assert_allclose(mean, [[3], [5], [0]])


def test_a_masked_layer_ends_the_implicit_mask():
    class Same(masking.MaskedLayer):
        def call(self, values, mask=None):
            return values

    layer = Same()
    assert layer.supports_masking
    values = keras.layers.Embedding(3, 2, mask_zero=True)(np.array([[1, 0]]))
    assert keras.src.backend.get_keras_mask(values) is not None
    assert getattr(layer(values + 0), "_keras_mask", None) is None
    assert layer.compute_mask(values, values) is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("encoder_decoder", {"source_vocabulary_size": 9, "target_vocabulary_size": 9}),
        ("many_to_many", {"vocabulary_size": 9, "num_tags": 3, "characters": "recurrent"}),
        ("one_to_many", {"num_classes": 3, "vocabulary_size": 9}),
    ],
)
def test_frozen_layers_are_frozen_in_the_model_that_is_loaded(name, options, tmp_path):
    """Also what they make only when they are built."""
    model = zoo.build(name, units=4, embedding_dim=4, **options)
    for layer in model.layers[:-1]:
        layer.trainable = False
    expected = [weight.path for weight in model.trainable_weights]
    assert 0 < len(expected) < 4 < len(model.weights)
    model.save(tmp_path / "frozen.keras")
    loaded = keras.models.load_model(tmp_path / "frozen.keras")
    assert [weight.path for weight in loaded.trainable_weights] == expected
    for before, after in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np.array(before), np.array(after))
