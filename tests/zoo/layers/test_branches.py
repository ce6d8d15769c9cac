"""One step of several inputs from the same states equals the steps one by one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.sweeps import swept
from zoo.errors import InputError
from zoo.layers import Recurrent

KEPT = ("elman", "gru", "lstm", "min_gru")


@pytest.mark.parametrize("units", [4, 32])  # from 32 units on, the elementwise part is compiled
@pytest.mark.parametrize("cell", swept(zoo.cell_names(), lambda cell: cell in KEPT))
def test_branches_equal_single_steps_and_have_their_gradients(cell: str, units: int):
    rng = np.random.default_rng(0)
    period, count, rows = 3, 5, 12
    size = units if cell == "elman" else 6
    layer = Recurrent(cell, units, num_layers=2, residual=True)
    layer(tf.zeros((1, 1, size)))
    x = rng.normal(size=(period, count, size)).astype("float32")
    every = np.tile(x, (rows // period, 1, 1)).reshape(-1, 1, size)
    # as after some steps: states that the cell can have
    _, states = layer(rng.normal(size=(rows, 4, size)).astype("float32"))
    repeated = keras.tree.map_structure(lambda state: tf.repeat(state, count, axis=0), states)
    for training in (False, True):
        results, gradients = [], []
        for one, starts, options in (
            (x, states, {"branches": True}),
            (every, repeated, {"return_last": True}),
        ):
            with tf.GradientTape() as tape:
                found = layer(one, initial_states=starts, training=training, **options)
                found = tf.reshape(found if "branches" in options else found[0], (-1, units))
                loss = tf.reduce_sum(tf.sin(found))
            results.append(found)
            gradients.append(tape.gradient(loss, layer.trainable_variables))
        np.testing.assert_allclose(*results, atol=2e-6)
        for ours, theirs in zip(*gradients, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-5, rtol=1e-4)


def test_branches_of_altered_products_and_of_zoneout_are_single_steps():
    x = np.random.default_rng(0).normal(size=(1, 3, 4)).astype("float32")
    states = [[[tf.ones((2, 8)) / 2]]]
    plain = Recurrent("gru", 8)
    plain(x)
    for option in ("zoneout", "recurrent_dropout", "weight_drop", "input_dropout"):
        layer = Recurrent("gru", 8, **{option: 0.5})
        layer(x)
        layer.set_weights(plain.get_weights())
        found = layer(x, initial_states=states, branches=True)
        wanted = plain(x, initial_states=states, branches=True)
        if option == "zoneout":  # the expected value of old and new
            wanted = (wanted + 0.5) / 2
        np.testing.assert_allclose(found, wanted, atol=1e-6)
        drawn = layer(x, initial_states=states, branches=True, training=True)
        assert np.abs(drawn - wanted).max() > 1e-3


def test_a_bidirectional_body_cannot_branch():
    layer = Recurrent("gru", 4, bidirectional=True)
    x = np.zeros((1, 3, 4), "float32")
    _, states = layer(x)
    with pytest.raises(InputError, match="no single step"):
        layer(x, initial_states=states, branches=True)


def test_branches_go_on_from_states_of_the_bodys_sizes():
    layer = Recurrent("gru", 4)
    x = np.zeros((1, 3, 4), "float32")
    layer(x)
    with pytest.raises(InputError, match="give initial_states"):
        layer(x, branches=True)
    with pytest.raises(InputError, match="state"):
        layer(x, initial_states=[[[tf.zeros((2, 5))]]], branches=True)
