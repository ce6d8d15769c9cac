"""What a decoder begins with: values, and rows that do without."""

import keras
import numpy as np
import pytest

from tests.references.reference import random_values
from tests.references.weights import assign_random, by_path
from zoo.errors import InputError
from zoo.layers import Recurrent, RowDropout, StateBridge

VECTORS = random_values(3, 4, seed=2)


@pytest.mark.parametrize(("cell", "count"), [("gru", 1), ("lstm", 2), ("slstm", 4)])
def test_each_state_of_each_layer_is_a_dense_layer_of_its_own(cell, count):
    bridge = StateBridge(cell, 5, num_layers=2, name="bridge")
    bridge.build(VECTORS.shape)
    assign_random(bridge)
    weights, states = by_path(bridge), bridge(VECTORS)
    assert len(weights) == 2 * 2 * count
    for layer, ((*found,),) in enumerate(states):
        assert len(found) == count
        for number, state in enumerate(found):
            path = f"bridge/state_{layer}_{number}"
            expected = np.tanh(VECTORS @ weights[f"{path}/kernel"] + weights[f"{path}/bias"])
            if (cell, number) == ("slstm", 2):  # the normaliser
                expected = np.exp(expected)
            np.testing.assert_allclose(state, expected, atol=1e-6)
    body = Recurrent(cell, 5, num_layers=2)
    inputs, mask = random_values(3, 2, 4), np.ones((3, 2), bool)
    assert body(inputs, mask=mask, initial_states=states)[0].shape == (3, 2, 5)


def test_a_keras_cell_begins_with_the_values_themselves():
    from zoo.registry import registered

    with registered("stock_lstm", keras.layers.LSTMCell):
        states = StateBridge("stock_lstm", 3)(VECTORS)
    assert [state.shape for state in states[0][0]] == [(3, 3), (3, 3)]


def test_whole_rows_are_dropped_and_the_others_stay_as_they_are():
    rows = np.ones((1000, 3), "float32") * np.arange(1, 4)
    layer = RowDropout(0.3)
    np.testing.assert_array_equal(layer(rows), rows)
    drawn = np.array(layer(rows, training=True))
    dropped = ~drawn.any(axis=1)
    np.testing.assert_array_equal(drawn[~dropped], rows[~dropped])
    assert 0.24 < dropped.mean() < 0.36
    assert np.any(np.array(layer(rows, training=True)) != drawn), "drawn anew for each batch"
    again = RowDropout.from_config(layer.get_config())
    assert again.rate == 0.3


def test_wrong_options_are_named():
    with pytest.raises(InputError, match="units must be a positive int, got 0"):
        StateBridge("gru", 0)
    with pytest.raises(InputError, match="num_layers must be a positive int, got 0"):
        StateBridge("gru", 2, num_layers=0)
    with pytest.raises(InputError, match="unknown cell 'lst'"):
        StateBridge("lst", 2)
    with pytest.raises(InputError, match="rate must be"):
        RowDropout(1.0)
