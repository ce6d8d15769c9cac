"""The largest of many numbers, against a sort of all of them."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding.beam import FROM, WIDTH, largest
from zoo.decoding.filtering import RULED_OUT

SIZES = [3, FROM - 1, FROM, FROM + 1, 50 * WIDTH + 7]


def agrees(found, values, offsets, bars, count):
    """Whether these are the largest sums, in their order, each at a place of its own."""
    batch, rows = offsets.shape
    sums = values.reshape(batch, rows, values.shape[1]) + offsets[:, :, None] + bars  # (B, K, V)
    best = -np.sort(-sums.reshape(batch, rows * bars.size), axis=1)[:, :count]
    numbers, sequences, places = (each.numpy() for each in found)
    np.testing.assert_array_equal(numbers, best)
    for b in range(len(sums)):
        np.testing.assert_array_equal(sums[b, sequences[b], places[b]], best[b])
        pairs = zip(sequences[b].tolist(), places[b].tolist(), strict=True)
        assert len(set(pairs)) == count
    return True


def numbers(size, rows=3, batch=2, seed=0):
    rng = np.random.default_rng([size, seed])
    values = rng.normal(size=(batch * rows, size)).astype("float32")
    values[1:2] = -1e30 * abs(values[1:2])  # as low as what is ruled out
    return values, rng.normal(size=(batch, rows)).astype("float32")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 3, 40, None])
def test_it_gives_what_a_sort_of_all_gives(size, count):
    values, offsets = numbers(size)
    bars = np.zeros(size, "float32")
    count = min(count or 3 * size, 3 * size)
    found = largest(tf.constant(values), tf.constant(count), tf.constant(offsets), bars, ())
    assert agrees(found, values, offsets, bars, count)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("barred", [(0,), (0, 1, 2), (1, 33, 64, 65, 700)])
def test_what_is_barred_takes_no_place_even_where_it_is_the_largest(size, barred):
    barred = tuple(place for place in barred if place < size)
    values, offsets = numbers(size, seed=1)
    values[:, list(barred)] += 50  # in every sequence
    bars = np.zeros(size, "float32")
    bars[list(barred)] = RULED_OUT
    count = min(6, 3 * (size - len(barred)))
    found = largest(tf.constant(values), count, tf.constant(offsets), tf.constant(bars), barred)
    if size > 3:
        assert not set(barred) & set(found[2].numpy().ravel().tolist())
    assert agrees(found, values, offsets, bars, count)


def test_of_equal_values_each_place_comes_once():
    found, rows, places = largest(
        tf.ones([4, 2 * FROM]), 3 * WIDTH, tf.zeros([2, 2]), tf.zeros([2 * FROM]), ()
    )
    assert np.all(found == 1)
    for pair in zip(rows.numpy(), places.numpy(), strict=True):
        assert len(set(zip(*map(np.ndarray.tolist, pair), strict=True))) == 3 * WIDTH


def test_rows_and_count_may_be_inputs_of_a_graph():
    size = 2 * FROM + 1
    specs = [tf.TensorSpec([None, size]), tf.TensorSpec([], tf.int32), tf.TensorSpec([None, None])]
    bars = np.zeros(size, "float32")

    @tf.function(input_signature=specs, autograph=False)
    def graph(values, count, offsets):
        return largest(values, count, offsets, bars, ())

    for batch, rows, count in ((0, 2, 2), (1, 1, 1), (5, 3, 7)):
        values, offsets = numbers(size, rows, batch)
        found = graph(values, count, offsets)
        assert agrees(found, values, offsets, bars, count)
