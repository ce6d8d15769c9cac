"""Keras' CTC loss against the sum over all paths, with and without padding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import random_values
from tests.references.reference_ctc import probabilities
from zoo.losses import CTCLoss

CERTAINLY_BLANK = np.array([0.0, -1e4, -1e4, -1e4], "float32")
LABELS = np.array([[2, 1, 0], [3, 3, 0], [1, 0, 0]])
LENGTHS = [5, 4, 2]


def losses_and_gradients(labels, logits):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = keras.losses.CTC(reduction="none")(labels, logits)
    return losses.numpy(), tape.gradient(losses, logits).numpy()


@pytest.mark.parametrize(("frames", "symbols"), [(1, 2), (3, 3), (4, 3)])
def test_the_loss_of_each_labelling_is_the_sum_over_its_paths(frames, symbols):
    logits = random_values(1, frames, symbols, seed=frames, scale=1.5)
    table = probabilities(logits[0])[0]
    labels = np.array([[*labelling, *[0] * (frames - len(labelling))] for labelling in table])
    rows = np.repeat(logits, len(labels), axis=0)
    found = keras.losses.CTC(reduction="none")(labels, tf.constant(rows))
    np.testing.assert_allclose(found, -np.log(list(table.values())), atol=5e-6)


def test_padding_that_is_certainly_blank_changes_neither_loss_nor_gradient():
    logits = random_values(3, 5, 4, seed=7)
    real = np.arange(8)[None] < np.array(LENGTHS)[:, None]
    padded = np.where(real[..., None], np.pad(logits, ((0, 0), (0, 3), (0, 0))), CERTAINLY_BLANK)
    losses, gradients = losses_and_gradients(LABELS, padded)
    assert losses.dtype == np.float32
    for row, length in enumerate(LENGTHS):
        one = slice(row, row + 1)
        alone, slopes = losses_and_gradients(LABELS[one], logits[one, :length])
        table = probabilities(logits[row, :length])[0]
        labelling = tuple(LABELS[row][LABELS[row] > 0].tolist())
        assert alone[0] == pytest.approx(-np.log(table[labelling]), abs=5e-6)
        assert losses[row] == pytest.approx(alone[0], abs=5e-6)
        np.testing.assert_allclose(gradients[row, :length], slopes[0], atol=1e-6)
        assert not np.any(gradients[row, length:])


def test_the_loss_of_one_operation_is_that_of_keras_with_its_gradient():
    logits = tf.constant(random_values(3, 8, 4, seed=9, scale=2.0))
    labels = np.array([[1, 1, 3], [2, 0, 0], [0, 0, 0]])
    found = {}
    for loss in (keras.losses.CTC(), CTCLoss()):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(labels, logits)
        found[type(loss).__name__] = float(value), tape.gradient(value, logits).numpy()
    assert found["CTCLoss"][0] == pytest.approx(found["CTC"][0], rel=1e-5)
    np.testing.assert_allclose(found["CTCLoss"][1], found["CTC"][1], atol=1e-5)


def test_labels_that_do_not_fit_into_the_steps_have_no_loss():
    logits = tf.constant(random_values(2, 2, 4, seed=1))
    losses = CTCLoss(reduction="none")(np.array([[1, 1, 2], [1, 2, 0]]), logits)
    assert losses[0] == 0 and losses[1] > 0


def test_a_row_whose_labels_need_more_steps_than_there_are_has_neither_loss_nor_gradient():
    logits = tf.constant(random_values(3, 5, 4, seed=3))
    labels = np.array([[3, 3, 3, 3], [1, 2, 3, 1], [1, 1, 1, 0]])  # a blank between repeats
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = CTCLoss(reduction="none")(labels, logits)
    assert losses[0] == 0
    assert (losses.numpy()[1:] > 0).all()
    gradient = tape.gradient(losses, logits).numpy()
    assert not gradient[0].any()
    assert np.isfinite(gradient).all()


def test_keras_operation_for_other_backends_gives_the_same(monkeypatch):
    logits = tf.constant(random_values(4, 5, 4, seed=5))
    labels = np.array([[1, 2, 2, 0], [0, 0, 0, 0], [3, 3, 3, 3], [1, 1, 1, 0]])
    expected = CTCLoss(reduction="none")(labels, logits).numpy()
    monkeypatch.setattr(keras.backend, "backend", lambda: "other")
    found = CTCLoss(reduction="none")(labels, logits).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found[2] == 0
