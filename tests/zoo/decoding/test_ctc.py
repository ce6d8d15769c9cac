"""CTC decoding against the sum over all paths."""

import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import random_values
from tests.references.reference_ctc import probabilities, spelled
from zoo.decoding import ctc
from zoo.errors import InputError

SIZES = [(1, 2), (2, 4), (3, 3), (4, 2), (4, 4), (5, 3), (5, 4)]  # frames, symbols


def rows(found):
    """The label ids of each row, without padding."""
    lengths, ids = np.array(found.lengths), np.array(found.label_ids)
    assert np.all((ids >= 0) == (np.arange(ids.shape[1]) < lengths[:, None]))
    assert ids.shape[1] == max(lengths, default=0)
    return [tuple(ids[row, :length].tolist()) for row, length in enumerate(lengths)]


@pytest.mark.parametrize("blank", [0, 1])
@pytest.mark.parametrize(("frames", "symbols"), SIZES)
def test_a_beam_as_wide_as_the_space_finds_the_most_likely_labelling(frames, symbols, blank):
    logits = random_values(6, frames, symbols, seed=frames * symbols, scale=1.5)
    tables = [probabilities(row, blank)[0] for row in logits]
    found = ctc.beam(logits, beam_width=max(map(len, tables)), blank=blank)
    best = [max(table, key=table.get) for table in tables]
    assert rows(found) == best
    expected = [np.log(table[one]) for table, one in zip(tables, best, strict=True)]
    np.testing.assert_allclose(found.log_probability, expected, atol=2e-6)


@pytest.mark.parametrize("blank", [0, 1])
@pytest.mark.parametrize(("frames", "symbols"), SIZES)
def test_greedy_spells_the_most_likely_path(frames, symbols, blank):
    logits = random_values(6, frames, symbols, seed=frames + symbols, scale=1.5)
    found = ctc.greedy(logits, blank=blank)
    for row, labels, log_probability in zip(
        logits, rows(found), found.log_probability, strict=True
    ):
        paths = probabilities(row, blank)[1]
        best = max(paths, key=paths.get)
        assert labels == spelled(best, blank)
        assert float(log_probability) == pytest.approx(np.log(paths[best]), abs=2e-6)


def test_a_narrow_beam_claims_no_more_than_its_labellings_probability():
    logits = random_values(20, 4, 4, seed=8)
    misses = 0
    for width in (1, 2, 3):
        found = ctc.beam(logits, beam_width=width)
        for row, labels, claimed in zip(logits, rows(found), found.log_probability, strict=True):
            table = probabilities(row)[0]
            assert float(claimed) <= np.log(table[labels]) + 1e-5
            misses += table[labels] < max(table.values()) - 1e-9
    assert misses > 0


def test_the_most_likely_path_need_not_spell_the_most_likely_labelling():
    logits = np.log(np.array([[[0.6, 0.4], [0.6, 0.4]]], "float32"))
    assert rows(ctc.greedy(logits)) == [()]
    assert rows(ctc.beam(logits)) == [(1,)]


def test_labels_are_repeated_only_with_a_blank_between_them():
    path = [1, 1, 0, 1, 2, 2, 0, 0, 2]
    logits = 20 * np.eye(3, dtype="float32")[path][None]
    assert rows(ctc.greedy(logits)) == rows(ctc.beam(logits)) == [(1, 1, 2, 2)]


@pytest.mark.parametrize("decode", [ctc.greedy, ctc.beam])
def test_padding_is_not_read(decode):
    logits = random_values(4, 6, 4, seed=4, scale=2.0)
    lengths = [6, 3, 1, 0]
    mask = np.arange(6)[None] < np.array(lengths)[:, None]
    logits[~mask] = np.nan
    found = decode(logits, mask)
    for row, length in enumerate(lengths[:3]):
        alone = decode(logits[row : row + 1, :length])
        assert rows(alone)[0] == rows(found)[row]
        np.testing.assert_allclose(alone.log_probability[0], found.log_probability[row], atol=1e-5)
    assert rows(found)[3] == () and float(found.log_probability[3]) == 0


@pytest.mark.parametrize("decode", [ctc.greedy, ctc.beam])
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_batches_without_rows_or_frames_are_decoded(decode, shape):
    found = decode(np.zeros(shape, "float32"))
    assert rows(found) == [()] * shape[0]
    assert found.label_ids.shape == (shape[0], 0)
    assert np.array(found.log_probability).tolist() == [0.0] * shape[0]


def test_a_saved_model_decodes_batches_of_any_size(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None, None, 4]), tf.TensorSpec([None], tf.int32)])
    def decode(logits, lengths):
        mask = tf.sequence_mask(lengths, tf.shape(logits)[1])
        one, other = ctc.greedy(logits, mask), ctc.beam(logits, mask, beam_width=8)
        return {"greedy": one.label_ids, "beam": other.label_ids, "score": other.log_probability}

    module.decode = decode
    tf.saved_model.save(module, tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1").decode
    for batch, frames in ((3, 7), (1, 2)):
        logits = random_values(batch, frames, 4, seed=batch, scale=2.0)
        found = served(logits, np.full(batch, frames, "int32"))
        expected = ctc.beam(logits, beam_width=8)
        np.testing.assert_array_equal(found["greedy"], ctc.greedy(logits).label_ids)
        np.testing.assert_array_equal(found["beam"], expected.label_ids)
        np.testing.assert_allclose(found["score"], expected.log_probability, rtol=1e-6)


@pytest.mark.parametrize("decode", [ctc.greedy, ctc.beam])
@pytest.mark.parametrize(
    ("logits", "options", "message"),
    [
        (np.zeros((2, 3)), {}, "logits must be \\(batch, frames, symbols\\)"),
        (np.zeros((2, 3, 1)), {}, "two symbols or more"),
        (np.zeros((2, 3, 4)), {"blank": 4}, "one of the symbols 0 to 3, got 4"),
        (np.zeros((2, 3, 4)), {"mask": np.ones((2, 2), bool)}, "must have the sizes"),
        (np.zeros((1, 2, 4)), {"mask": np.array([[False, True]])}, "padding on the right"),
    ],
)
def test_wrong_input_is_one_sentence(decode, logits, options, message):
    with pytest.raises(InputError, match=message):
        decode(logits, **options)


def test_the_width_of_a_beam_is_a_positive_int():
    with pytest.raises(InputError, match="beam_width must be a positive int, got 0"):
        ctc.beam(np.zeros((1, 2, 3)), beam_width=0)
