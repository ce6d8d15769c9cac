from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from recipes import checkpoint
from recipes.precision import in_float32, in_precision
from zoo.losses import TokenCrossentropy

SIZES = {"units": 6, "embedding_dim": 4}
IDS = np.array([[2, 3, 4, 5], [6, 7, 0, 0]], np.int32)


def tagger() -> keras.Model:
    keras.utils.set_random_seed(0)
    return zoo.build("many_to_many", vocabulary_size=9, num_tags=3, cell="gru", **SIZES)


def test_layers_multiply_in_bfloat16_and_weights_and_logits_are_float32():
    with in_precision("bfloat16"):
        model = tagger()
    assert keras.config.dtype_policy().name == "float32"
    assert model.get_layer("encoder").compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    assert model(IDS).dtype == "float32"
    np.testing.assert_allclose(model(IDS), tagger()(IDS), atol=0.02)


def test_training_in_bfloat16_lowers_the_loss():
    with in_precision("bfloat16"):
        model = tagger()
    model.compile(keras.optimizers.Adam(0.05), TokenCrossentropy())
    tags = np.array([[0, 1, 2, 1], [2, 0, -1, -1]], np.int32)
    losses = [float(model.train_on_batch(IDS, tags)) for _ in range(20)]
    assert losses[-1] < losses[0] / 2


def test_the_best_model_is_stored_in_float32_with_the_same_weights(tmp_path: Path):
    with in_precision("bfloat16"):
        model = tagger()
    checkpoint.save_best(tmp_path, model)
    best = keras.models.load_model(tmp_path / "best.keras", compile=False)
    assert {layer.dtype_policy.name for layer in best.layers} == {"float32"}
    for one, other in zip(best.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    np.testing.assert_allclose(best(IDS), tagger()(IDS), atol=1e-6)


def test_a_model_in_float32_is_given_back_as_it_is():
    model = tagger()
    assert in_float32(model) is model


def test_the_precision_before_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), in_precision("bfloat16"):
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"
