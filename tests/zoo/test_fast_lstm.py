"""The LSTM as one op: the same values and gradients as stepping the cell."""

import numpy as np
import pytest
import tensorflow as tf

from tests import reference
from tests.reference import random_values
from tests.weights import arrays, assign_random
from zoo.cells import GRUCell, LSTMCell, fast_lstm
from zoo.layers.scan import run_cell

B, T, E, K = 3, 5, 4, 3
NAMES = ["inputs", "h0", "c0", "kernel", "recurrent_kernel", "bias"]
needs_op = pytest.mark.skipif(
    not fast_lstm.available(LSTMCell(K)), reason="the op stands in on a CPU alone"
)


@pytest.fixture
def cell():
    cell = LSTMCell(K)
    cell.build((None, E))
    return assign_random(cell)


def fast(cell, inputs, h0, c0):
    return fast_lstm.run(cell, inputs, [h0, c0])


def plain(cell, inputs, h0, c0):
    return run_cell(cell, inputs, [h0, c0], recurrent_mask=tf.ones_like(h0))


def values_and_gradients(way, cell, eager=True, shares=(1.0, 1.0, 1.0)):
    """Outputs, both states at all steps, and the gradients of a loss over them by name.

    `shares` weigh the parts of the loss: the outputs, h and c.
    """
    given = [random_values(B, T, E, seed=2), *(random_values(B, K, seed=s) for s in (3, 4))]
    parts = [share * random_values(B, T, K, seed=5 + n) for n, share in enumerate(shares)]

    def compute(inputs, h0, c0):
        sources = [inputs, h0, c0]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs, (h, c) = way(cell, inputs, h0, c0)
            kept = (outputs, h, c)
            loss = tf.add_n([tf.reduce_sum(v * p) for v, p in zip(kept, parts, strict=True)])
        weights = [weight.value for weight in cell.trainable_weights]
        return kept, tape.gradient(loss, sources + weights)

    if not eager:
        shapes = [(None, None, E), (None, K), (None, K)]
        compute = tf.function(compute, input_signature=[tf.TensorSpec(shape) for shape in shapes])
    kept, gradients = compute(*[tf.constant(array) for array in given])
    return [np.array(value) for value in kept], dict(
        zip(NAMES, map(np.array, gradients), strict=True)
    )


@needs_op
@pytest.mark.parametrize("eager", [True, False], ids=["eager", "graph"])
def test_the_op_equals_stepping_the_cell(cell, eager):
    values, gradients = values_and_gradients(fast, cell, eager)
    expected, expected_gradients = values_and_gradients(plain, cell, eager)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    for name in NAMES:
        assert np.abs(expected_gradients[name]).max() > 0.1
        np.testing.assert_allclose(
            gradients[name], expected_gradients[name], atol=1e-5, err_msg=name
        )


@needs_op
@pytest.mark.parametrize("shares", [(1, 0, 0), (0, 1, 0), (0, 0, 1)], ids=["outputs", "h", "c"])
def test_the_gradient_comes_from_each_result_alone(cell, shares):
    gradients = values_and_gradients(fast, cell, shares=shares)[1]
    expected = values_and_gradients(plain, cell, shares=shares)[1]
    for name in NAMES:
        np.testing.assert_allclose(gradients[name], expected[name], atol=1e-5, err_msg=name)


@needs_op
def test_the_op_computes_the_equations(cell):
    (outputs, h, c), _ = values_and_gradients(fast, cell)
    inputs, h0, c0 = random_values(B, T, E, seed=2), *(random_values(B, K, seed=s) for s in (3, 4))
    expected, final = reference.run("lstm", arrays(cell), inputs, [T] * B, False, [h0, c0])
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_array_equal(outputs, h)
    np.testing.assert_allclose(c[:, -1], final[1], atol=1e-5)


@needs_op
def test_run_cell_takes_the_op_unless_a_recurrent_mask_is_given(cell, monkeypatch):
    calls = []
    run = fast_lstm.run
    monkeypatch.setattr(fast_lstm, "run", lambda *given: calls.append(1) or run(*given))
    inputs, zeros = tf.ones((B, T, E)), tf.zeros((B, K))
    run_cell(cell, inputs, [zeros, zeros])
    assert len(calls) == 1
    run_cell(cell, inputs, [zeros, zeros], tf.ones((B, K)))
    assert len(calls) == 1


def test_the_op_stands_in_for_the_zoo_lstm_in_float32_alone():
    class Derived(LSTMCell):
        pass

    assert not fast_lstm.available(GRUCell(K))
    assert not fast_lstm.available(Derived(K))
    assert not fast_lstm.available(LSTMCell(K, dtype="float16"))
    assert not fast_lstm.available(LSTMCell(K, dtype="mixed_bfloat16"))


def native(cell, inputs, h0, c0):
    """The raw op with the gradient that TensorFlow registers for it."""
    peephole = tf.zeros((K,))
    results = tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.constant(T, tf.int64),
        x=tf.transpose(inputs, (1, 0, 2)),
        cs_prev=c0,
        h_prev=h0,
        w=tf.concat([cell.kernel, cell.recurrent_kernel], axis=0),
        wci=peephole,
        wcf=peephole,
        wco=peephole,
        b=tf.convert_to_tensor(cell.bias),
        cell_clip=-1.0,
    )
    h, c = (tf.transpose(value, (1, 0, 2)) for value in (results.h, results.cs))
    return h, [h, c]


@needs_op
def test_the_gradient_that_tensorflow_registers_is_wrong(cell):
    values, gradients = values_and_gradients(native, cell)
    expected, expected_gradients = values_and_gradients(plain, cell)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    distance = np.abs(gradients["kernel"] - expected_gradients["kernel"]).max()
    assert distance > 0.1, "TensorFlow's gradient is right now: remove zoo/cells/fast_lstm.py's own"
