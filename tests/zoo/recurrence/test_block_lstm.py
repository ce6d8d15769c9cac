"""The LSTM as one op: the same values and gradients as stepping the cell."""

import numpy as np
import pytest
import tensorflow as tf

from tests.references import reference
from tests.references.cells import E, K, built
from tests.references.reference import random_values
from tests.references.weights import arrays
from zoo.cells import GRUCell, LSTMCell, PeepholeLSTMCell
from zoo.recurrence import block_lstm
from zoo.recurrence.dispatch import run_cell
from zoo.recurrence.stepwise import Step, outputs_and_states

B, T = 3, 5
LENGTHS = [T] * B
CELLS = ["lstm", "lstm_peephole"]
needs_op = pytest.mark.skipif(
    not block_lstm.available(LSTMCell(K)), reason="the op stands in on a CPU alone"
)


def plain(cell, inputs, initial_state):
    return outputs_and_states(Step(cell), inputs, initial_state)[1]


def given():
    return [random_values(B, T, E, seed=2), *(random_values(B, K, seed=s) for s in (3, 4))]


def values_and_gradients(way, cell, eager=True, shares=(1.0, 1.0)):
    """Both states at all steps, and the gradients of a loss over them by name.

    `shares` weigh the parts of the loss: h and c.
    """
    parts = [share * random_values(B, T, K, seed=5 + n) for n, share in enumerate(shares)]
    weights = {weight.name: weight.value for weight in cell.trainable_weights}

    def compute(inputs, h0, c0):
        sources = {"inputs": inputs, "h0": h0, "c0": c0, **weights}
        with tf.GradientTape() as tape:
            tape.watch(sources)
            states = way(cell, inputs, [h0, c0])
            products = [tf.reduce_sum(v * p) for v, p in zip(states, parts, strict=True)]
            loss = tf.add_n(products)
        return states, tape.gradient(loss, sources)

    if not eager:
        shapes = [(None, None, E), (None, K), (None, K)]
        compute = tf.function(compute, input_signature=[tf.TensorSpec(shape) for shape in shapes])
    states, gradients = compute(*[tf.constant(array) for array in given()])
    return [np.array(state) for state in states], gradients


@needs_op
@pytest.mark.parametrize("eager", [True, False], ids=["eager", "graph"])
@pytest.mark.parametrize("name", CELLS)
def test_the_op_equals_stepping_the_cell(name, eager):
    cell = built(name)
    values, gradients = values_and_gradients(block_lstm.run, cell, eager)
    expected, expected_gradients = values_and_gradients(plain, cell)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    assert ("peepholes" in expected_gradients) == (name == "lstm_peephole")
    for source, gradient in expected_gradients.items():
        assert np.abs(gradient).max() > 0.1
        np.testing.assert_allclose(gradients[source], gradient, atol=1e-5, err_msg=source)


@needs_op
@pytest.mark.parametrize("shares", [(1, 0), (0, 1)], ids=["h", "c"])
@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_comes_from_each_state_alone(name, shares):
    cell = built(name)
    gradients = values_and_gradients(block_lstm.run, cell, shares=shares)[1]
    expected = values_and_gradients(plain, cell, shares=shares)[1]
    for source, gradient in expected.items():
        np.testing.assert_allclose(gradients[source], gradient, atol=1e-5, err_msg=source)


@needs_op
@pytest.mark.parametrize("name", CELLS)
def test_the_op_computes_the_equations(name):
    cell = built(name)
    h, c = values_and_gradients(block_lstm.run, cell)[0]
    inputs, *start = given()
    expected, final = reference.run(name, arrays(cell), inputs, LENGTHS, initial_states=start)
    np.testing.assert_allclose(h, expected, atol=1e-5)
    np.testing.assert_allclose([h[:, -1], c[:, -1]], final, atol=1e-5)


@needs_op
@pytest.mark.parametrize("name", CELLS)
def test_run_cell_takes_the_op_outside_of_training_and_gives_the_last_real_states(
    name, monkeypatch
):
    calls = []
    run = block_lstm.run
    monkeypatch.setattr(block_lstm, "run", lambda *values: calls.append(1) or run(*values))
    cell, lengths = built(name), [T, 2, 0]
    inputs, *start = [tf.constant(array) for array in given()]
    outputs, final = run_cell(cell, inputs, start, tf.constant(lengths))
    assert len(calls) == 1
    expected, expected_final = reference.run(
        name, arrays(cell), inputs.numpy(), lengths, initial_states=start
    )
    real = reference.mask_of(lengths, T)
    np.testing.assert_allclose(outputs.numpy()[real], expected[real], atol=1e-5)
    np.testing.assert_allclose(final, expected_final, atol=1e-5)
    run_cell(cell, inputs, start, tf.constant(lengths), recurrent_mask=tf.ones((B, K)))
    assert len(calls) == 1


def test_the_op_stands_in_for_the_zoo_lstms_in_float32_alone():
    class Derived(LSTMCell):
        pass

    assert not block_lstm.available(GRUCell(K))
    assert not block_lstm.available(Derived(K))
    assert not block_lstm.available(LSTMCell(K, dtype="float16"))
    assert not block_lstm.available(LSTMCell(K, dtype="mixed_bfloat16"))
    assert not block_lstm.available(LSTMCell(K, cell_clip=1.0))
    assert not block_lstm.available(PeepholeLSTMCell(K, cell_clip=1.0))


def native(cell, inputs, initial_state):
    """The raw op with the gradient that TensorFlow registers for it."""
    peephole = tf.zeros((K,))
    results = tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.constant(T, tf.int64),
        x=tf.transpose(inputs, (1, 0, 2)),
        cs_prev=initial_state[1],
        h_prev=initial_state[0],
        w=tf.concat([cell.kernel, cell.recurrent_kernel], axis=0),
        wci=peephole,
        wcf=peephole,
        wco=peephole,
        b=tf.convert_to_tensor(cell.bias),
        cell_clip=-1.0,
    )
    return [tf.transpose(value, (1, 0, 2)) for value in (results.h, results.cs)]


@needs_op
def test_the_gradient_that_tensorflow_registers_is_wrong():
    cell = built("lstm")
    values, gradients = values_and_gradients(native, cell)
    expected, expected_gradients = values_and_gradients(plain, cell)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    distance = np.abs(gradients["kernel"] - expected_gradients["kernel"]).max()
    assert distance > 0.1, (
        "TensorFlow's gradient is right now: drop that of zoo.recurrence.block_lstm"
    )
