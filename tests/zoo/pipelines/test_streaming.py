"""States in and out: reading in parts, and one token at a time."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference import mask_of, random_values
from tests.references.weights import arrays, assign_random
from zoo.layers import Recurrent

B, T, K = 3, 6, 3
LENGTHS = [6, 2, 4]
MASK = mask_of(LENGTHS, T)


@pytest.fixture
def inputs():
    return random_values(B, T, K, seed=3)


def body(cell, **options):
    """Two layers with random weights; E = K, as the cell without an input matrix needs it."""
    layer = Recurrent(cell, K, **{"num_layers": 2, **options})
    layer.build((None, None, K))
    return assign_random(layer)


def assert_same(actual, expected):
    tf.nest.assert_same_structure(actual, expected)
    for one, other in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def stepped(layer, inputs):
    """All tokens of rows without padding, one at a time: outputs (B, T, K), the last states."""
    states, outputs = layer.get_initial_states(len(inputs)), []
    for token in range(inputs.shape[1]):
        output, states = layer.step(tf.constant(inputs[:, token]), states)
        outputs.append(output)
    return np.stack(outputs, axis=1), states


@pytest.mark.parametrize("cell", zoo.cell_names())
def test_stepping_token_by_token_equals_reading_the_whole(cell, inputs):
    layer = body(cell, residual=True, dense_layers=1)
    outputs, final = layer(inputs, mask=np.ones((B, T), bool))
    assert np.abs(outputs).max() > 0.05
    actual = stepped(layer, inputs)
    assert_same(actual, (outputs, final))
    if not layer.has_own_output:
        np.testing.assert_allclose(layer.last_output(actual[1]), outputs[:, -1], atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm", "zoneout": 0.3},
        {"cell": "gru", "cell_options": {"reset_after": False}},
        {"cell": "min_gru", "learned_initial_state": True},
    ],
    ids=["zoneout", "reset_before", "learned_initial_state"],
)
def test_stepping_knows_every_option(options, inputs):
    layer = body(**options)
    assert_same(stepped(layer, inputs), layer(inputs, mask=np.ones((B, T), bool)))


def test_stepping_computes_the_equations_of_a_stack(inputs):
    layer = body("lstm")
    weights = [[arrays(way.cell) for way in ways] for ways in layer.directions]
    assert_same(stepped(layer, inputs), reference.stack("lstm", weights, inputs, [T] * B))


def test_a_bidirectional_body_refuses_to_step(inputs):
    layer = body("gru", bidirectional=True)
    with pytest.raises(zoo.InputError, match="bidirectional body cannot read one step at a time"):
        layer.step(inputs[:, 0], layer.get_initial_states(B))


@pytest.mark.parametrize("cell", zoo.cell_names())
def test_the_final_states_of_a_first_half_start_the_second_one(cell, inputs):
    layer, half = body(cell), 3
    whole, final = layer(inputs, mask=MASK)
    start, states = layer(inputs[:, :half], mask=MASK[:, :half])
    rest, states = layer(inputs[:, half:], mask=MASK[:, half:], initial_states=states)
    assert_same((np.concatenate([start, rest], axis=1), states), (whole, final))
    fresh, _ = layer(inputs[:, half:], mask=MASK[:, half:])
    assert np.abs(fresh - rest).max() > 1e-3, "the states of the first half make a difference"


@pytest.mark.parametrize("cell", ["gru", "lstm", "slstm"])
def test_both_directions_of_every_layer_start_from_their_own_states(cell, inputs):
    layer = body(cell, bidirectional=True)
    start = tf.nest.map_structure(np.array, layer.get_initial_states(B))
    number = 0
    for ways in start:
        for states in ways:
            for place, state in enumerate(states):
                states[place] = state + random_values(B, K, seed=30 + number)
                number += 1
    weights = [[arrays(way.cell) for way in ways] for ways in layer.directions]
    expected = reference.stack(cell, weights, inputs, LENGTHS, "concat", start)
    assert_same(layer(inputs, mask=MASK, initial_states=start), expected)


def test_the_initial_states_have_the_form_of_the_final_ones(inputs):
    layer = body("slstm", bidirectional=True)
    states = layer.get_initial_states(B)
    assert_same(states, [[[np.zeros((B, K))] * 3 + [np.full((B, K), -(2.0**100))]] * 2] * 2)
    final = layer(inputs, mask=np.zeros((B, T), bool))[1]
    assert_same(final, states)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda states: states[:1], r"got \[\[\[3, 3\], \[3, 3\]\]\]"),
        (lambda states: [ways[:1] for ways in states], r"got \[\[\[3, 3\]\], \[\[3, 3\]\]\]"),
        (
            lambda states: [[way[:1] for way in ways] for ways in states],
            r"got \[\[\[3\], \[3\]\], \[\[3\], \[3\]\]\]",
        ),
        (
            lambda states: [states[0], [[np.zeros((B, K + 1))] * 2] * 2],
            r"got \[\[\[3, 3\], \[3, 3\]\], \[\[4, 4\], \[4, 4\]\]\]",
        ),
        (lambda states: np.zeros((B, K), "float32"), "got .*(Tensor|array)"),
        (lambda states: [[None, None], [None, None]], "got .*None"),
        (lambda states: 0, "got 0"),
    ],
    ids=["layers", "directions", "states", "sizes", "one_array", "none", "number"],
)
def test_states_of_another_form_are_refused_with_the_right_one(change, got, inputs):
    layer = body("lstm", bidirectional=True)
    given = change(layer.get_initial_states(B))
    form = r"must be a list over layers of a list over directions .* of sizes \[\[\[3, 3\]"
    with pytest.raises(zoo.InputError, match=form) as error:
        layer(inputs, mask=MASK, initial_states=given)
    assert error.match(got)
    assert error.match(r"get_initial_states\(batch_size\) gives the form")


def test_a_step_refuses_states_of_another_form(inputs):
    layer = body("gru")
    with pytest.raises(zoo.InputError, match=r"sizes \[\[\[3\]\], \[\[3\]\]\], got \[\[\[3\]\]\]"):
        layer.step(inputs[:, 0], layer.get_initial_states(B)[:1])
