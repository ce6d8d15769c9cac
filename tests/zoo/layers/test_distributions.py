"""Distributions against scipy: densities, quantiles, draws; parameters, ordered quantiles."""

import math

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.references.reference import random_values
from zoo.errors import InputError
from zoo.layers.distributions import DISTRIBUTIONS, OrderedQuantiles

LEVELS = [0.005, 0.025, 0.1, 0.5, 0.8, 0.975, 0.995]
NORMAL = np.array([[0.0, 1.0], [3.0, 1e-5], [-1e4, 20.0], [1e6, 1e5]], "float32")
STUDENT = np.array(
    [[0.0, 1.0, 2.001], [3.0, 1e-5, 3.0], [-50.0, 20.0, 30.0], [1.0, 2.0, 1e6]], "float32"
)
MEANS, ALPHAS = [1e-5, 0.3, 5.0, 100.0, 1e4, 1e6], [1e-6, 1e-3, 0.1, 1.0, 10.0]
COUNTS = np.stack(np.meshgrid(MEANS, ALPHAS, indexing="ij"), axis=-1).astype("float32")
PARAMETERS = {"normal": NORMAL, "student_t": STUDENT, "negative_binomial": COUNTS}
NAMES = list(DISTRIBUTIONS)


def frozen(name):
    """The same distributions in scipy."""
    parts = np.moveaxis(PARAMETERS[name].astype("float64"), -1, 0)
    if name == "normal":
        return scipy.stats.norm(*parts)
    if name == "student_t":
        return scipy.stats.t(parts[2], parts[0], parts[1])
    return scipy.stats.nbinom(1 / parts[1], 1 / (1 + parts[0] * parts[1]))


def test_each_name_has_a_distribution_with_its_number_of_parameters():
    numbers = {name: each.num_parameters for name, each in DISTRIBUTIONS.items()}
    assert numbers == {"normal": 2, "student_t": 3, "negative_binomial": 2}


@pytest.mark.parametrize("name", ["normal", "student_t"])
def test_densities_are_scipys(name):
    parameters, reference = PARAMETERS[name], frozen(name)
    for distance in (0.0, 0.3, -2.0, 40.0, 1e4):
        values = (parameters[:, 0] + distance * parameters[:, 1]).astype("float32")
        found = DISTRIBUTIONS[name].negative_log_likelihood(parameters, values)
        expected = -reference.logpdf(values.astype("float64"))
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 7, 1000, 1_000_000])
def test_the_probabilities_of_counts_are_scipys(count):
    values = np.full(COUNTS.shape[:-1], count, "float32")
    found = DISTRIBUTIONS["negative_binomial"].negative_log_likelihood(COUNTS, values)
    expected = -frozen("negative_binomial").logpmf(count)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_the_probabilities_of_all_counts_add_up_to_1():
    values = np.arange(400, dtype="float32")
    parameters = np.tile(np.array([[6.0, 0.4]], "float32"), (400, 1))
    found = DISTRIBUTIONS["negative_binomial"].negative_log_likelihood(parameters, values)
    assert np.exp(-np.array(found, "float64")).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["normal", "student_t"])
def test_quantiles_are_scipys(name):
    expected = np.stack([frozen(name).ppf(level) for level in LEVELS], axis=-1)
    found = DISTRIBUTIONS[name].quantile(PARAMETERS[name], LEVELS)
    scale = PARAMETERS[name][:, 1:2]
    np.testing.assert_array_less(abs(found - expected), 2e-6 * (scale + abs(expected)))


