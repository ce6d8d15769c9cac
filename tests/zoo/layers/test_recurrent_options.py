"""The recurrent body's options: residual, dense layers, learned states, cells of a user's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import zoo
from tests.references import reference
from tests.references.reference import mask_of, random_values
from tests.references.reference_cells import STEPS
from tests.references.weights import arrays, assign_random
from zoo.cells import RecurrentCell
from zoo.layers import Direction, Recurrent

B, T, E, K = 4, 5, 3, 3
LENGTHS = [5, 1, 3, 0]
MASK = mask_of(LENGTHS, T)


@pytest.fixture
def inputs():
    return random_values(B, T, E, seed=3)


def body(cell, **options):
    layer = Recurrent(cell, K, **options)
    layer.build((None, None, E))
    return assign_random(layer)


def composed(layer, cell, inputs, merge_mode="concat"):
    """A residual stack from one-layer stacks: outputs, and the sum of the ends of all layers."""
    values, ends = inputs, 0.0
    for number, ways in enumerate(layer.directions):
        weights = [[arrays(way.cell) for way in ways]]
        outputs, final = reference.stack(cell, weights, values, LENGTHS, merge_mode)
        values = values + outputs if number else outputs
        ends = ends + reference.merge([states[0] for states in final[0]], merge_mode)
    return values, ends


def raised(layer, values):
    for dense in layer.upper:
        kernel, bias = arrays(dense)
        values = np.tanh(values @ kernel + bias)
    return values


@pytest.mark.parametrize("dense_layers", [0, 2])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_residual_and_dense_layers_are_what_numpy_composes(cell, options, dense_layers, inputs):
    layer = body(cell, num_layers=3, residual=True, dense_layers=dense_layers, **options)
    outputs, final_states = layer(inputs, mask=MASK)
    expected, ends = composed(layer, cell, inputs)
    expected = np.where(MASK[:, :, None], raised(layer, expected), 0)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    last = np.array(layer.last_output(final_states))
    np.testing.assert_allclose(last, raised(layer, ends), atol=1e-5)
    if not options:
        for row, length in enumerate(LENGTHS[:3]):
            np.testing.assert_allclose(last[row], expected[row, length - 1], atol=1e-5)


@pytest.mark.parametrize("merge_mode", ["sum", "ave", "mul"])
def test_a_residual_body_merges_before_it_adds(merge_mode, inputs):
    options = {"num_layers": 2, "bidirectional": True, "residual": True}
    layer = body("gru", merge_mode=merge_mode, **options)
    outputs, final_states = layer(inputs, mask=MASK)
    expected, ends = composed(layer, "gru", inputs, merge_mode)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(layer.last_output(final_states), ends, atol=1e-5)


def test_the_dense_layers_take_another_activation(inputs):
    layer = body("simple_rnn", dense_layers=1, dense_activation="relu")
    outputs = np.array(layer(inputs, mask=MASK)[0])
    weights = [[arrays(layer.directions[0][0].cell)]]
    kernel, bias = arrays(layer.upper[0])
    expected = reference.stack("simple_rnn", weights, inputs, LENGTHS)[0] @ kernel + bias
    expected = np.where(MASK[:, :, None], np.maximum(expected, 0), 0)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert outputs.max() > 0.01


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cell", ["gru", "lstm", "min_gru"])
def test_a_learned_initial_state_starts_every_row_and_gets_a_gradient(cell, training, inputs):
    layer = Direction(cell, K, learned_initial_state=True)
    layer.build((None, None, E))
    assert not any(np.any(state) for state in layer.initial_state)
    assign_random(layer)
    start = [np.tile(state, (B, 1)) for state in layer.initial_state]
    weights = arrays(layer.cell)
    expected = reference.run(cell, weights, inputs, LENGTHS, initial_states=start)
    with tf.GradientTape() as tape:
        outputs, final = layer(inputs, mask=MASK, training=training)
        loss = tf.reduce_sum(outputs * random_values(B, T, K, seed=8))
    np.testing.assert_allclose(outputs, expected[0], atol=1e-5)
    for state, other in zip(final, expected[1], strict=True):
        np.testing.assert_allclose(state, other, atol=1e-5)
    for gradient in tape.gradient(loss, [state.value for state in layer.initial_state]):
        assert np.abs(gradient).max() > 1e-3


@keras.saving.register_keras_serializable("tests")
class LeakyCell(RecurrentCell):
    """Writes `combine` alone, and so runs in the compiled loops."""

    def combine(self, projected, recurrent, states, vectors):
        return [0.5 * states[0] + 0.5 * ops.tanh(projected + recurrent)]


@keras.saving.register_keras_serializable("tests")
class SteppedCell(RecurrentCell):
    """Writes `step` alone."""

    def step(self, projected, states, recurrent_kernel=None, recurrent_mask=None):
        product = ops.matmul(states[0], self.recurrent_kernel)
        h = 0.5 * states[0] + 0.5 * ops.tanh(projected + product)
        return h, [h]


def leaky(weights, inputs):
    kernel, recurrent_kernel, bias = weights
    outputs = np.zeros((B, T, K))
    for row, length in enumerate(LENGTHS):
        h = np.zeros(K)
        for step in range(length):
            h = 0.5 * h + 0.5 * np.tanh(inputs[row, step] @ kernel + h @ recurrent_kernel + bias)
            outputs[row, step] = h
    return outputs


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", [LeakyCell, SteppedCell])
def test_a_users_cell_that_writes_one_method_alone_works(kind, training, inputs):
    with zoo.registry.registered("mine", kind):
        layer = Direction("mine", K)
    layer.build((None, None, E))
    assign_random(layer)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, mask=MASK, training=training)[0]
        loss = tf.reduce_sum(outputs)
    np.testing.assert_allclose(outputs, leaky(arrays(layer.cell), inputs), atol=1e-5)
    gradient = tape.gradient(loss, layer.cell.recurrent_kernel.value)
    array, slope, moved = arrays(layer.cell), [], []
    for sign in (1, -1):
        moved = [weight.astype("float64") for weight in array]
        moved[1][1, 2] += sign * 1e-5
        slope.append(leaky(moved, inputs).sum())
    np.testing.assert_allclose(gradient[1, 2], (slope[0] - slope[1]) / 2e-5, atol=1e-3)


@keras.saving.register_keras_serializable("tests")
class MyLSTMCell(keras.layers.LSTMCell):
    """A stock Keras cell of a user's own, whose output is half of the stock one's."""

    def call(self, inputs, states, training=False):
        h, (_, c) = super().call(inputs, states, training=training)
        return h / 2, [h / 2, c]


def test_a_users_own_stock_keras_cell_works_by_its_name(inputs):
    with zoo.registry.registered("my_lstm", MyLSTMCell):
        layer = body("my_lstm", bidirectional=True)
    outputs = np.array(layer(inputs, mask=MASK)[0])
    for row, length in enumerate(LENGTHS[:3]):
        cell = layer.directions[0][0].cell
        states = [np.zeros(K), np.zeros(K)]
        for step in range(length):
            h, c = STEPS["lstm"](inputs[row, step], states, arrays(cell))
            states = [h / 2, c]
            np.testing.assert_allclose(outputs[row, step, :K], states[0], atol=1e-5)
    assert not np.any(outputs[~MASK])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "lst"}, "unknown cell 'lst': did you mean 'lstm'"),
        ({"units": -3}, "units must be a positive int, got -3"),
        ({"num_layers": 0}, "num_layers must be a positive int, got 0"),
        ({"bidirectional": "yes"}, "bidirectional must be True or False, got 'yes'"),
        ({"merge_mode": "x"}, "merge_mode must be one of .*got 'x'"),
        ({"residual": 1}, "residual must be True or False, got 1"),
        ({"dense_layers": -1}, "dense_layers must be a positive int, got -1"),
        ({"dense_activation": "tan"}, "unknown activation 'tan'"),
        ({"learned_initial_state": "no"}, "learned_initial_state must be True or False, got 'no'"),
        (
            {"cell_options": {"forget_bia": 1.0}},
            "the cell 'lstm' has no option 'forget_bia': did you mean 'forget_bias'",
        ),
        (
            {"cell": "gru", "cell_options": {"reset_aftre": False}},
            "the cell 'gru' has no option 'reset_aftre': did you mean 'reset_after'",
        ),
        (
            {"cell_options": {"cell_clip": -1.0}},
            "cell_clip must be a number above 0 or None, got -1.0",
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_value(options, message):
    with pytest.raises(zoo.InputError, match=message):
        Recurrent(**{"cell": "lstm", "units": K, **options})
