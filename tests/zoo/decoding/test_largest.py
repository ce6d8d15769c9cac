"""The largest of many numbers, against `tf.math.top_k`."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding.largest import FROM, WIDTH, largest


@pytest.mark.parametrize("size", [3, FROM - 1, FROM, FROM + 1, 50 * WIDTH + 7])
@pytest.mark.parametrize("count", [1, 3, 40, None])
def test_it_gives_what_top_k_gives(size, count):
    values = np.random.default_rng(size).normal(size=(4, size)).astype("float32")
    values[1] *= -1e30  # as low as what is ruled out
    count = min(count or size, size)
    expected = tf.math.top_k(values, count)
    found, places = largest(tf.constant(values), tf.constant(count))
    np.testing.assert_array_equal(found, expected.values)
    np.testing.assert_array_equal(places, expected.indices)


def test_of_equal_values_each_place_comes_once():
    values = tf.ones([2, 2 * FROM])
    found, places = largest(values, 3 * WIDTH)
    assert np.all(found == 1)
    for row in places.numpy():
        assert len(set(row.tolist())) == 3 * WIDTH and row.max() < 2 * FROM


def test_rows_and_count_may_be_inputs_of_a_graph():
    wide = tf.TensorSpec([None, 2 * FROM + 1], tf.float32)

    @tf.function(input_signature=[wide, tf.TensorSpec([], tf.int32)], autograph=False)
    def graph(values, count):
        return largest(values, count)

    for rows, count in ((0, 2), (1, 1), (5, 7)):
        values = np.random.default_rng(rows).normal(size=(rows, 2 * FROM + 1)).astype("float32")
        expected = tf.math.top_k(values, count)
        found, places = graph(values, count)
        np.testing.assert_array_equal(found, expected.values)
        np.testing.assert_array_equal(places, expected.indices)
