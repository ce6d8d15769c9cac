"""The gradient of every cell against the slope of its loss, in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.references.cells import IDS, VARIANTS, K, built, input_size
from tests.references.reference import random_values
from tests.references.reference_cells import first_states

B, T = 2, 3
STEP = 1e-5
ENTRIES = 3  # of each weight and each input


def slope(loss, variable, place):
    """The central difference of a loss at one entry of a variable."""
    value = variable.numpy()
    sides = []
    for sign in (1, -1):
        moved = value.copy()
        moved[place] += sign * STEP
        variable.assign(moved)
        sides.append(loss().numpy())
    variable.assign(value)
    return (sides[0] - sides[1]) / (2 * STEP)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=IDS)
def test_a_gradient_is_the_slope_of_the_loss(name, options):
    cell = built(name, options, dtype="float64")
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    layer.build((B, T, input_size(name)))
    inputs = random_values(B, T, input_size(name), seed=3)
    sizes = [len(state) for state in first_states(name, K, options)]
    states = [random_values(B, size, seed=n + 5) for n, size in enumerate(sizes)]
    given = [tf.Variable(value.astype("float64")) for value in [inputs, *states]]
    shares = [
        random_values(*shape, seed=9) for shape in [(B, T, K), *((B, size) for size in sizes)]
    ]

    def loss():
        inputs, *start = [tf.identity(value) for value in given]
        results = layer(inputs, initial_state=start)
        return tf.add_n([tf.reduce_sum(r * s) for r, s in zip(results, shares, strict=True)])

    variables = [weight.value for weight in cell.trainable_weights] + given
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, variables)
    compiled = tf.function(loss, autograph=False)
    np.testing.assert_allclose(compiled(), value, rtol=1e-12)
    for number, (variable, gradient) in enumerate(zip(variables, gradients, strict=True)):
        draws = np.random.default_rng([number, *variable.shape])
        places = [tuple(draws.integers(0, variable.shape)) for _ in range(ENTRIES)]
        slopes = [slope(compiled, variable, place) for place in places]
        assert np.abs(gradient).max() > 1e-4, f"nothing to check at {number}"
        found = [gradient.numpy()[place] for place in places]
        np.testing.assert_allclose(found, slopes, rtol=1e-6, atol=1e-8, err_msg=str(number))
