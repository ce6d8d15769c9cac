"""The recurrent body's dropouts: in training alone, by value, and the same for the same seed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference import mask_of, random_values
from tests.references.reference_cells import STEPS
from tests.references.weights import arrays, assign_random
from zoo.layers import Direction, Recurrent

B, T, E, K = 4, 5, 3, 3
LENGTHS = [5, 1, 3, 0]
MASK = mask_of(LENGTHS, T)
RATES = ["input_dropout", "recurrent_dropout", "zoneout", "weight_drop"]


@pytest.fixture
def inputs():
    return random_values(B, T, E, seed=3)


def built(layer):
    layer.build((None, None, E))
    return assign_random(layer)


def linear(units, kernel, recurrent_kernel, **options):
    """h_t = h_(t-1) U + x_t W, so that a mask can be read from the outputs."""
    layer = Direction("simple_rnn", units, cell_options={"activation": "linear"}, **options)
    layer.build((None, None, len(kernel)))
    layer.cell.set_weights([kernel, recurrent_kernel, np.zeros(units)])
    return layer


def outputs_of(layer, inputs, **arguments):
    full = np.ones(inputs.shape[:2], bool)
    return np.array(layer(inputs, mask=full, **arguments)[0])


def test_input_dropout_draws_one_mask_for_all_steps():
    size = 40
    layer = linear(size, np.eye(size), np.zeros((size, size)), input_dropout=0.25)
    inputs = random_values(8, 4, size, seed=2)
    np.testing.assert_allclose(outputs_of(layer, inputs), inputs, atol=1e-5)
    masks = outputs_of(layer, inputs, training=True) / inputs
    kept = masks[:, 0] > 0.5
    np.testing.assert_allclose(masks, np.repeat(kept[:, None] / 0.75, 4, axis=1), atol=1e-4)
    assert 0.65 < kept.mean() < 0.85
    assert np.any(kept[0] != kept[1]), "each row has a mask of its own"


def test_recurrent_dropout_draws_one_mask_for_all_steps():
    units, steps = 64, 6
    recurrent = 0.4 * np.eye(units)
    layer = linear(units, np.full((1, units), 0.3), recurrent, recurrent_dropout=0.5)
    outputs = outputs_of(layer, np.ones((2, steps, 1)), training=True)
    courses = {}
    for kept in (0, 2):  # each unit sees itself alone: dropped at all steps, or kept and doubled
        h, course = 0.0, []
        for _ in range(steps):
            h = 0.3 + 0.4 * kept * h
            course.append(h)
        courses[kept] = np.array(course)
    matches = {
        kept: np.all(np.abs(outputs - course[None, :, None]) < 1e-5, axis=1)
        for kept, course in courses.items()
    }
    assert np.all(matches[0] ^ matches[2])
    assert 0.3 < matches[0].mean() < 0.7
    assert np.any(matches[0][0] != matches[0][1]), "each row has a mask of its own"


def test_weight_drop_drops_weights_once_for_a_batch_and_all_steps():
    units = 16
    # whole numbers, so that sums are exact: processors round others by a row's place in a product
    matrix = np.random.default_rng(4).integers(1, 6, (units, units)).astype("float32")
    layer = linear(units, np.zeros((1, units)), matrix, weight_drop=0.5)
    start = [tf.concat([tf.eye(units), tf.eye(units)], axis=0)]
    inputs = np.zeros((2 * units, 2, 1), "float32")
    plain = outputs_of(layer, inputs, initial_state=start)
    np.testing.assert_allclose(plain[:units, 0], matrix, atol=1e-5)
    outputs = outputs_of(layer, inputs, initial_state=start, training=True)
    dropped = outputs[:units, 0]  # from the unit vectors, the first step shows the matrix
    kept = dropped != 0
    np.testing.assert_allclose(dropped, 2 * matrix * kept, atol=1e-4)
    assert 0.35 < kept.mean() < 0.65
    np.testing.assert_allclose(outputs[:units, 1], dropped @ dropped, rtol=1e-5)
    np.testing.assert_array_equal(outputs[:units], outputs[units:])


def zoned(cell, weights, inputs, rate):
    """The expected value under zoneout, row by row: every state keeps its share."""
    outputs = []
    for row in inputs.astype("float64"):
        states = reference.first_states(cell, K)
        for x in row:
            new = STEPS[cell](x, states, weights)
            states = [rate * a + (1 - rate) * b for a, b in zip(states, new, strict=True)]
            outputs.append(states[0])
    return np.reshape(outputs, (len(inputs), -1, K))


@pytest.mark.parametrize("cell", ["simple_rnn", "gru", "lstm", "min_gru"])
def test_zoneout_is_the_expected_value_in_inference(cell, inputs):
    layer = built(Direction(cell, K, zoneout=0.3))
    expected = zoned(cell, arrays(layer.cell), inputs, 0.3)
    np.testing.assert_allclose(outputs_of(layer, inputs), expected, atol=1e-5)
    without = reference.run(cell, arrays(layer.cell), inputs, [T] * B)[0]
    assert np.abs(expected - without).max() > 0.01


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_zoneout_keeps_exactly_the_old_elements_in_training(cell):
    units, rate = 24, 0.25
    layer = Direction(cell, units, zoneout=rate)
    layer.build((None, None, E))
    assign_random(layer)
    inputs = random_values(6, 7, E, seed=5)
    outputs = outputs_of(layer, inputs, training=True)
    before = np.concatenate([np.zeros((6, 1, units)), outputs[:, :-1]], axis=1)
    kept = outputs == before
    for row, step in np.ndindex(6, 7):
        (new,) = STEPS[cell](inputs[row, step], [before[row, step]], arrays(layer.cell))
        expected = np.where(kept[row, step], before[row, step], new)
        np.testing.assert_allclose(outputs[row, step], expected, atol=1e-5)
    assert 0.2 < kept.mean() < 0.3
    assert np.any(kept[:, 0] != kept[:, 1]), "each step draws anew"


def test_zoneout_reaches_every_state_of_an_lstm():
    layer = built(Direction("lstm", K, zoneout=0.5))
    start = [random_values(64, K, seed=n) for n in (6, 7)]
    inputs = random_values(64, 1, E, seed=8)
    final = layer(inputs, mask=np.ones((64, 1), bool), initial_state=start, training=True)[1]
    shares = [np.mean(np.array(one) == other) for one, other in zip(final, start, strict=True)]
    assert np.all(np.abs(np.array(shares) - 0.5) < 0.15)
    assert np.any((final[0] == start[0]) != (final[1] == start[1])), "h and c on their own"


@pytest.mark.parametrize("rate", RATES)
def test_a_dropout_acts_in_training_alone(rate, inputs):
    units = 24  # so many that two masks are never the same
    layer, plain = (built(Recurrent("gru", units, **options)) for options in ({rate: 0.5}, {}))
    expected = np.array(plain(inputs, mask=MASK)[0])
    trained = [np.array(layer(inputs, mask=MASK, training=True)[0]) for _ in range(2)]
    assert np.abs(trained[0] - expected).max() > 1e-3
    assert np.abs(trained[0] - trained[1]).max() > 1e-3, "each call draws anew"
    assert not np.any(trained[0][~MASK])
    if rate != "zoneout":  # whose inference is the expected value, tested above
        np.testing.assert_allclose(layer(inputs, mask=MASK)[0], expected, atol=1e-5)


def test_dropout_acts_between_layers_in_training_alone(inputs):
    for num_layers in (1, 2):
        layer = built(Recurrent("min_gru", K, num_layers=num_layers, dropout=0.5))
        weights = [[arrays(way.cell) for way in ways] for ways in layer.directions]
        expected = reference.stack("min_gru", weights, inputs, LENGTHS)[0]
        np.testing.assert_allclose(layer(inputs, mask=MASK)[0], expected, atol=1e-5)
        trained = layer(inputs, mask=MASK, training=True)[0]
        assert (np.abs(trained - expected).max() > 1e-3) == (num_layers == 2)


def test_the_same_seed_gives_the_same_result(inputs):
    rates = dict.fromkeys([*RATES, "dropout"], 0.4)

    def drawn(seed):
        keras.utils.set_random_seed(seed)
        layer = built(Recurrent("gru", K, num_layers=2, bidirectional=True, **rates))
        return np.array(layer(inputs, mask=MASK, training=True)[0])

    first = drawn(5)
    np.testing.assert_array_equal(drawn(5), first)
    assert np.abs(drawn(6) - first).max() > 1e-3


def test_the_dropouts_reach_every_direction_of_a_stack():
    rates = {rate: 0.1 * number for number, rate in enumerate(RATES, 1)}
    layer = Recurrent("gru", K, num_layers=2, bidirectional=True, **rates)
    ways = [way for ways in layer.directions for way in ways]
    assert [{rate: getattr(way.options, rate) for rate in RATES} for way in ways] == [rates] * 4


@pytest.mark.parametrize("rate", ["dropout", *RATES])
@pytest.mark.parametrize("value", [1.5, 1, -0.1, True, "0.5"])
def test_a_rate_that_is_none_is_named(rate, value):
    with pytest.raises(zoo.InputError, match=f"^{rate} must be a number from 0 up to") as error:
        Recurrent("gru", K, **{rate: value})
    assert str(error.value).endswith(f"got {value!r}")


@pytest.mark.parametrize("rate", ["recurrent_dropout", "weight_drop"])
def test_a_cell_without_a_recurrent_product_has_nothing_to_drop_there(rate):
    message = f"{rate} acts on the recurrent product .*'{{}}' has not: set {rate} to 0"
    with pytest.raises(zoo.InputError, match=message.format("min_gru")):
        Recurrent("min_gru", K, **{rate: 0.1})
    with (
        zoo.registry.registered("stock_lstm", keras.layers.LSTMCell),
        pytest.raises(zoo.InputError, match=message.format("stock_lstm")),
    ):
        Recurrent("stock_lstm", K, **{rate: 0.1})
