"""The recurrent body: values, directions, stacks and states, with ragged rows against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference import mask_of, random_values
from tests.references.weights import arrays, assign_random
from zoo.layers import Direction, Recurrent
from zoo.layers.recurrent_options import MERGE_MODES

T, E, K = 5, 3, 2  # the cell without an input matrix reads K values
LENGTHS = [5, 1, 3, 0]
B = len(LENGTHS)
MASK = mask_of(LENGTHS, T)
SHAPES = [(1, False), (1, True), (2, False), (2, True)]
STACKS = [("lstm", *shape) for shape in SHAPES]
STACKS += [(cell, 2, True) for cell in zoo.cell_names() if cell not in ("lstm", "elman")]


@pytest.fixture
def cell():
    """The cell where a test asks for no other."""
    return "lstm"


@pytest.fixture
def inputs(cell):
    """Random also in the padding, where nothing may look."""
    return random_values(B, T, K if cell == "elman" else E, seed=3)


def body(cell, **options):
    """A recurrent body with random weights."""
    layer = Recurrent(cell, K, **options)
    layer.build((None, None, K if cell == "elman" else E))
    return assign_random(layer)


def direction(cell, **options):
    layer = Direction(cell, K, **options)
    layer.build((None, None, K if cell == "elman" else E))
    return assign_random(layer)


def weights_of(layer):
    return [[arrays(way.cell) for way in ways] for ways in layer.directions]


def states_like(cell, num_layers, num_directions):
    """Random initial states for all layers and directions, above 0 as a normaliser must be."""
    return [
        [
            [
                0.5 + np.abs(random_values(B, len(state), seed=100 * layer + 10 * way + number))
                for number, state in enumerate(reference.first_states(cell, K))
            ]
            for way in range(num_directions)
        ]
        for layer in range(num_layers)
    ]


def assert_same(actual, expected, atol=1e-5):
    """Outputs and final states, whose structure must be the same too."""
    tf.nest.assert_same_structure(actual, expected)
    for one, other in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("cell", zoo.cell_names())
def test_a_direction_computes_its_equations_in_ragged_rows(cell, backwards, inputs):
    layer = direction(cell, backwards=backwards)
    outputs, final = layer(inputs, mask=MASK)
    expected = reference.run(cell, arrays(layer.cell), inputs, LENGTHS, backwards)
    assert_same((outputs, final), expected)
    assert not np.any(np.array(outputs)[~MASK])


@pytest.mark.parametrize("cell", zoo.cell_names())
def test_backwards_reads_each_row_from_its_own_last_token(cell, inputs):
    layer = direction(cell, backwards=True)
    outputs = np.array(layer(inputs, mask=MASK)[0])
    for row, length in enumerate(LENGTHS):
        turned = inputs[row : row + 1, :length][:, ::-1]
        expected, _ = reference.run(cell, arrays(layer.cell), turned, [length])
        np.testing.assert_allclose(outputs[row, :length], expected[0, ::-1], atol=1e-5)
    forwards = reference.run(cell, arrays(layer.cell), inputs, LENGTHS)[0]
    assert np.abs(outputs - forwards)[MASK].max() > 0.01


@pytest.mark.parametrize(("cell", "num_layers", "bidirectional"), STACKS)
def test_a_stack_goes_on_from_all_its_initial_states(cell, num_layers, bidirectional, inputs):
    layer = body(cell, num_layers=num_layers, bidirectional=bidirectional)
    start = states_like(cell, num_layers, 2 if bidirectional else 1)
    actual = layer(inputs, mask=MASK, initial_states=start)
    assert_same(actual, reference.stack(cell, weights_of(layer), inputs, LENGTHS, "concat", start))
    without = layer(inputs, mask=MASK)
    assert_same(without, reference.stack(cell, weights_of(layer), inputs, LENGTHS))
    final = actual[1]
    for number in range(num_layers):  # a row without a token hands its state through
        for way, states in enumerate(final[number]):
            for state, first in zip(states, start[number][way], strict=True):
                np.testing.assert_array_equal(state[3], first[3])


@pytest.mark.parametrize("merge_mode", MERGE_MODES)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_two_directions_are_merged_as_asked(cell, merge_mode, inputs):
    layer = body(cell, num_layers=2, bidirectional=True, merge_mode=merge_mode)
    outputs, final = layer(inputs, mask=MASK)
    expected = reference.stack(cell, weights_of(layer), inputs, LENGTHS, merge_mode)
    assert_same((outputs, final), expected)
    assert outputs.shape == (B, T, 2 * K if merge_mode == "concat" else K)
    last = reference.merge([states[0] for states in expected[1][-1]], merge_mode)
    np.testing.assert_allclose(layer.last_output(final), last, atol=1e-5)


def loss_and_gradients(layer, inputs, mask):
    """Outputs, final states, and the gradients of a loss over all of them."""
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs, final = layer(inputs, mask=mask)
        share = random_values(B, T, outputs.shape[-1], seed=8)
        loss = tf.reduce_sum(outputs[:, :T] * share)
        for number, state in enumerate(tf.nest.flatten(final)):
            finite = tf.clip_by_value(state, -100, 100)
            loss += tf.reduce_sum(finite * random_values(B, K, seed=20 + number))
    weights = [weight.value for weight in layer.trainable_weights]
    gradients = tape.gradient(loss, [inputs, *weights])
    return outputs, final, gradients[0], [np.array(gradient) for gradient in gradients[1:]]


@pytest.mark.parametrize("cell", ["gru", "lstm", "min_gru", "simple_rnn"])
def test_more_padding_changes_neither_values_nor_gradients(cell, inputs):
    layer = body(cell, num_layers=2, bidirectional=True, merge_mode="sum")
    outputs, final, slopes, gradients = loss_and_gradients(layer, inputs, MASK)
    longer = np.concatenate([inputs, random_values(B, 3, inputs.shape[-1], seed=4)], axis=1)
    padded = loss_and_gradients(layer, longer, mask_of(LENGTHS, T + 3))
    assert_same((padded[0][:, :T], padded[1]), (outputs, final))
    assert not np.any(padded[0][:, T:])
    np.testing.assert_allclose(padded[2][:, :T], slopes, atol=1e-5)
    assert not np.any(np.array(padded[2])[~mask_of(LENGTHS, T + 3)])
    for gradient, other in zip(gradients, padded[3], strict=True):
        assert np.abs(gradient).max() > 1e-3
        np.testing.assert_allclose(gradient, other, atol=1e-5)


@pytest.mark.parametrize("cell", zoo.cell_names())
def test_permuting_the_batch_permutes_everything(cell, inputs):
    layer = body(cell, bidirectional=True)
    order = [2, 0, 3, 1]
    outputs, final = layer(inputs, mask=MASK)
    permuted = layer(inputs[order], mask=MASK[order])
    expected = tf.nest.map_structure(lambda value: np.array(value)[order], (outputs, final))
    assert_same(permuted, expected)


@pytest.mark.parametrize("cell", zoo.cell_names())
def test_only_the_backward_direction_sees_the_future(cell, inputs):
    changed = inputs.copy()
    changed[0, 3:] *= -3
    options = {"activation": "tanh"} if cell == "ind_rnn" else {}  # a dead relu sees nothing
    forwards = direction(cell, cell_options=options)
    backwards = direction(cell, cell_options=options, backwards=True)
    before, after = (np.array(forwards(x, mask=MASK)[0]) for x in (inputs, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[0, 3:] - after[0, 3:]).max() > 1e-3
    before, after = (np.array(backwards(x, mask=MASK)[0]) for x in (inputs, changed))
    assert np.abs(before[0, :3] - after[0, :3]).max() > 1e-3
    np.testing.assert_array_equal(before[1:], after[1:])


@pytest.mark.parametrize("cell", zoo.cell_names())
def test_one_token_and_none_at_all_give_finite_values(cell, inputs):
    layer = body(cell, bidirectional=True)
    outputs, final = layer(inputs[:, :1], mask=mask_of([1, 1, 1, 0], 1))
    expected = reference.stack(cell, weights_of(layer), inputs[:, :1], [1, 1, 1, 0])
    assert_same((outputs, final), expected)
    outputs, final = layer(inputs, mask=np.zeros((B, T), bool))
    assert not np.any(outputs)
    assert_same(final, layer.get_initial_states(B))


@pytest.mark.parametrize("kind", [Direction, Recurrent])
def test_a_config_gives_the_same_layer_again(kind, inputs):
    options = {"cell": "gru", "units": K, "cell_options": {"reset_after": False}}
    options |= {"input_dropout": 0.3, "recurrent_dropout": 0.2, "zoneout": 0.1, "weight_drop": 0.4}
    options["learned_initial_state"] = True
    if kind is Recurrent:
        options |= {"num_layers": 2, "bidirectional": True, "merge_mode": "sum", "dropout": 0.1}
        options |= {"residual": True, "dense_layers": 1, "dense_activation": "relu"}
    else:
        options |= {"backwards": True}
    config = kind(**options).get_config()
    assert {option: config[option] for option in options} == options
    layer, again = kind.from_config(config), kind.from_config(config)
    assert again.get_config() == config
    for one in (layer, again):
        one.build((None, None, E))
        assign_random(one)
    assert_same(again(inputs, mask=MASK), layer(inputs, mask=MASK))


def test_a_symbolic_call_knows_the_shapes_of_outputs_and_states():
    layer = Recurrent("lstm", K, num_layers=2, bidirectional=True)
    mask = keras.Input((None,), dtype="bool")
    outputs, final = layer(keras.Input((None, E)), mask=mask)
    assert outputs.shape == (None, None, 2 * K)
    assert [[[s.shape for s in way] for way in ways] for ways in final] == [
        [[(None, K)] * 2] * 2
    ] * 2


def test_stock_keras_lstm_works_by_a_registered_name_and_equals_ours(inputs):
    ours = body("lstm", num_layers=2, bidirectional=True)
    with zoo.registry.registered("stock_lstm", keras.layers.LSTMCell):
        stock = body("stock_lstm", num_layers=2, bidirectional=True)
        stock.set_weights(ours.get_weights())
        assert_same(stock(inputs, mask=MASK), ours(inputs, mask=MASK))
        start = states_like("lstm", 2, 2)
        actual = stock(inputs, mask=MASK, initial_states=start)
        assert_same(actual, ours(inputs, mask=MASK, initial_states=start))
