"""Batches of series, and their random changes in training."""

import numpy as np
import pytest

from recipes.training.augmentation import Augmentation, resampled
from recipes.training.batches import Encoded
from recipes.training.number_batches import NumberBatches
from zoo.errors import InputError

LENGTHS = [3, 8, 5, 8, 2]


def batches(**options):
    rows = [np.full((n, 2), place + 1, np.float32) for place, n in enumerate(LENGTHS)]
    return NumberBatches(Encoded(rows, np.arange(5)), 2, [5, 8], **options)


def test_a_batch_has_the_values_with_zeros_behind_them_and_their_lengths():
    inputs, labels = batches().batch(np.array([2, 0]))
    assert inputs["values"].shape == (2, 5, 2) and inputs["values"].dtype == np.float32
    assert inputs["lengths"].tolist() == [5, 3] and labels.tolist() == [2, 0]
    assert inputs["values"][1, :, 1].tolist() == [1, 1, 1, 0, 0]


def test_every_series_comes_once_an_epoch():
    seen = [member for *_, members in batches()((0, 3)) for member in members.tolist()]
    assert sorted(seen) == list(range(5))


def test_a_model_that_reads_eight_steps_as_one_has_smaller_batches():
    assert batches().largest_batch == (2, 8)
    assert batches(hop=8).largest_batch == (2, 1)
    assert [len(each) for each in batches().bounded(8)] == [1, 1, 1, 1, 1]
    assert [len(each) for each in batches(hop=2).bounded(8)] == [2, 1, 2]


def test_changes_are_those_of_seed_and_epoch_and_are_made_in_training_alone():
    changed = batches(augmentation=Augmentation(scale=1.0))

    def values(seed):
        return np.concatenate([inputs["values"].ravel() for inputs, *_ in changed(seed)])

    assert np.array_equal(values((1, 0)), values((1, 0)))
    assert not np.array_equal(np.sort(values((1, 0))), np.sort(values((1, 1))))
    assert np.array_equal(
        values(None), np.concatenate([b[0]["values"].ravel() for b in batches()()])
    )
    for inputs, _, members in changed((2, 0)):
        for row, length, member in zip(inputs["values"], inputs["lengths"], members, strict=True):
            assert length == LENGTHS[member]
            assert 0.5 <= row[0, 0] / (member + 1) <= 2
            assert np.all(row[:length] == row[0, 0]) and not row[length:].any()


def test_a_series_is_stretched_and_shifted_within_the_fractions_with_its_ends_in_place():
    values = np.linspace(3, 7, 50, dtype=np.float32)[:, None] * np.array([1, -1], np.float32)
    rng = np.random.default_rng(0)
    lengths = set()
    for _ in range(200):
        found = Augmentation(speed=0.25)(values, rng)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[[0, -1]], values[[0, -1]], rtol=1e-6)
        np.testing.assert_allclose(found[:, 0], np.linspace(3, 7, len(found)), rtol=1e-5)
        lengths.add(len(found))
    assert min(lengths) == 40 and max(lengths) == 62
    found = Augmentation(shift=0.1)(values, rng)
    assert 50 <= len(found) <= 60
    start = int(np.argmax(found[:, 0] > 3)) - 1
    np.testing.assert_array_equal(found[:start], np.repeat(values[:1], start, axis=0))
    np.testing.assert_array_equal(found[start : start + 50], values)


def test_noise_is_relative_to_each_channel_and_one_step_is_left_alone():
    values = np.random.default_rng(1).normal(size=(4000, 2)).astype(np.float32) * [1, 100]
    noise = Augmentation(noise=0.5)(values, np.random.default_rng(2)) - values
    first, second = noise.std(axis=0)
    assert second / first == pytest.approx(100, rel=0.1) and 0 < first < 0.55
    one = np.array([[2.0, 3.0]], np.float32)
    assert np.array_equal(Augmentation(speed=0.5, noise=0.5)(one, np.random.default_rng(0)), one)
    assert resampled(one, 3.0).tolist() == [[2, 3]] * 3


def test_a_fraction_below_zero_is_one_sentence():
    with pytest.raises(InputError, match="^noise must be at least 0, got -0.1$"):
        Augmentation(noise=-0.1)
