"""Windows of text: nothing is lost, nothing comes twice, and the state goes on where it should."""

import numpy as np
import pytest

import zoo
from recipes.families.language import scoring
from recipes.families.language.steps import Scorer
from recipes.families.language.windows import Documents, Streams, encoded, targets_of
from tests.references.weights import assign_random
from zoo.text import BOS, EOS, PAD

SIZE = 12


def texts(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return encoded([rng.integers(4, SIZE, length) for length in lengths])


def pairs_of(windows):
    """What is read and what is told, row by row over all windows, without the padding."""
    rows = {}
    for window in windows:
        for row, (read, told) in enumerate(zip(window.token_ids, window.target_ids, strict=True)):
            real = read != PAD
            rows.setdefault(row, []).extend(zip(read[real], told[real], strict=True))
    return rows


def test_a_text_is_read_from_bos_on_and_told_to_its_end():
    split = encoded([np.array([7, 8]), np.array([], int)])
    assert [row.tolist() for row in split.rows] == [[BOS, 7, 8], [BOS]]
    assert targets_of(split.rows[0]).tolist() == [7, 8, EOS]
    assert targets_of(split.rows[1]).tolist() == [EOS]


@pytest.mark.parametrize(("batch_size", "window"), [(1, 4), (3, 4), (4, 100), (5, 7), (64, 3)])
def test_streams_go_on_from_window_to_window_and_hold_every_token_once(batch_size, window):
    streams = Streams(texts(9, 0, 14, 1), batch_size, window)
    windows = list(streams())
    assert [each.first for each in windows] == [True] + [False] * (len(windows) - 1)
    assert len(windows) == len(streams)
    assert all(each.token_ids.shape[1] <= window for each in windows)
    rows = pairs_of(windows)
    whole = [pair for row in sorted(rows) for pair in rows[row]]
    assert whole == list(zip(*streams.text, strict=True))
    assert sum(each.num_tokens for each in windows) == 28


def test_each_epoch_begins_the_streams_at_another_place_and_loses_nothing():
    streams = Streams(texts(30, 21), 4, 5)
    whole = sorted(zip(*streams.text, strict=True))
    epochs = [[tuple(each.token_ids.ravel()) for each in streams((0, n))] for n in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    for number in range(3):
        rows = pairs_of(streams((0, number)))
        assert sorted(pair for row in rows.values() for pair in row) == whole
    again = [tuple(each.token_ids.ravel()) for each in streams((0, 1))]
    assert again == epochs[1]


def test_the_padding_share_is_that_of_the_streams_places():
    streams = Streams(texts(9), 4, 5)  # ten tokens in four streams of three
    assert streams.padding_share == pytest.approx(1 - 10 / 12)


@pytest.mark.parametrize("window", [3, 5, 100])
def test_texts_by_themselves_begin_afresh_and_go_on_in_the_next_window(window):
    split = texts(4, 9, 0, 2, 9, 17)
    found = []
    group = []
    windows = list(Documents(split, 2, window, buckets=3)((0, 1)))
    for each in [*windows, None]:
        if each is None or each.first:
            found += [tuple(pairs) for pairs in pairs_of(group).values()]
            group = []
        group.append(each)
    expected = [tuple(zip(row, targets_of(row), strict=True)) for row in split.rows]
    assert sorted(found) == sorted(expected)
    assert all(each.num_tokens for each in windows)


@pytest.fixture(scope="module")
def model():
    built = zoo.build(
        "language_model",
        vocabulary_size=SIZE,
        embedding_dim=4,
        units=5,
        cell="lstm",
        explicit_states=True,
    )
    return assign_random(built)


def by_hand(model, split):
    """The sum of the losses, all texts read as one sequence in one call."""
    tokens = np.concatenate(split.rows)
    targets = np.concatenate([targets_of(row) for row in split.rows])
    zero = np.zeros((1, 5), np.float32)
    logits = model({"token_ids": tokens[None], "state_0_0": zero, "state_0_1": zero})["logits"]
    logits = np.array(logits[0], np.float64)
    each = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(targets)), targets]
    return each.sum()


def test_one_stream_is_scored_as_if_it_were_read_at_once_whatever_the_window(model):
    split = texts(40, 0, 25, 3)
    expected = by_hand(model, split)
    scorer = Scorer(model)
    for window in (1, 7, 64, 500):
        total, count = scorer.total(Streams(split, 1, window)())
        assert count == 72
        assert total == pytest.approx(expected, rel=1e-5)
    total, _ = scorer.total(scoring.whole(split, carry=True, vocabulary_size=SIZE))
    assert total == pytest.approx(expected, rel=1e-5)


def test_a_dropped_state_or_shuffled_windows_would_show(model):
    split = texts(60)
    expected = by_hand(model, split)
    windows = list(Streams(split, 1, 7)())
    dropped = [window._replace(first=True) for window in windows]
    shuffled = [windows[0], *windows[:0:-1]]
    for wrong in (dropped, shuffled):
        assert Scorer(model).total(wrong)[0] != pytest.approx(expected, rel=1e-4)


def test_texts_by_themselves_are_scored_one_by_one_whatever_the_batch(model):
    split = texts(40, 0, 25, 3, 11)
    expected = sum(by_hand(model, encoded([row[1:]])) for row in split.rows)
    for batch_size, window, buckets in ((1, 100, 1), (2, 6, 2), (9, 13, 3)):
        total, count = Scorer(model).total(Documents(split, batch_size, window, buckets)())
        assert (count, total) == (84, pytest.approx(expected, rel=1e-5))


def test_segments_hold_each_token_once_and_are_scored_almost_as_one_stream(model):
    split = texts(5000, 300, 1700, seed=4)
    windows = list(scoring.segments(split, SIZE))
    assert windows[0].first
    assert not any(window.first for window in windows[1:])
    rows = pairs_of(windows[1:])
    whole = [pair for row in sorted(rows) for pair in rows[row]]
    assert len(rows) == 6
    assert whole == list(zip(*Streams(split, 1, 9).text, strict=True))
    warm = pairs_of(windows[:1])
    tokens = Streams(split, 1, 9).text[0]
    length = -(-len(tokens) // 6)
    for row in range(1, 6):
        before = tokens[row * length - scoring.WARM_UP : row * length]
        assert [read for read, _ in warm[row]] == before.tolist()
    total, count = Scorer(model).total(scoring.segments(split, SIZE), skipped=1)
    loss = total / count
    assert loss == pytest.approx(by_hand(model, split) / 7003, rel=1e-5)
    total, count = Scorer(model).total(scoring.segments(split, SIZE, limit=40), skipped=1)
    few = total / count
    first = encoded([split.rows[0][1:]])
    assert few == pytest.approx(by_hand_first(model, first, 40), rel=1e-5)


def by_hand_first(model, split, count):
    """The mean loss of the first tokens."""
    row = split.rows[0][: count + 1]
    zero = np.zeros((1, 5), np.float32)
    logits = model({"token_ids": row[None, :-1], "state_0_0": zero, "state_0_1": zero})["logits"]
    logits = np.array(logits[0], np.float64)
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(count), row[1:]])


def test_the_figures_are_those_of_their_definitions():
    split = encoded([np.array([4, 1, 5]), np.array([1])])
    found = scoring.scores(12.0, 6, 8, split)
    assert found["loss"] == 2.0
    assert found["perplexity"] == pytest.approx(np.exp(2))
    assert found["bits_per_character"] == pytest.approx(12 / 8 / np.log(2))
    assert (found["tokens"], found["unknown_share"]) == (6, pytest.approx(2 / 6))
