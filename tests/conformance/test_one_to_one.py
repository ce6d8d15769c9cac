"""The feed-forward network: values against NumPy, and the sweep's checks that apply to it."""

import keras
import numpy as np
import pytest

import zoo
from tests.references.reference import random_values
from tests.references.weights import assign_random

FEATURES = random_values(6, 5, seed=3)
LABELS = np.array([0, 1, 2, 2, 1, 0])


def built(**options):
    sizes = {"num_features": 5, "num_classes": 3, "units": 4}
    return assign_random(zoo.build("one_to_one", **{**sizes, **options}))


@pytest.mark.parametrize("num_layers", [1, 2])
def test_logits_are_those_of_the_equations(num_layers):
    model = built(num_layers=num_layers, activation="tanh", dropout=0.5)
    values = FEATURES
    for number in range(num_layers):
        kernel, bias = model.get_layer(f"hidden_{number}").get_weights()
        values = np.tanh(values @ kernel + bias)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(model(FEATURES), values @ kernel + bias, atol=1e-5)


def test_dropout_acts_in_training_alone():
    model = built(dropout=0.5)
    np.testing.assert_array_equal(model(FEATURES), model(FEATURES))
    assert np.any(np.array(model(FEATURES, training=True)) != np.array(model(FEATURES)))


def test_every_weight_moves_and_one_batch_overfits(tmp_path):
    keras.utils.set_random_seed(0)
    model = built(units=16)
    before = [weight.numpy() for weight in model.trainable_weights]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss)
    model.train_on_batch(FEATURES, LABELS)
    after = [weight.numpy() for weight in model.trainable_weights]
    assert all(np.any(a != b) for a, b in zip(before, after, strict=True))
    losses = [float(model.train_on_batch(FEATURES, LABELS)) for _ in range(150)]
    assert losses[-1] < 0.01
    model.save(tmp_path / "one.keras")
    again = keras.models.load_model(tmp_path / "one.keras")
    np.testing.assert_array_equal(again(FEATURES), model(FEATURES))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"units": 0}, "units must be a positive int, got 0"),
        ({"num_features": 0}, "num_features must be a positive int"),
        ({"activation": "relo"}, "unknown activation 'relo'"),
        ({"dropout": 1.0}, "dropout must be a number"),
        ({"unit": 3}, "one_to_one has no option 'unit'"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(zoo.InputError, match=said):
        built(**options)
