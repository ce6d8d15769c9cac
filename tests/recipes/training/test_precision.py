from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from recipes.config import TrainingConfig
from recipes.families.language.steps import Trainer
from recipes.families.language.windows import Streams, encoded
from recipes.training import loop
from recipes.training.checkpoint import Progression
from recipes.training.precision import in_float32, in_precision
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


def test_a_model_in_float32_has_the_same_weights_and_is_stored_as_such(tmp_path: Path):
    with in_precision("bfloat16"):
        model = tagger()
    plain = in_float32(model)
    plain.save(tmp_path / "plain.keras")
    stored = keras.models.load_model(tmp_path / "plain.keras")
    for each in (plain, stored):
        assert {layer.dtype_policy.name for layer in each.layers} == {"float32"}
        for one, other in zip(each.weights, model.weights, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
        np.testing.assert_allclose(each(IDS), tagger()(IDS), atol=1e-6)


def test_a_language_model_carries_its_states_in_float32():
    with in_precision("bfloat16"):
        model = zoo.build(
            "language_model", vocabulary_size=9, cell="simple_rnn", explicit_states=True, **SIZES
        )
    windows = Streams(encoded([IDS[0], IDS[1][:2]] * 4), 2, 3)
    model.compile(keras.optimizers.Adam(0.05))
    train = Trainer(model, windows).epoch
    losses = [train(TrainingConfig(), epoch)["loss"] for epoch in range(9)]
    assert losses[-1] < losses[0] - 0.3


def test_the_best_model_of_a_run_in_bfloat16_computes_in_float32(tmp_path: Path):
    with in_precision("bfloat16"):
        model = tagger()
    model.compile(keras.optimizers.Adam(0.05), TokenCrossentropy())
    model.optimizer.build(model.trainable_variables)
    validated = []

    def validate(served: keras.Model) -> dict[str, float]:
        validated.append(served.get_layer("encoder").compute_dtype)
        weights = zip(served.weights, model.weights, strict=True)
        return {
            "loss": float(max(np.abs(one.numpy() - other.numpy()).max() for one, other in weights))
        }

    def run_epoch(_config: TrainingConfig, epoch: int) -> dict[str, float]:
        model.trainable_variables[0].assign_add(model.trainable_variables[0] + epoch)
        return {"loss": 1.0}

    config = TrainingConfig(epochs=2, average=0.0)
    done = loop.train(model, run_epoch, validate, config, tmp_path, Progression())
    assert validated == ["float32"] * 2
    assert [row["validation_loss"] for row in done.history] == [0.0, 0.0]
    best = keras.models.load_model(tmp_path / "checkpoints" / "best.keras", compile=False)
    assert best.get_layer("encoder").compute_dtype == "float32"


def test_a_model_in_float32_is_given_back_as_it_is():
    model = tagger()
    assert in_float32(model) is model


def test_the_precision_before_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), in_precision("bfloat16"):
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"
