"""The cells: their equations against NumPy, stock Keras and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests import reference
from tests.reference import random_values
from tests.weights import arrays, assign_random
from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.registry import cell_class

B, T, E, K = 2, 4, 3, 2
LENGTHS = [T] * B
STOCK = {
    "simple_rnn": keras.layers.SimpleRNNCell,
    "gru": keras.layers.GRUCell,
    "lstm": keras.layers.LSTMCell,
}
VARIANTS = [("simple_rnn", {}), ("gru", {}), ("gru", {"reset_after": False}), ("lstm", {})]


@pytest.fixture
def inputs():
    return random_values(B, T, E, seed=3)


def built(name, **options):
    """A cell with random weights."""
    cell = cell_class(name)(K, **options)
    cell.build((None, E))
    return assign_random(cell)


def run(cell, inputs, initial_state=None):
    """Steps a cell by stock Keras' own loop: outputs (B, T, K), final states."""
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    outputs, *final = layer(inputs, initial_state=initial_state)
    return np.array(outputs), [np.array(state) for state in final]


def test_every_registered_cell_has_a_reference():
    assert zoo.cells() == sorted(reference.STEPS)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_a_cell_computes_its_equations(name, options, inputs):
    cell = built(name, **options)
    outputs, final = run(cell, inputs)
    expected, expected_final = reference.run(name, arrays(cell), inputs, LENGTHS)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert len(final) == reference.NUM_STATES[name]
    np.testing.assert_allclose(final, expected_final, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_a_cell_goes_on_from_its_initial_states(name, options, inputs):
    cell = built(name, **options)
    start = [random_values(B, K, seed=n + 5) for n in range(reference.NUM_STATES[name])]
    outputs, final = run(cell, inputs, [tf.constant(state) for state in start])
    expected, expected_final = reference.run(
        name, arrays(cell), inputs, LENGTHS, initial_states=start
    )
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(final, expected_final, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_a_cell_equals_the_stock_one_with_the_same_weights(name, options, inputs):
    cell, stock = built(name, **options), STOCK[name](K, **options)
    stock.build((None, E))
    shapes = [(weight.name, weight.shape) for weight in cell.weights]
    assert shapes == [(weight.name, weight.shape) for weight in stock.trainable_weights]
    stock.set_weights(arrays(cell))
    outputs, final = run(cell, inputs)
    expected, expected_final = run(stock, inputs)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(final, expected_final, atol=1e-5)


@pytest.mark.parametrize("weight", [0, 1, 2], ids=["kernel", "recurrent_kernel", "bias"])
@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_a_gradient_is_the_slope_of_the_equations(name, options, weight, inputs):
    cell = built(name, **options)
    share = random_values(B, T, K, seed=9)
    layer = keras.layers.RNN(cell, return_sequences=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs) * share)
    gradient = np.array(tape.gradient(loss, cell.weights[weight].value))
    weights = [array.astype("float64") for array in arrays(cell)]
    slope, step = np.zeros_like(weights[weight]), 1e-5
    for place in np.ndindex(slope.shape):
        sides = []
        for sign in (1, -1):
            moved = [array.copy() for array in weights]
            moved[weight][place] += sign * step
            sides.append(np.sum(reference.run(name, moved, inputs, LENGTHS)[0] * share))
        slope[place] = (sides[0] - sides[1]) / (2 * step)
    assert np.abs(slope).max() > 0.01
    np.testing.assert_allclose(gradient, slope, atol=1e-3)


@pytest.mark.parametrize("bias", [1.0, 0.5])
def test_only_the_forget_gate_starts_with_a_bias(bias):
    cell = LSTMCell(3, forget_bias=bias)
    cell.build((None, E))
    np.testing.assert_array_equal(cell.bias, [0] * 3 + [bias] * 3 + [0] * 6)


def test_the_forget_bias_is_1_by_default():
    assert LSTMCell(3).forget_bias == 1


def test_the_simple_cell_takes_another_activation(inputs):
    cell = SimpleRNNCell(K, activation="relu")
    cell.build((None, E))
    assign_random(cell)
    kernel, recurrent_kernel, bias = arrays(cell)
    h = np.maximum(inputs[:, 0] @ kernel + bias, 0)
    h = np.maximum(inputs[:, 1] @ kernel + h @ recurrent_kernel + bias, 0)
    np.testing.assert_allclose(run(cell, inputs[:, :2])[0][:, 1], h, atol=1e-5)
    assert h.max() > 0


@pytest.mark.parametrize("name", zoo.cells())
@pytest.mark.parametrize("units", [0, -3, True, "8", 2.0, None])
def test_units_must_be_a_positive_int(name, units):
    with pytest.raises(zoo.InputError, match="units must be a positive int") as error:
        cell_class(name)(units)
    assert str(error.value).endswith(f"got {units!r}")


def test_reset_after_must_be_true_or_false():
    with pytest.raises(zoo.InputError, match="reset_after must be True or False, got 'no'"):
        GRUCell(K, reset_after="no")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (SimpleRNNCell, {"activation": "relu"}),
        (GRUCell, {"reset_after": False}),
        (LSTMCell, {"forget_bias": 0.25}),
    ],
)
def test_a_config_gives_the_same_cell_again(kind, options):
    initializers = {
        "kernel_initializer": "he_normal",
        "recurrent_initializer": "ones",
        "bias_initializer": "zeros",
    }
    config = kind(K, name="mine", **options, **initializers).get_config()
    again = kind.from_config(config)
    assert again.get_config() == config
    assert config["units"] == K
    assert config["name"] == "mine"
    for option, value in options.items():
        assert config[option] == value
    again.build((None, E))
    np.testing.assert_array_equal(again.recurrent_kernel, np.ones((K, again.num_gates * K)))
