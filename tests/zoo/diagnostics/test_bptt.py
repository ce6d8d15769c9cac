"""Backpropagation by hand agrees with itself, with TensorFlow, and with finite differences."""

import numpy as np
import pytest

from zoo.diagnostics import bptt
from zoo.errors import InputError

TIME, SIZE = 7, 4


@pytest.fixture(params=["tanh", "linear", "relu"])
def problem(request):
    generator = np.random.default_rng(3)
    theta = generator.normal(scale=0.6, size=(SIZE, SIZE))
    inputs = generator.normal(size=(TIME, SIZE))
    slopes = generator.normal(size=(TIME, SIZE))
    start = generator.normal(size=SIZE)
    return request.param, theta, inputs, slopes, start


def loss(activation, theta, inputs, slopes, start):
    return float(np.sum(bptt.run(theta, inputs, start, activation).states[1:] * slopes))


def by_differences(change, values):
    """The gradient of `change(values)` by central differences."""
    gradient = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        moved = []
        for sign in (1, -1):
            shifted = values.copy()
            shifted[place] += sign * 1e-6
            moved.append(change(shifted))
        gradient[place] = (moved[0] - moved[1]) / 2e-6
    return gradient


def test_the_full_gradient_is_that_of_finite_differences(problem):
    activation, theta, inputs, slopes, start = problem
    found = bptt.full(bptt.run(theta, inputs, start, activation), slopes)
    of_theta = by_differences(lambda t: loss(activation, t, inputs, slopes, start), theta)
    of_inputs = by_differences(lambda x: loss(activation, theta, x, slopes, start), inputs)
    of_start = by_differences(lambda h: loss(activation, theta, inputs, slopes, h), start)
    np.testing.assert_allclose(found.theta, of_theta, atol=1e-6)
    np.testing.assert_allclose(found.inputs, of_inputs, atol=1e-6)
    np.testing.assert_allclose(found.start, of_start, atol=1e-6)


def test_the_recursion_over_the_state_before_gives_the_same(problem):
    activation, theta, inputs, slopes, start = problem
    trace = bptt.run(theta, inputs, start, activation)
    forward = bptt.forward_gradient(trace, slopes)
    np.testing.assert_allclose(forward, bptt.full(trace, slopes).theta, rtol=1e-10, atol=1e-12)


def test_tensorflow_gives_the_same_for_the_cell_of_the_zoo():
    generator = np.random.default_rng(0)
    theta = generator.normal(scale=0.3, size=(5, 5))
    inputs, slopes = generator.normal(size=(2, 30, 5))
    mine = bptt.full(bptt.run(theta, inputs), slopes).theta
    np.testing.assert_allclose(bptt.by_tensorflow(theta, inputs, slopes), mine, rtol=1e-6)


def test_a_truncated_gradient_is_the_sum_over_the_steps_that_are_kept():
    """By brute force: for each loss, the chain rule along each way of at most two steps."""
    generator = np.random.default_rng(1)
    theta = generator.normal(scale=0.5, size=(SIZE, SIZE))
    inputs, slopes = generator.normal(size=(2, TIME, SIZE))
    trace = bptt.run(theta, inputs)
    expected = np.zeros_like(theta)
    for m in range(TIME):
        own = trace.slopes[m] * slopes[m]
        expected += np.outer(own, trace.states[m])
        if m:
            before = trace.slopes[m - 1] * (theta.T @ own)
            expected += np.outer(before, trace.states[m - 1])
    np.testing.assert_allclose(bptt.truncated(trace, slopes, 2).theta, expected)
    whole = bptt.truncated(trace, slopes, TIME).theta
    np.testing.assert_allclose(whole, bptt.full(trace, slopes).theta)
    assert np.abs(whole - expected).max() > 0.01


def test_a_randomly_truncated_gradient_is_right_on_average_and_exact_if_all_is_kept():
    generator = np.random.default_rng(2)
    theta = generator.normal(scale=0.3, size=(3, 3))
    inputs, slopes = generator.normal(size=(2, 6, 3))
    trace = bptt.run(theta, inputs)
    whole = bptt.full(trace, slopes).theta
    draws = np.array([bptt.randomized(trace, slopes, 0.7, generator).theta for _ in range(4000)])
    error = draws.std(0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(0) - whole) < 4.5 * error + 1e-12).all()
    assert np.abs(bptt.truncated(trace, slopes, 3).theta - whole).max() > 20 * error.max()
    np.testing.assert_allclose(bptt.randomized(trace, slopes, 1.0, generator).theta, whole)
    with pytest.raises(InputError, match="above 0 up to 1, got 0"):
        bptt.randomized(trace, slopes, 0, generator)


def test_the_last_loss_fades_with_the_spectral_radius_of_a_linear_unit():
    """Of a scaled rotation every step back multiplies the norm by exactly the radius."""
    angle, radius = 0.3, 0.8
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    trace = bptt.run(radius * rotation, np.ones((20, 2)), activation="linear")
    norms = bptt.contributions(trace, np.ones((20, 2)))
    np.testing.assert_allclose(norms[:-1] / norms[1:], radius)


def test_wrong_shapes_are_one_sentence():
    with pytest.raises(InputError, match=r"\(K, K\) and the inputs \(T, K\), got \(2, 3\)"):
        bptt.run(np.ones((2, 3)), np.ones((4, 2)))
