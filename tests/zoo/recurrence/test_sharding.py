"""Outside of training a large batch runs in shards, a small one does not: the same values."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import random_values
from tests.sweeps import swept
from zoo.layers import Recurrent
from zoo.recurrence import sharding

T, E, K = 5, 3, 3


@pytest.mark.parametrize(
    ("bidirectional", "cell"),
    swept(
        itertools.product([False, True], ["gru", "lstm", "min_gru"]),
        lambda bidirectional, cell: (bidirectional, cell) in ((False, "lstm"), (True, "gru")),
    ),
)
def test_a_large_batch_equals_its_rows(cell, bidirectional):
    layer = Recurrent(cell, K, bidirectional=bidirectional)
    graph = tf.function(
        lambda values, mask: tf.nest.flatten(layer(values, mask=mask)),
        input_signature=[tf.TensorSpec((None, None, E)), tf.TensorSpec((None, None), tf.bool)],
    )
    for rows in (sharding.LARGE, sharding.LARGE + 3):
        inputs = tf.constant(random_values(rows, T, E, seed=1))
        mask = tf.sequence_mask(np.arange(rows) % (T + 1), T)
        together = [graph(inputs, mask), tf.nest.flatten(layer(inputs, mask=mask))]
        halves = [
            tf.nest.flatten(layer(inputs[part], mask=mask[part]))
            for part in (slice(0, 10), slice(10, None))
        ]
        expected = [tf.concat(parts, axis=0) for parts in zip(*halves, strict=True)]
        for found in together:
            for value, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(value, other, atol=1e-6)


@pytest.mark.parametrize("shards", [2, 3])
@pytest.mark.parametrize("rows", [None, sharding.LARGE - 1, sharding.LARGE, sharding.LARGE + 1])
def test_only_large_batches_are_cut(rows, shards):
    seen = []

    def way(name):
        def run(inputs, lengths, states):
            seen.append((name, inputs.shape[0]))
            return inputs * 2, [states[0] + tf.cast(lengths, tf.float32)[:, None]]

        return run

    inputs = tf.constant(random_values(rows or 19, T, E, seed=2))
    lengths, state = tf.range(len(inputs)), inputs[:, 0]
    run = tf.function(
        lambda x, n, s: sharding.run(way("small"), way("large"), x, n, [s], shards),
        input_signature=[
            tf.TensorSpec((rows, *v.shape[1:]), v.dtype) for v in (inputs, lengths, state)
        ],
        autograph=False,
    )
    outputs, (final,) = run(inputs, lengths, state)
    np.testing.assert_array_equal(outputs, inputs * 2)
    np.testing.assert_array_equal(final, state + np.arange(len(inputs))[:, None])
    names = [name for name, _ in seen]
    if rows is None:
        assert names == ["small", *["large"] * shards]
    else:
        assert names == (["small"] if rows < sharding.LARGE else ["large"] * shards)
