"""Steps that carry states on: the same on every backend, and those of Keras' own step."""

import json
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from recipes.training.gradient_step import gradient_step
from tests.backends.installed import run

PROGRAM = "tests.recipes.training.gradient_program"


def test_a_step_is_that_of_keras_with_the_models_own_losses():
    models = []
    for _ in range(2):
        model = keras.Sequential([keras.layers.Dense(2, kernel_regularizer="l2")])
        model.build((None, 3))
        model.set_weights([np.arange(6.0).reshape(3, 2), np.zeros(2)])
        # the first step of Adam would hide how large a gradient is
        model.compile(keras.optimizers.SGD(0.1), "mse")
        models.append(model)
    inputs, targets = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")
    models[0].train_on_batch(inputs, targets)
    step = gradient_step(
        models[1], models[1], lambda x, y: (keras.ops.mean(y**2), {"sum": keras.ops.sum(x)})
    )
    loss, carried = step(inputs)
    assert float(loss) == pytest.approx((6.0**2 + 9.0**2) / 2) and float(carried["sum"]) == 12
    for own, other in zip(*[model.get_weights() for model in models], strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)


@pytest.mark.backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_windows_train_the_same_on_every_backend(backend):
    if find_spec(backend) is None:
        pytest.fail(f"{backend} is not installed: run `make test-backends`")
    expected, found = (run(None, name, PROGRAM) for name in ("tensorflow", backend))
    assert found.returncode == 0, found.stderr
    one, other = (json.loads(each.stdout.splitlines()[-1]) for each in (expected, found))
    np.testing.assert_allclose(other["losses"], one["losses"], atol=1e-5)
    assert len(one["arrays"]) > 8
    for own, theirs in zip(other["arrays"], one["arrays"], strict=True):
        np.testing.assert_allclose(own, theirs, atol=1e-5)
