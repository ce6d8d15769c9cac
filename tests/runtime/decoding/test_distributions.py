"""Distributions in NumPy against those of the zoo, and the random numbers of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_zoo_runtime.decoding import distributions
from rnn_zoo_runtime.decoding.beta import betainc
from rnn_zoo_runtime.decoding.philox import uniform
from zoo.layers.distributions import DISTRIBUTIONS

LEVELS = [0.01, 0.1, 0.5, 0.75, 0.99]
PARAMETERS = {
    "normal": [[0.0, 1.0], [-3.0, 0.2], [1e4, 50.0]],
    "student_t": [[0.0, 1.0, 2.001], [5.0, 0.3, 4.0], [-2.0, 3.0, 80.0]],
    "negative_binomial": [[0.5, 0.3], [3.0, 1.5], [200.0, 0.01], [1e-3, 1e-5], [40.0, 1e-5]],
}


@pytest.fixture(params=DISTRIBUTIONS)
def each(request):
    """A distribution of the runtime, that of the zoo, and parameters (N, 1, P)."""
    name = request.param
    parameters = np.array(PARAMETERS[name], np.float32)[:, None]
    return distributions.DISTRIBUTIONS[name], DISTRIBUTIONS[name], parameters


def agree(found, expected):
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_quantiles_are_those_of_the_zoo(each):
    own, other, parameters = each
    expected = other.quantile(tf.constant(parameters), LEVELS).numpy()
    agree(own.quantile(parameters, LEVELS), expected)


def test_values_of_uniform_numbers_are_those_of_the_zoo(each):
    own, other, parameters = each
    numbers = uniform((len(parameters), 40, 2), 1e-7, 1 - 1e-7, 3)
    wide = np.repeat(parameters, 40, axis=1)
    expected = other.transformed(tf.constant(wide), tf.constant(numbers)).numpy()
    agree(own.transformed(wide, numbers), expected)


def test_likelihoods_are_those_of_the_zoo(each):
    own, other, parameters = each
    values = np.array([[0.0, 1.0, 3.0, 250.0]], np.float32)
    expected = other.negative_log_likelihood(tf.constant(parameters), tf.constant(values)).numpy()
    agree(own.negative_log_likelihood(parameters, values), expected)


def test_the_incomplete_beta_function_is_that_of_tensorflow():
    draw = np.random.default_rng(0)
    a, b = np.exp(draw.uniform(-3, 11, (2, 2000)))
    x = draw.beta(np.minimum(a, 1e4), np.minimum(b, 1e4))
    expected = tf.math.betainc(*map(tf.constant, (a, b, x))).numpy()
    np.testing.assert_allclose(betainc(a, b, x), expected, rtol=1e-7, atol=1e-9)
    edges = np.array([0.0, 1.0])
    np.testing.assert_array_equal(betainc(np.array([2.0]), np.array([3.0]), edges), edges)


@pytest.mark.parametrize("seed", [0, 3, 12345, 2**31 - 1])
def test_random_numbers_are_those_of_keras(seed):
    shape = (3, 5, 2, 3)
    expected = np.asarray(keras.random.uniform(shape, 1e-7, 1 - 1e-7, seed=seed))
    np.testing.assert_array_equal(uniform(shape, 1e-7, 1 - 1e-7, seed), expected)
