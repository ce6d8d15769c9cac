"""The loss over tokens against its definition, in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import random_values
from zoo.errors import InputError
from zoo.losses import TokenCrossentropy, quantile_loss

LOGITS = random_values(3, 4, 5, seed=1, scale=2.0)
LABELS = np.array([[0, 4, 2, 1], [3, -1, -1, -1], [2, 2, -1, -1]])


def expected(weights=None):
    weights = np.ones((3, 4)) if weights is None else np.broadcast_to(weights, (3, 4))
    total = count = 0.0
    for row, token in np.argwhere(LABELS >= 0):
        scores = LOGITS[row, token].astype("float64")
        total += weights[row, token] * (np.log(np.exp(scores).sum()) - scores[LABELS[row, token]])
        count += 1
    return total, total / count


def test_it_is_the_mean_over_real_tokens():
    np.testing.assert_allclose(TokenCrossentropy()(LABELS, LOGITS), expected()[1], rtol=1e-6)
    found = TokenCrossentropy(reduction="sum")(LABELS, LOGITS)
    np.testing.assert_allclose(found, expected()[0], rtol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (3, 4)])
def test_weights_weigh_sentences_or_tokens(shape):
    weights = np.abs(random_values(*shape, seed=2))
    found = TokenCrossentropy()(LABELS, LOGITS, sample_weight=weights)
    wanted = expected(weights if len(shape) == 2 else weights[:, None])[1]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.1, 0.6])
def test_label_smoothing_gives_all_labels_a_share(smoothing):
    total = 0.0
    for row, token in np.argwhere(LABELS >= 0):
        scores = LOGITS[row, token].astype("float64")
        likelihood = scores - np.log(np.exp(scores).sum())
        shares = np.full(5, smoothing / 5)
        shares[LABELS[row, token]] += 1 - smoothing
        total -= likelihood @ shares
    found = TokenCrossentropy(smoothing)(LABELS, LOGITS)
    np.testing.assert_allclose(found, total / np.sum(LABELS >= 0), rtol=1e-6)
    again = TokenCrossentropy.from_config(TokenCrossentropy(smoothing).get_config())
    np.testing.assert_allclose(again(LABELS, LOGITS), found)
    with pytest.raises(InputError, match="label_smoothing must be a number from 0"):
        TokenCrossentropy(1.0)


def test_padding_changes_neither_loss_nor_gradient():
    noise = np.pad(LOGITS, ((0, 0), (0, 2), (0, 0)), constant_values=1e30)
    slopes = []
    for labels, logits in (
        (LABELS, LOGITS),
        (np.pad(LABELS, ((0, 0), (0, 2)), constant_values=-1), noise),
    ):
        logits = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = TokenCrossentropy()(labels, logits)
        slopes.append((loss, np.array(tape.gradient(loss, logits))))
    np.testing.assert_allclose(slopes[1][0], slopes[0][0], rtol=1e-6)
    np.testing.assert_allclose(slopes[1][1][:, :4], slopes[0][1], atol=1e-7)
    assert not np.any(slopes[1][1][:, 4:])
    assert not np.any(slopes[0][1][LABELS < 0])


def test_a_batch_of_padding_alone_costs_nothing():
    assert float(TokenCrossentropy()(np.full((2, 3), -1), LOGITS[:2, :3])) == 0


def test_a_compiled_model_with_it_is_saved_and_loaded(tmp_path):
    model = keras.Sequential([keras.Input((None, 5)), keras.layers.Dense(5)])
    model.compile("sgd", TokenCrossentropy())
    model.fit(LOGITS, LABELS, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    found = [one.evaluate(LOGITS, LABELS, verbose=0) for one in (model, again)]
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    np.testing.assert_allclose(found[0], TokenCrossentropy()(LABELS, model(LOGITS)), rtol=1e-5)


def test_the_quantile_loss_weighs_errors_by_their_side():
    quantiles = np.array([[[1.0, 2.0, 5.0]], [[1.0, 2.0, 5.0]]], "float32")
    values, levels = np.array([[4.0], [0.0]], "float32"), [0.1, 0.5, 0.9]
    low = (0.1 * 3 + 0.5 * 2 + 0.1 * 1) / 3
    high = (0.9 * 1 + 0.5 * 2 + 0.1 * 5) / 3
    np.testing.assert_allclose(quantile_loss(quantiles, values, levels), [[low], [high]], rtol=1e-6)


def test_the_quantile_loss_is_smallest_at_the_quantile():
    values = np.sort(random_values(1, 400, seed=6)[0])
    candidates = np.linspace(-2, 2, 401, dtype="float32")
    forecasts = np.broadcast_to(candidates[:, None, None], (401, 400, 1))
    losses = np.mean(quantile_loss(forecasts, values[None], [0.8]), axis=1)
    assert candidates[losses.argmin()] == pytest.approx(np.quantile(values, 0.8), abs=0.02)


def test_the_quantile_loss_needs_a_level_for_each_quantile():
    with pytest.raises(InputError, match="for 2 levels"):
        quantile_loss(np.zeros((4, 3)), np.zeros(4), [0.1, 0.9])
