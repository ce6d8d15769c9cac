"""Quantiles of distributions in NumPy against those of the zoo."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_zoo_runtime.decoding.quantiles import QUANTILES, betainc
from zoo.layers.distributions import DISTRIBUTIONS

LEVELS = [0.01, 0.1, 0.5, 0.75, 0.99]
PARAMETERS = {
    "normal": [[0.0, 1.0], [-3.0, 0.2], [1e4, 50.0]],
    "student_t": [[0.0, 1.0, 2.001], [5.0, 0.3, 4.0], [-2.0, 3.0, 80.0]],
    "negative_binomial": [[0.5, 0.3], [3.0, 1.5], [200.0, 0.01], [1e-3, 1e-5], [40.0, 1e-5]],
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_are_those_of_the_zoo(name):
    parameters = np.array(PARAMETERS[name], np.float32)[:, None]
    found = QUANTILES[name](parameters, LEVELS)
    expected = DISTRIBUTIONS[name].quantile(tf.constant(parameters), LEVELS).numpy()
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_incomplete_beta_function_is_that_of_tensorflow():
    draw = np.random.default_rng(0)
    a, b = np.exp(draw.uniform(-3, 11, (2, 2000)))
    x = draw.beta(np.minimum(a, 1e4), np.minimum(b, 1e4))
    expected = tf.math.betainc(*map(tf.constant, (a, b, x))).numpy()
    np.testing.assert_allclose(betainc(a, b, x), expected, rtol=1e-7, atol=1e-9)
    edges = np.array([0.0, 1.0])
    np.testing.assert_array_equal(betainc(np.array([2.0]), np.array([3.0]), edges), edges)
