"""Whatever cell `keras.layers.RNN` takes, the recurrent body takes, with the same values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import keras_cells
from tests.references.reference import mask_of, random_values
from tests.sweeps import swept
from zoo.errors import InputError
from zoo.layers import Direction, Recurrent, named_states
from zoo.registry import registered

B, T, E, K = 3, 5, 4, 3
INPUTS = random_values(B, T, E, seed=1)
IDS = np.array([[1, 2, 3, 0], [4, 5, 0, 0], [3, 3, 3, 3]])


KEPT = ("wider_output", "counting", "stack", "keras_lstm")


@pytest.fixture(params=swept(keras_cells.CELLS, lambda kind: kind in KEPT))
def cell(request):
    """A registered cell's name."""
    with registered(request.param, keras_cells.CELLS[request.param]):
        yield request.param


def keras_rnn(cell, inputs, **options):
    """What Keras gives: outputs (B, T, D) and flat states."""
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True, **options)
    outputs, *states = layer(inputs)
    return np.array(outputs), [np.array(state) for state in keras.tree.flatten(states)]


@pytest.mark.parametrize("training", [False, True])
def test_outputs_and_states_are_those_of_keras(cell, training):
    body = Recurrent(cell, K)
    outputs, [[states]] = body(INPUTS, training=training)
    expected, final = keras_rnn(body.directions[0][0].cell, INPUTS)
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    assert body.output_size == expected.shape[-1]
    for state, other in zip(states, final, strict=True):
        np.testing.assert_allclose(state, other, atol=1e-6)


def test_both_directions_and_layers_are_those_of_keras(cell):
    body = Recurrent(cell, K, num_layers=2, bidirectional=True)
    outputs, _, last = body(INPUTS, return_last=True)
    values = INPUTS
    for forward, backward in body.directions:
        there, _ = keras_rnn(forward.cell, values)
        back, _ = keras_rnn(backward.cell, values, go_backwards=True)
        ends = np.concatenate([there[:, -1], back[:, -1]], axis=-1)
        values = np.concatenate([there, back[:, ::-1]], axis=-1)
    np.testing.assert_allclose(outputs, values, atol=1e-6)
    np.testing.assert_allclose(last, ends, atol=1e-6)


def test_padding_changes_neither_outputs_nor_states_nor_the_last_output(cell):
    body = Recurrent(cell, K, bidirectional=True)
    lengths = [5, 2, 4]
    outputs, states, last = body(INPUTS, mask=mask_of(lengths, T), return_last=True)
    assert not np.any(np.array(outputs)[~mask_of(lengths, T)])
    for row, length in enumerate(lengths):
        alone = body(INPUTS[row : row + 1, :length], return_last=True)
        expected = keras.tree.flatten(alone)
        found = [outputs[row : row + 1, :length], *keras.tree.flatten(states), last]
        found = [found[0], *[each[row : row + 1] for each in found[1:]]]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_stepping_equals_scanning(cell):
    body = Recurrent(cell, K, num_layers=2)
    expected, final = body(INPUTS)
    states = body.get_initial_states(B)
    for step in range(T):
        output, states = body.step(INPUTS[:, step], states)
        np.testing.assert_allclose(output, expected[:, step], atol=1e-6)
    for one, other in zip(keras.tree.flatten(states), keras.tree.flatten(final), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    "cell",
    swept(["wider_output", "stack", "bare"], lambda kind: kind == "wider_output"),
    indirect=True,
)
@pytest.mark.usefixtures("eagerly")
def test_a_classifier_with_it_is_fitted_saved_loaded_and_exported(cell, tmp_path):
    model = zoo.build("many_to_one", vocabulary_size=9, num_classes=2, cell=cell, units=K)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [np.array(weight) for weight in model.trainable_weights]
    model.fit(IDS, np.array([0, 1, 0]), verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(np.array(weight) != old), weight.path
    expected = model.predict(IDS, verbose=0)
    alone = model(IDS[1:2, :2])
    np.testing.assert_allclose(alone, expected[1:2], atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(IDS), expected, atol=1e-6)
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(tf.constant(IDS, tf.int32)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("many_to_many", {"vocabulary_size": 9, "num_tags": 2, "bidirectional": True}),
        ("language_model", {"vocabulary_size": 9, "explicit_states": True}),
        ("one_to_many", {"vocabulary_size": 9, "num_classes": 2}),
        ("encoder_decoder", {"source_vocabulary_size": 9, "target_vocabulary_size": 9}),
        ("bahdanau", {"source_vocabulary_size": 9, "target_vocabulary_size": 9}),
        (
            "encoder_decoder",
            {"source_vocabulary_size": 9, "target_vocabulary_size": 9, "attention": "none"},
        ),
    ],
)
@pytest.mark.parametrize(
    "kind", swept(["minimal", "wider_output", "stack"], lambda kind: kind == "stack")
)
def test_every_builder_takes_it_and_padding_changes_nothing(kind, name, options):
    with registered(kind, keras_cells.CELLS[kind]):
        model = zoo.build(name, cell=kind, units=4, embedding_dim=4, **options)
        inputs = {
            "token_ids": IDS,
            "class_ids": np.array([0, 1, 1]),
            "source_ids": IDS,
            "target_ids": IDS,
        }
        if name == "language_model":
            states = model.get_layer("body").get_initial_states(3)
            inputs |= {key: np.array(state) for key, state in named_states(states).items()}
        taken = model.input if isinstance(model.input, dict) else {"token_ids": None}
        given = {key: inputs[key] for key in taken}

        def logits(values):
            outputs = model(values if isinstance(model.input, dict) else values["token_ids"])
            return np.array(outputs["logits"] if isinstance(outputs, dict) else outputs)

        found = logits(given)
        tokens = ("token_ids", "source_ids", "target_ids")
        longer = {
            key: np.pad(value, ((0, 0), (0, 2))) if key in tokens else value
            for key, value in given.items()
        }
        real = IDS != 0
        np.testing.assert_allclose(logits(longer)[:, :4][real], found[real], atol=1e-5)
        assert np.all(np.isfinite(found))


@pytest.mark.parametrize("options", [{}, {"dropout": 0.5, "recurrent_dropout": 0.5}])
def test_the_dropout_of_a_stock_cell_acts_in_training_alone(options):
    with registered("keras_lstm", keras.layers.LSTMCell):
        layer = Direction("keras_lstm", K, cell_options=options)
        train = tf.function(lambda values: layer(values, training=True)[0])
        first, second = np.array(train(INPUTS)), np.array(train(INPUTS))
        assert np.any(first != second) == bool(options)
        expected, _ = keras_rnn(layer.cell, INPUTS)
        np.testing.assert_allclose(layer(INPUTS)[0], expected, atol=1e-6)


@pytest.mark.parametrize("kind", [keras_cells.HalvedLSTMCell, keras_cells.OwnCallLSTMCell])
@pytest.mark.parametrize("training", [False, True])
def test_what_a_subclass_of_a_zoo_cell_changes_holds_in_every_way_through_time(kind, training):
    with registered("changed", kind):
        layer = Direction("changed", 32)  # from 32 units on loops are compiled
        outputs, _ = layer(INPUTS, training=training)
        expected, _ = keras_rnn(layer.cell, INPUTS)
        np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_the_last_output_of_states_that_do_not_hold_it_is_refused():
    with registered("counting", keras_cells.CountingCell):
        body = Recurrent("counting", K)
        _, final = body(INPUTS)
        with pytest.raises(InputError, match="call the body with return_last=True"):
            body.last_output(final)