def test_quantiles_of_counts_are_scipys_or_as_probable_to_1_in_a_million():
    expected = np.stack([frozen("negative_binomial").ppf(level) for level in LEVELS], axis=-1)
    expected = expected.astype("float32")  # counts above 16,777,216 are rounded
    found = np.array(DISTRIBUTIONS["negative_binomial"].quantile(COUNTS, LEVELS), "float64")
    np.testing.assert_array_equal(found, np.round(found))
    reached = np.stack(list(map(frozen("negative_binomial").cdf, np.moveaxis(found, -1, 0))), -1)
    assert np.all((found == expected) | (abs(reached - LEVELS) < 1e-6))
    assert np.mean(found == expected) > 0.98


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_with_unknown_sizes_gives_the_same(name):
    distribution, parameters = (
        DISTRIBUTIONS[name],
        PARAMETERS[name].reshape(-1, 1, 2 + (name[0] == "s")),
    )

    def everything(given):
        middle = distribution.mean(given)
        nll = distribution.negative_log_likelihood(given, tf.round(middle))
        return distribution.quantile(given, [0.1, 0.5]), nll, distribution.sample(given, [1, 2])

    spec = tf.TensorSpec([None, None, parameters.shape[-1]])
    traced = tf.function(everything, input_signature=[spec])(tf.constant(parameters))
    for one, other in zip(traced, everything(tf.constant(parameters)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_draws_have_the_mean_the_median_and_the_spread_of_the_distribution(name):
    row = {"normal": [7.0, 3.0], "student_t": [7.0, 3.0, 9.0], "negative_binomial": [7.0, 0.5]}[
        name
    ]
    row = np.array(row, "float32")
    parameters = np.tile(row, (20_000, 1))
    draws = np.array(DISTRIBUTIONS[name].sample(parameters, seed=[3, 4]))
    spread = {"normal": 9.0, "student_t": 9 * 9 / 7, "negative_binomial": 7 + 0.5 * 49}[name]
    assert draws.mean() == pytest.approx(7, abs=0.15)
    assert draws.var() == pytest.approx(spread, rel=0.05)
    for level, bound in zip([0.1, 0.9], DISTRIBUTIONS[name].quantile(row, [0.1, 0.9]), strict=True):
        assert (
            np.mean(draws < float(bound)) <= level + 0.01 <= np.mean(draws <= float(bound)) + 0.02
        )
    np.testing.assert_allclose(DISTRIBUTIONS[name].mean(parameters[:2]), [7, 7])


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_determines_the_draws_and_a_generator_goes_on(name):
    distribution, parameters = DISTRIBUTIONS[name], PARAMETERS[name]
    first, same, other = (distribution.sample(parameters, [5, last]) for last in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert np.any(np.array(first) != np.array(other))
    generator = keras.random.SeedGenerator(1)
    one, two = (np.array(distribution.sample(parameters, generator)) for _ in range(2))
    again = distribution.sample(parameters, keras.random.SeedGenerator(1))
    assert np.any(one != two)
    np.testing.assert_array_equal(one, again)


def softplus(value):
    return math.log1p(math.exp(value))


def test_parameters_are_on_the_scale_of_the_series():
    raw = np.array([[[0.5, -1.0, 2.0]], [[-2.0, 3.0, -9.0]]], "float32")
    scale, shift = np.array([[10.0], [0.1]], "float32"), np.array([[100.0], [-1.0]], "float32")
    expected = [
        [100 + 10 * 0.5, 10 * (softplus(-1) + 1e-4), 2 + softplus(2) + 1e-4],
        [-1 - 0.1 * 2, 0.1 * (softplus(3) + 1e-4), 2 + softplus(-9) + 1e-4],
    ]
    found = DISTRIBUTIONS["student_t"].parameters(raw, scale, shift)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    found = DISTRIBUTIONS["normal"].parameters(raw[..., :2], scale, shift)
    np.testing.assert_allclose(found[:, 0], np.array(expected)[:, :2], rtol=1e-6)


def test_counts_are_scaled_as_deepar_scales_them():
    raw, scale = np.array([[0.5, -1.0], [0.5, -1.0]], "float32"), np.array([1.0, 16.0], "float32")
    found = DISTRIBUTIONS["negative_binomial"].parameters(raw, scale)
    mean, alpha = softplus(0.5), softplus(-1)
    np.testing.assert_allclose(found, [[mean, alpha], [16 * mean, alpha / 4]], rtol=1e-5)


def test_counts_have_no_shift():
    with pytest.raises(InputError, match="have no shift"):
        DISTRIBUTIONS["negative_binomial"].parameters(np.zeros((1, 2)), 1.0, np.ones(1))


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("name", NAMES)
def test_a_level_out_of_range_is_an_error(name, level):
    with pytest.raises(InputError, match="above 0 and below 1"):
        DISTRIBUTIONS[name].quantile(PARAMETERS[name], [0.5, level])


@pytest.mark.parametrize("name", NAMES)
def test_losses_and_gradients_are_finite_at_extremes(name):
    distribution = DISTRIBUTIONS[name]
    numbers = (-1e3, -20.0, 0.0, 20.0, 1e3)
    grids = np.meshgrid(*[numbers] * distribution.num_parameters, (1e-6, 1.0, 1e6), (0.0, 1.0, 1e6))
    *columns, scale, values = (grid.ravel().astype("float32") for grid in grids)
    raw = tf.constant(np.stack(columns, axis=-1))
    values = values if name == "negative_binomial" else values * scale
    with tf.GradientTape() as tape:
        tape.watch(raw)
        loss = distribution.negative_log_likelihood(distribution.parameters(raw, scale), values)
    assert np.all(np.isfinite(loss))
    assert np.all(np.isfinite(tape.gradient(loss, raw)))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_slopes_of_the_loss(name):
    distribution = DISTRIBUTIONS[name]
    raw = tf.constant(random_values(6, distribution.num_parameters, seed=3))
    values = np.array([0.0, 1, 2, 3, 5, 40], "float32")

    def loss(raw):
        return distribution.negative_log_likelihood(distribution.parameters(raw, 2.0), values)

    with tf.GradientTape() as tape:
        tape.watch(raw)
        total = loss(raw)
    slopes = tape.gradient(total, raw).numpy()
    for place in range(distribution.num_parameters):
        step = np.zeros(distribution.num_parameters, "float32")
        step[place] = 2e-3
        change = (np.array(loss(raw + step)) - np.array(loss(raw - step))) / 4e-3
        np.testing.assert_allclose(slopes[:, place], change, rtol=5e-3, atol=5e-3)


def test_ordered_quantiles_keep_the_median_and_do_not_cross():
    raw = random_values(4, 3, 5, seed=1, scale=5.0)
    found = np.array(OrderedQuantiles()(raw))
    np.testing.assert_array_equal(found[..., 2], raw[..., 2])
    steps = np.log1p(np.exp(raw.astype("float64")))
    np.testing.assert_allclose(found[..., 3] - found[..., 2], steps[..., 3], atol=1e-5)
    np.testing.assert_allclose(found[..., 4] - found[..., 3], steps[..., 4], atol=1e-5)
    np.testing.assert_allclose(found[..., 2] - found[..., 1], steps[..., 1], atol=1e-5)
    np.testing.assert_allclose(found[..., 1] - found[..., 0], steps[..., 0], atol=1e-5)
    assert np.all(np.diff(found, axis=-1) > 0)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_quantiles_can_be_ordered(count):
    raw = random_values(3, count, seed=2)
    found = np.array(OrderedQuantiles()(raw))
    assert found.shape == raw.shape and np.all(np.diff(found, axis=-1) > 0)
    np.testing.assert_array_equal(found[:, (count - 1) // 2], raw[:, (count - 1) // 2])


def test_a_model_with_ordered_quantiles_is_saved_and_loaded(tmp_path):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, OrderedQuantiles()(keras.layers.Dense(5)(inputs)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    values = random_values(2, 4, 3, seed=5)
    np.testing.assert_allclose(again(values), model(values), rtol=1e-6)
    assert model.output.shape == (None, None, 5)


@pytest.mark.parametrize(
    ("name", "parameters", "frozen"),
    [
        ("normal", [3.0, 2.0], scipy.stats.norm(3, 2)),
        ("student_t", [3.0, 2.0, 4.5], scipy.stats.t(4.5, 3, 2)),
        ("negative_binomial", [6.0, 0.5], scipy.stats.nbinom(2, 1 / 4)),
    ],
)
def test_values_made_from_uniform_numbers_have_the_distribution(name, parameters, frozen):
    uniforms = np.random.default_rng(0).random((4000, 2)).astype("float32")
    rows = np.tile(np.float32(parameters), (4000, 1))
    found = np.asarray(DISTRIBUTIONS[name].transformed(rows, uniforms))
    levels = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
    below = (found[:, None] <= frozen.ppf(levels)).mean(0)
    np.testing.assert_allclose(below, frozen.cdf(frozen.ppf(levels)), atol=0.02)
    again = DISTRIBUTIONS[name].transformed(rows[7:9], uniforms[7:9])
    np.testing.assert_array_equal(again, found[7:9])
