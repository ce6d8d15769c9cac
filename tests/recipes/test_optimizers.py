"""The learning rate over all steps; that the average is kept is tested with training."""

import numpy as np
import pytest

from recipes import optimizers
from recipes.config import TrainingConfig
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
