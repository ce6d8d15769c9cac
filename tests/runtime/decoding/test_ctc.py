"""The runtime's decoding for CTC against TensorFlow's, and against the sum over all paths."""

import itertools

import numpy as np
import pytest

from rnn_zoo_runtime.decoding import ctc
from rnn_zoo_runtime.errors import InputError
from zoo.decoding import ctc as graph


def logits_of(rows, frames, symbols, seed=0, scale=2.0):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(rows, frames, symbols)).astype("float32") * scale


def agree(own, expected):
    np.testing.assert_array_equal(own.label_ids, expected.label_ids)
    np.testing.assert_array_equal(own.lengths, expected.lengths)
    np.testing.assert_allclose(own.log_probability, expected.log_probability, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("width", [1, 2, 5, 25])
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_beam_finds_what_tensorflow_finds(blank, width, scale):
    for seed, (frames, symbols) in enumerate([(1, 3), (7, 3), (12, 4), (30, 6)]):
        logits = logits_of(8, frames, symbols, seed, scale)
        lengths = np.array([frames, 0, 1, frames // 2, frames, frames, frames - 1, 2]) % (
            frames + 1
        )
        mask = np.arange(frames)[None] < lengths[:, None]
        agree(
            ctc.beam(logits, lengths, beam_width=width, blank=blank),
            graph.beam(logits, mask, beam_width=width, blank=blank),
        )


def test_a_certain_model_is_decoded_as_by_tensorflow():
    """Almost all prefixes are dropped, over more frames than float64 has room for."""
    for seed, scale in enumerate([8.0, 15.0, 40.0]):
        logits = logits_of(4, 600, 11, seed, scale)
        logits[:, :, 0] += 1.5 * scale  # blanks between the labels, as trained models have them
        lengths = np.array([600, 450, 1, 37])
        mask = np.arange(600)[None] < lengths[:, None]
        agree(ctc.beam(logits, lengths), graph.beam(logits, mask, beam_width=25))


def test_frames_of_a_certain_blank_are_passed_over(monkeypatch):
    """As in speech: a label lasts a few frames, doubtful at its edges, and silence follows."""
    logits = logits_of(6, 300, 11, seed=5, scale=1.0)
    logits[:, :, 0] += 22.0
    draw = np.random.default_rng(6)
    for row, place in np.ndindex(6, 12):
        begin, label = 25 * place + draw.integers(20), draw.integers(1, 11)
        logits[row, begin : begin + 4, label] += [20.0, 23.0, 23.0, 21.0]
    lengths = np.array([300, 211, 0, 3, 300, 60])
    seen, stay = [], ctc._stay
    monkeypatch.setattr(ctc, "_stay", lambda *args: (seen.append(args[3]), stay(*args)))
    own = ctc.beam(logits, lengths)
    assert 0 < len(seen) < 0.35 * lengths.sum()
    mask = np.arange(300)[None] < lengths[:, None]
    expected = graph.beam(logits, mask, beam_width=25)
    agree(own, expected)
    np.testing.assert_allclose(own.log_probability, expected.log_probability, atol=2e-5, rtol=1e-5)
    assert own.lengths[0] > 8


@pytest.mark.parametrize("blank", [0, 10])
def test_labels_with_more_than_half_of_all_probability_need_no_search(monkeypatch, blank):
    """As a trained model hears ten words: frames that hesitate, and a repeated label."""
    logits = logits_of(5, 120, 11, seed=3, scale=0.5)
    spoken = [each for each in range(11) if each != blank][:10]
    logits[:, :, blank] += 12.0
    draw = np.random.default_rng(4)
    for row, place in np.ndindex(5, 10):
        begin = 12 * place + draw.integers(6)
        label = spoken[place // 2] if row == 0 else draw.choice(spoken)
        logits[row, begin : begin + 4, label] += [11.0, 18.0, 20.0, 12.5]
    lengths = np.array([120, 120, 77, 0, 1])
    mask = np.arange(120)[None] < lengths[:, None]
    expected = graph.beam(logits, mask, beam_width=25, blank=blank)
    assert np.exp(np.array(expected.log_probability)).min() > 0.5
    monkeypatch.setattr(ctc, "_stay", None)  # the search cannot run
    own = ctc.beam(logits, lengths, blank=blank)
    agree(own, expected)
    np.testing.assert_allclose(own.log_probability, expected.log_probability, atol=2e-5)
    assert own.lengths.tolist()[0] == 10
    assert own.label_ids[0].tolist() == [each for each in spoken[:5] for _ in range(2)]
    with pytest.raises(TypeError):
        ctc.beam(logits, lengths, beam_width=20, blank=blank)  # too narrow to be certain


@pytest.mark.parametrize("certain", [(), (0,), (2, 3), (1, 4, 5)])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_paths_of_labels_are_added_up(count, certain):
    """Against the sum over all 4 ** 6 paths, also with frames whose blank is certain."""
    shares = np.exp(logits_of(1, 6, 4, seed=count, scale=1.0)[0].astype(np.float64))
    quiet = np.isin(np.arange(6), certain)
    shares[quiet] = [1.0, 0.0, 0.0, 0.0]
    labels = [1, 1, 3][:count]
    whole = 0.0
    for path in itertools.product(range(4), repeat=6):
        merged = [each for each, _ in itertools.groupby(path) if each != 0]
        if merged == labels:
            whole += float(np.prod(shares[np.arange(6), list(path)]))
    found = ctc._paths(labels, shares, quiet, 0)
    np.testing.assert_allclose(found, whole, rtol=1e-12)


@pytest.mark.parametrize("blank", [0, 1])
def test_the_greedy_path_is_that_of_the_graph(blank):
    logits = logits_of(9, 20, 4)
    lengths = np.arange(9) * 2
    mask = np.arange(20)[None] < lengths[:, None]
    agree(ctc.greedy(logits, lengths, blank), graph.greedy(logits, mask, blank))
    agree(ctc.greedy(logits), graph.greedy(logits))


def test_a_beam_as_wide_as_the_space_has_the_probability_of_all_paths():
    logits = logits_of(3, 5, 3, seed=9)
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares = powers / powers.sum(axis=2, keepdims=True)
    found = ctc.beam(logits, beam_width=400)
    for row in range(3):
        sums = {}
        for path in np.ndindex(*[3] * 5):
            merged = [s for at, s in enumerate(path) if (at == 0 or path[at - 1] != s) and s]
            share = np.prod([shares[row, at, s] for at, s in enumerate(path)])
            sums[tuple(merged)] = sums.get(tuple(merged), 0.0) + share
        best = max(sums, key=sums.get)
        assert tuple(found.label_ids[row, : found.lengths[row]]) == best
        assert np.exp(found.log_probability[row]) == pytest.approx(sums[best], rel=1e-5)


@pytest.mark.parametrize("decode", [ctc.greedy, ctc.beam])
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_batches_without_rows_or_frames_are_decoded(decode, shape):
    found = decode(np.zeros(shape, np.float32))
    assert (
        found.label_ids.shape == (shape[0], 0) and found.log_probability.tolist() == [0] * shape[0]
    )


def test_wrong_input_is_one_sentence():
    for call, message in (
        (lambda: ctc.beam(np.zeros((2, 3))), r"got the shape \(2, 3\)"),
        (lambda: ctc.beam(np.zeros((2, 3, 4)), blank=4), "one of the symbols 0 to 3, got 4"),
        (lambda: ctc.beam(np.zeros((2, 3, 4)), beam_width=0), "beam_width must be a positive int"),
    ):
        with pytest.raises(InputError, match=message):
            call()
