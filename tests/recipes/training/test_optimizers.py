"""The learning rate over all steps; that the average is kept is tested with training."""

import keras
import numpy as np
import pytest

from recipes.config import TrainingConfig
from recipes.training import optimizers
from zoo.errors import InputError


def test_the_rate_rises_over_the_warmup_and_falls_to_nothing():
    config = TrainingConfig(epochs=10, learning_rate=0.5, decay="cosine")
    rate = optimizers.optimizer(config, 10, warmup=0.2)._learning_rate
    assert [float(rate(step)) for step in (0, 10, 20, 60, 100)] == pytest.approx(
        [0.0, 0.25, 0.5, 0.25, 0.0], abs=1e-6
    )
    plain = optimizers.optimizer(config, 10)._learning_rate
    assert float(plain(0)) == pytest.approx(0.5)
    with pytest.raises(InputError, match="warmup goes with --decay cosine"):
        optimizers.optimizer(TrainingConfig(decay="linear"), 10, warmup=0.2)


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("none", [0.02, 0.02, 0.02, 0.02]),
        ("linear", [0.02, 0.015, 0.01, 0.0]),
        ("cosine", [0.02, 0.01 * (1 + np.cos(np.pi / 4)), 0.01, 0.0]),
    ],
)
def test_the_rate_falls_over_all_epochs_as_asked(decay, expected):
    optimizer = optimizers.optimizer(TrainingConfig(learning_rate=0.02, epochs=4, decay=decay), 10)
    optimizer.build([])
    found = []
    for step in (0, 10, 20, 40):
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("kind", optimizers.OPTIMIZERS)
def test_weight_decay_takes_a_share_off_apart_from_the_gradient(kind):
    config = TrainingConfig(learning_rate=0.5, weight_decay=0.1, average=0)
    weights = [keras.Variable([[2.0, -4.0]]), keras.Variable([1.0])]
    optimizer = optimizers.optimizer(config, 10, kind=kind)
    # what goes on from a file is to do the same
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    optimizer.build(weights)
    optimizer.apply([np.zeros((1, 2), "float32"), np.zeros(1, "float32")], weights)
    np.testing.assert_allclose(weights[0], [[1.9, -3.8]], rtol=1e-6)
    np.testing.assert_allclose(weights[1], [0.95], rtol=1e-6)
    optimizer.apply([np.full((1, 2), 1e-3, "float32"), np.zeros(1, "float32")], weights)
    step = 0.5e-3 if kind == "sgd" else 0.5 * adam_step([0.0, 1e-3])
    np.testing.assert_allclose(weights[0], [[1.805 - step, -3.61 - step]], rtol=1e-5)


def adam_step(gradients):
    """The last step of Adam for these gradients, at a rate of 1."""
    m = v = 0.0
    for gradient in gradients:
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
    t = len(gradients)
    return m * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (np.sqrt(v) + 1e-7)
