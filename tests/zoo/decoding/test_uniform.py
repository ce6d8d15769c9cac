"""Random numbers by row: Threefry's known answers, and what a number depends on."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from zoo.decoding import sample_seeds, uniform
from zoo.decoding.uniform import threefry

# of Random123, kat_vectors: key, counter, result of threefry2x32 with 20 rounds
KNOWN = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "counter", "expected"), KNOWN)
def test_threefry_gives_its_known_answers(key, counter, expected):
    given = [[tf.constant([word], tf.uint32) for word in pair] for pair in (key, counter)]
    assert tuple(int(word[0]) for word in threefry(*given)) == expected


def test_a_number_depends_on_its_seed_and_step_alone():
    seeds = tf.constant([3, 8, 3, -1, 2147483647])
    numbers = uniform(seeds, 5, 40).numpy()
    for row, seed in enumerate(seeds.numpy()):
        np.testing.assert_array_equal(numbers[row, :7], uniform(tf.constant([seed]), 1, 7)[0])
    np.testing.assert_array_equal(numbers[0], numbers[2])
    assert len(set(numbers[[0, 1, 3, 4]].ravel())) == 4 * 40


def test_with_one_seed_rows_differ_and_the_first_is_that_of_the_seed():
    numbers = uniform(9, 50, 20).numpy()
    np.testing.assert_array_equal(numbers[:1], uniform(tf.constant([9]), 1, 20))
    assert len(set(numbers.ravel())) == 1000
    np.testing.assert_array_equal(numbers[:3], uniform(9, 3, 20))


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_numbers_are_uniform_over_rows_and_over_steps(seed):
    numbers = uniform(tf.range(seed, seed + 300), 300, 300).numpy()
    assert numbers.min() >= 0 and numbers.max() < 1
    for values in (numbers.ravel(), numbers[:, 0], numbers[7], numbers[:, 99]):
        assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1]) < 0.015


def test_samples_have_seeds_of_their_own():
    assert sample_seeds(7, 4)[0] == 7 and sample_seeds(7, 6)[:4] == sample_seeds(7, 4)
    every = [seed for first in range(50) for seed in sample_seeds(first, 20)]
    assert len(set(every)) == 1000 and min(every) >= 0 and max(every) < 2**31
