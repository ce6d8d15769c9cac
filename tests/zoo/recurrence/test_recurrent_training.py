"""The recurrent body in training: compiled or plain, the same values and gradients."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference import mask_of, random_values
from tests.references.weights import arrays, assign_random
from tests.sweeps import PARTS, swept
from zoo.cells import LSTMCell
from zoo.layers import Direction, Recurrent, direction
from zoo.recurrence import block_lstm
from zoo.recurrence.dispatch import run_cell
from zoo.registry import cell_class

B, T, K = 4, 5, 3  # E = K, and the directions are summed: XLA compiles once for both layers
LENGTHS = [5, 1, 3, 0]
MASK = mask_of(LENGTHS, T)
WITH_PRODUCT = [name for name in zoo.cell_names() if cell_class(name).has_recurrent_kernel]


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """Small cells would not be compiled otherwise."""
    monkeypatch.setattr(direction, "COMPILED_FROM", 1)


@pytest.fixture
def inputs():
    return random_values(B, T, K, seed=3)


def body(cell, **options):
    layer = Recurrent(cell, K, num_layers=2, bidirectional=True, merge_mode="sum", **options)
    layer.build((None, None, K))
    return assign_random(layer)


def values_and_gradients(layer, inputs, mask, training=True, rows=slice(None)):
    """Outputs and final states; the gradients of a loss over both, to inputs and weights."""
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs, final = layer(inputs, mask=mask, training=training)
        loss = tf.reduce_sum((outputs[:, :T] * random_values(B, T, K, seed=8))[rows])
        for number, state in enumerate(tf.nest.flatten(final)):
            finite = tf.clip_by_value(state, -100, 100)
            loss += tf.reduce_sum((finite * random_values(*state.shape, seed=20 + number))[rows])
    weights = [weight.value for weight in layer.trainable_weights]
    gradients = tape.gradient(loss, [inputs, *weights])
    return (outputs, final), [np.array(gradient) for gradient in gradients]


def assert_same(actual, expected):
    for one, other in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    "cell",
    swept(zoo.cell_names(), lambda cell: cell in ("lstm", "rg_lru")),
)
def test_training_changes_neither_values_nor_gradients_without_dropout(cell, inputs):
    layer = body(cell)
    values, gradients = values_and_gradients(layer, inputs, MASK, training=True)
    expected, slopes = values_and_gradients(layer, inputs, MASK, training=False)
    assert_same(values, expected)
    moving = [np.abs(slope).max() > 1e-4 for slope in slopes]
    assert np.mean(moving) > (0.8 if cell == "ind_rnn" else 0.99), "a dead relu has no slope"
    assert_same(gradients, slopes)
    weights = [[arrays(way.cell) for way in ways] for ways in layer.directions]
    assert_same(values, reference.stack(cell, weights, inputs, LENGTHS, "sum"))

    changed = np.where(MASK[:, :, None], inputs, 7.0).astype("float32")
    again, slopes = values_and_gradients(layer, changed, MASK)
    assert_same((again, slopes), (values, gradients))
    assert not np.any(slopes[0][~MASK]), "the padding gets no gradient"

    changed = inputs.copy()
    changed[[1, 2]] += 1
    (outputs, _), slopes = values_and_gradients(layer, changed, MASK, rows=slice(0, 1))
    np.testing.assert_allclose(outputs[0], values[0][0], atol=1e-5)
    np.testing.assert_allclose(slopes[0][0], gradients[0][0], atol=1e-5)
    assert not np.any(slopes[0][1:]), "a row's loss has no slope in other rows"


@pytest.mark.parametrize("cell", swept(["lstm", "gru"], lambda cell: cell == "lstm"))
def test_more_padding_changes_neither_values_nor_gradients_in_training(cell, inputs):
    layer = body(cell)
    (outputs, final), gradients = values_and_gradients(layer, inputs, MASK)
    longer = np.concatenate([inputs, random_values(B, 3, K, seed=4)], axis=1)
    padded, slopes = values_and_gradients(layer, longer, mask_of(LENGTHS, T + 3))
    assert_same((padded[0][:, :T], padded[1]), (outputs, final))
    assert not np.any(padded[0][:, T:])
    assert_same([slopes[0][:, :T], *slopes[1:]], gradients)


def looked_up(layer, found):
    """Outputs, final states and gradients of token ids; `found`: the body is told the table."""
    ids = tf.constant([[5, 1, 1, 4, 2], [3, 0, 0, 0, 0], [2, 6, 2, 0, 0], [0, 0, 0, 0, 0]])
    table = tf.constant(random_values(7, K, seed=12))
    with tf.GradientTape() as tape:
        tape.watch(table)
        lookup = [ids, table] if found else None
        outputs, final = layer(tf.gather(table, ids), mask=MASK, lookup=lookup, training=True)
        loss = tf.reduce_sum(outputs * random_values(B, T, K, seed=8))
    weights = [weight.value for weight in layer.trainable_weights]
    gradients = tape.gradient(loss, [table, *weights])
    return (outputs, final), [tf.convert_to_tensor(gradient) for gradient in gradients]


@pytest.mark.parametrize("cell", swept(["lstm", "gru"], lambda cell: cell == "lstm"))
def test_products_that_are_looked_up_change_nothing_in_either_direction(cell):
    layer = body(cell)
    assert_same(looked_up(layer, found=True), looked_up(layer, found=False))


def test_inputs_that_are_dropped_are_not_looked_up():
    found = []
    for rate in (0.9, 0.0):
        layer = Direction("gru", K, input_dropout=rate)
        layer.build((None, None, K))
        assign_random(layer)
        found.append(looked_up(layer, found=True)[0][0])
    assert np.abs(found[0] - found[1]).max() > 1e-3


@pytest.mark.parametrize("options", [{}, {"zoneout": 0.1}], ids=["loops", "steps"])
def test_a_state_that_grows_over_the_padding_spoils_no_gradient(options):
    layer = Recurrent("simple_rnn", K, cell_options={"activation": "relu"}, **options)
    layer.build((None, None, K))
    assign_random(layer)
    layer.directions[0][0].cell.recurrent_kernel.assign(3 * np.eye(K))
    inputs = np.abs(random_values(B, 305, K, seed=3))
    values, gradients = values_and_gradients(layer, inputs, mask_of(LENGTHS, 305))
    assert all(np.all(np.isfinite(value)) for value in tf.nest.flatten((values, gradients)))
    assert np.abs(gradients[1]).max() > 0.1


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cell", swept(WITH_PRODUCT, lambda cell: cell in PARTS[0] + PARTS[2]))
def test_a_recurrent_mask_and_another_matrix_reach_the_product_alone(cell, training, inputs):
    layer = Direction(cell, K)
    layer.build((None, None, K))
    assign_random(layer)
    kept = random_values(B, K, seed=50)
    start = [
        0.5 + np.abs(random_values(B, K, seed=n + 5))  # above 0, as a normaliser must be
        for n in range(len(reference.first_states(cell, K)))
    ]
    matrix = random_values(*layer.cell.recurrent_kernel.shape, seed=51, scale=0.5)
    outputs, final = run_cell(
        layer.cell,
        tf.constant(inputs),
        [tf.constant(state) for state in start],
        tf.constant(LENGTHS),
        training=training,
        recurrent_kernel=tf.constant(matrix),
        recurrent_mask=tf.constant(kept),
    )
    place = 0 if cell == "elman" else 1
    weights = arrays(layer.cell)
    weights[place] = matrix
    expected = reference.run(
        cell, weights, inputs, LENGTHS, initial_states=start, recurrent_mask=kept
    )
    outputs = np.where(MASK[:, :, None], outputs, 0)
    assert_same((outputs, final), expected)


@pytest.mark.parametrize("training", [False, True])
def test_one_token_and_rows_without_any_are_computed(training, inputs):
    layer = body("gru")
    weights = [[arrays(way.cell) for way in ways] for ways in layer.directions]
    lengths = [1, 1, 0, 1]
    actual = layer(inputs[:, :1], mask=mask_of(lengths, 1), training=training)
    assert_same(actual, reference.stack("gru", weights, inputs[:, :1], lengths, "sum"))
    nothing = layer(inputs, mask=np.zeros((B, T), bool), training=training)
    assert all(not np.any(value) for value in tf.nest.flatten(nothing))


def test_supports_jit_is_false_where_the_lstm_runs_as_one_op():
    stands_in = block_lstm.available(LSTMCell(K))
    assert Recurrent("lstm", K).supports_jit == (not stands_in)
    assert Direction("lstm", K).supports_jit == (not stands_in)
    assert Recurrent("lstm", K, zoneout=0.1).supports_jit
    assert Recurrent("gru", K, bidirectional=True).supports_jit
    assert Recurrent("simple_rnn", K, num_layers=2).supports_jit


@pytest.mark.parametrize(
    ("cell", "training"),
    swept(
        [("simple_rnn", False), ("min_gru", False), ("gru", True)],
        lambda cell, training: training,
    ),
)
def test_values_and_gradients_are_the_same_under_xla_for_any_length(cell, training, inputs):
    layer = Recurrent(cell, K)
    layer.build((None, None, K))
    assign_random(layer)

    def compute(values, mask):
        with tf.GradientTape() as tape:
            outputs, final = layer(values, mask=mask, training=training)
            share = tf.range(1.0, tf.cast(tf.shape(outputs)[1] + 1, "float32"))
            loss = tf.reduce_sum(outputs * share[None, :, None])
            loss += tf.add_n([tf.reduce_sum(state**2) for state in tf.nest.flatten(final)])
        weights = [weight.value for weight in layer.trainable_weights]
        return outputs, final, tape.gradient(loss, weights)

    signature = [tf.TensorSpec((None, None, K)), tf.TensorSpec((None, None), tf.bool)]
    compiled = tf.function(compute, jit_compile=True, input_signature=signature)
    for time in (T, 2):
        mask = mask_of([min(length, time) for length in LENGTHS], time)
        given = tf.constant(inputs[:, :time]), tf.constant(mask)
        assert_same(compiled(*given), compute(*given))
