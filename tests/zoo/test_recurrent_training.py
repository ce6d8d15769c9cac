"""The recurrent body in training: dropout in time and between layers, and XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests import reference
from tests.reference import mask_of, random_values
from tests.weights import arrays, assign_random
from zoo.cells import LSTMCell, fast_lstm
from zoo.layers import Direction, Recurrent
from zoo.layers.scan import run_cell

B, T, E, K = 3, 5, 3, 2
LENGTHS = [5, 1, 3]
MASK = mask_of(LENGTHS, T)


@pytest.fixture
def inputs():
    return random_values(B, T, E, seed=3)


def built(layer):
    layer.build((None, None, E))
    return assign_random(layer)


@pytest.mark.parametrize("cell", zoo.cells())
def test_a_recurrent_mask_reaches_the_recurrent_product_alone(cell, inputs):
    layer = built(Direction(cell, K))
    kept = np.array([[0, 2], [1, 1], [0.5, 0]], "float32")
    start = [random_values(B, K, seed=n + 5) for n in range(reference.NUM_STATES[cell])]
    outputs, _ = run_cell(layer.cell, inputs, [tf.constant(state) for state in start], kept)
    expected, _ = reference.run(
        cell, arrays(layer.cell), inputs, [T] * B, initial_states=start, recurrent_mask=kept
    )
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_a_gru_with_the_reset_before_masks_both_recurrent_products(inputs):
    cell = zoo.registry.cell_class("gru")(K, reset_after=False)
    cell.build((None, E))
    assign_random(cell)
    kept = np.array([[0, 2], [1, 1], [0.5, 0]], "float32")
    start = [random_values(B, K, seed=5)]
    outputs, _ = run_cell(cell, inputs, [tf.constant(start[0])], kept)
    expected, _ = reference.run(
        "gru", arrays(cell), inputs, [T] * B, initial_states=start, recurrent_mask=kept
    )
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_recurrent_dropout_draws_one_mask_for_all_steps():
    units, steps = 64, 6
    layer = Direction("simple_rnn", units, recurrent_dropout=0.5)
    layer.build((None, None, 1))
    layer.cell.set_weights([np.full((1, units), 0.3), 0.4 * np.eye(units), np.zeros(units)])
    outputs, _ = layer(np.ones((2, steps, 1)), mask=np.ones((2, steps), bool), training=True)
    outputs = np.array(outputs)
    courses = {}
    for kept in (0, 2):  # each unit sees itself alone: dropped at all steps, or kept and doubled
        h, course = 0.0, []
        for _ in range(steps):
            h = np.tanh(0.3 + 0.4 * kept * h)
            course.append(h)
        courses[kept] = np.array(course)
    matches = {
        kept: np.all(np.abs(outputs - course[None, :, None]) < 1e-5, axis=1)
        for kept, course in courses.items()
    }
    assert np.all(matches[0] ^ matches[2])
    assert 0.3 < matches[0].mean() < 0.7
    assert np.any(matches[0][0] != matches[0][1]), "each row has a mask of its own"


@pytest.mark.parametrize("cell", zoo.cells())
def test_recurrent_dropout_is_off_in_inference_and_at_rate_0(cell, inputs):
    layer = built(Direction(cell, K, recurrent_dropout=0.5))
    expected = np.array(layer(inputs, mask=MASK)[0])
    reference_outputs, _ = reference.run(cell, arrays(layer.cell), inputs, LENGTHS)
    np.testing.assert_allclose(expected, reference_outputs, atol=1e-5)
    trained = np.array(layer(inputs, mask=MASK, training=True)[0])
    assert np.abs(trained - expected).max() > 1e-3
    none = built(Direction(cell, K))
    np.testing.assert_allclose(none(inputs, mask=MASK, training=True)[0], expected, atol=1e-5)


def test_recurrent_dropout_reaches_every_direction_of_a_stack():
    layer = Recurrent("gru", K, num_layers=2, bidirectional=True, recurrent_dropout=0.25)
    assert [way.recurrent_dropout for ways in layer.directions for way in ways] == [0.25] * 4


def test_dropout_acts_between_layers_in_training_alone(inputs):
    one = built(Recurrent("gru", K, num_layers=1, dropout=0.5))
    two = built(Recurrent("gru", K, num_layers=2, dropout=0.5))
    for layer, differs in ((one, False), (two, True)):
        expected = reference.stack(
            "gru",
            [[arrays(way.cell) for way in ways] for ways in layer.directions],
            inputs,
            LENGTHS,
        )[0]
        np.testing.assert_allclose(layer(inputs, mask=MASK)[0], expected, atol=1e-5)
        trained = layer(inputs, mask=MASK, training=True)[0]
        assert (np.abs(trained - expected).max() > 1e-3) == differs


def test_recurrent_dropout_with_a_stock_cell_is_refused():
    with (
        zoo.registry.registered("stock_lstm", keras.layers.LSTMCell),
        pytest.raises(zoo.InputError, match="recurrent_dropout needs a cell .*'stock_lstm'"),
    ):
        Recurrent("stock_lstm", K, recurrent_dropout=0.1)


def test_supports_jit_is_false_where_the_lstm_runs_as_one_op():
    stands_in = fast_lstm.available(LSTMCell(K))
    assert Recurrent("lstm", K).supports_jit == (not stands_in)
    assert Direction("lstm", K).supports_jit == (not stands_in)
    assert Recurrent("gru", K, bidirectional=True).supports_jit
    assert Recurrent("simple_rnn", K, num_layers=2).supports_jit


def same_under_xla(compute, inputs):
    """Compares a function of inputs and mask, compiled once for any length, with itself."""
    signature = [tf.TensorSpec((None, None, E)), tf.TensorSpec((None, None), tf.bool)]
    compiled = tf.function(compute, jit_compile=True, input_signature=signature)
    for time in (T, 2):
        mask = mask_of([min(length, time) for length in LENGTHS], time)
        given = tf.constant(inputs[:, :time]), tf.constant(mask)
        actual, expected = compiled(*given), compute(*given)
        for one, other in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_values_are_the_same_under_xla_for_any_length(cell, inputs):
    layer = built(Recurrent(cell, K, bidirectional=True))
    same_under_xla(lambda values, mask: layer(values, mask=mask), inputs)


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_gradients_are_the_same_under_xla_for_any_length(cell, inputs):
    layer = built(Recurrent(cell, K, bidirectional=True))

    def gradients(values, mask):
        with tf.GradientTape() as tape:
            outputs, final = layer(values, mask=mask)
            share = tf.range(1.0, tf.cast(tf.shape(outputs)[1] + 1, "float32"))
            loss = tf.reduce_sum(outputs * share[None, :, None])
            loss += tf.add_n([tf.reduce_sum(state**2) for state in tf.nest.flatten(final)])
        return tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    same_under_xla(gradients, inputs)
