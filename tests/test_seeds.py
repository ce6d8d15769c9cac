"""Each test draws the same numbers, whatever ran before it."""

import random

import keras
import numpy as np
import pytest

seen: list[tuple[float, ...]] = []


@pytest.mark.parametrize("time", ["first", "again"])
def test_numbers_without_a_seed_of_their_own_are_the_same_in_each_test(time):
    weight = keras.layers.Dense(1)
    weight.build((1, 1))
    drawn = (
        random.random(),
        float(np.random.random()),
        float(keras.random.uniform(())),
        float(weight.kernel[0, 0]),
    )
    seen.append(drawn)
    assert drawn == seen[0]
    assert random.random() != drawn[0]
