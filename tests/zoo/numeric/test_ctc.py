"""The builder `ctc`: its logits, and the loss that Keras computes on them."""

import itertools

import keras
import numpy as np
import pytest

import zoo
from zoo.architectures.ctc import BlankPadding

BLANK = 0


def collapsed(alignment):
    """The labels of an alignment: repeats are one label, then blanks are left out."""
    kept = [label for label, _ in itertools.groupby(alignment)]
    return tuple(label for label in kept if label != BLANK)


def probability(probabilities, labels):
    """The sum over all alignments of the labels, by enumeration."""
    steps, classes = probabilities.shape
    return sum(
        np.prod([probabilities[time, label] for time, label in enumerate(alignment)])
        for alignment in itertools.product(range(classes), repeat=steps)
        if collapsed(alignment) == tuple(labels)
    )


def test_the_loss_on_padded_rows_is_that_over_all_alignments_of_their_own_steps():
    logits = np.random.default_rng(0).normal(0, 2, (4, 6, 4)).astype("float32")
    lengths, labels = [6, 4, 3, 1], [[1, 2, 2], [3, 0, 0], [1, 3, 0], [2, 0, 0]]
    mask = np.arange(6)[None] < np.array(lengths)[:, None]
    padded = BlankPadding()(logits, mask)
    loss = keras.losses.CTC(reduction="none")
    found = np.asarray(loss(np.array(labels), padded))
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    shares = shifted / shifted.sum(-1, keepdims=True)
    expected = [
        -np.log(probability(shares[row, :length], [label for label in labels[row] if label]))
        for row, length in enumerate(lengths)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_steps_in_the_padding_are_blanks_with_certainty(eagerly):
    model = zoo.build("ctc", input_dim=2, num_labels=3, units=4)
    values = np.random.default_rng(1).normal(size=(2, 5, 2)).astype("float32")
    logits = np.asarray(model({"values": values, "lengths": np.array([5, 2], "int32")}))
    assert logits.shape == (2, 5, 4)
    np.testing.assert_array_equal(logits[1, 2:], [[0, -1e4, -1e4, -1e4]] * 3)
    assert np.abs(logits[1, :2]).max() < 10


@pytest.mark.sweep
def test_it_learns_a_task_without_alignments():
    """The label of each run of equal inputs, in order."""
    rng = np.random.default_rng(2)
    runs = [rng.permutation([1, 2, 3])[: rng.integers(1, 4)] for _ in range(12)]
    rows = [np.repeat(run, rng.integers(2, 4, len(run))) for run in runs]
    lengths = np.array([len(row) for row in rows], "int32")
    ids = np.stack([np.pad(row, (0, 9 - len(row))) for row in rows])
    targets = np.stack([np.pad(run, (0, 3 - len(run))) for run in runs])
    model = zoo.build("ctc", num_labels=3, units=8, bidirectional=False, cell="gru", input_dim=3)
    inputs = {"values": np.eye(4)[ids][:, :, 1:].astype("float32"), "lengths": lengths}
    zoo.adapt(model, inputs)
    model.compile(keras.optimizers.Adam(0.05), keras.losses.CTC())
    for _ in range(40):
        loss = model.train_on_batch(inputs, targets)
    assert loss < 0.3
    best = np.asarray(model(inputs)).argmax(-1)
    assert [collapsed(row) for row in best] == [tuple(run) for run in runs]


def test_it_reads_token_ids_too(eagerly):
    model = zoo.build("ctc", vocabulary_size=7, num_labels=3, units=4)
    logits = np.asarray(model(np.array([[4, 5, 6], [6, 0, 0]])))
    np.testing.assert_array_equal(logits[1, 1:], [[0, -1e4, -1e4, -1e4]] * 2)


def test_the_number_of_labels_must_be_positive():
    with pytest.raises(zoo.InputError, match="num_labels must be a positive int"):
        zoo.build("ctc", input_dim=2, num_labels=0)
