"""Batches of pairs: every pair once, no token lost, little padding, an order from the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.translation.batches import EncodedPairs, PairBatches
from zoo.text import BOS, EOS


def split(lengths: list[tuple[int, int]]) -> EncodedPairs:
    """Pairs of these lengths; those of pair n hold the ids 4 + n and 4 + n + 1."""
    sources = [np.full(length, 4 + number) for number, (length, _) in enumerate(lengths)]
    targets = [np.full(length, 5 + number) for number, (_, length) in enumerate(lengths)]
    return EncodedPairs(sources, targets)


def drawn(count: int, seed: int = 0) -> EncodedPairs:
    """Pairs whose lengths go together, as those of translations do."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 40, count)
    return split([(int(n), max(1, int(n + rng.integers(-3, 4)))) for n in lengths])


def members_of(batches: PairBatches, seed: tuple[int, int] | None) -> list[list[int]]:
    return [members.tolist() for _, _, members in batches(seed)]


def test_a_small_batch_is_as_counted_by_hand():
    sources = [np.array([7, 8, 9]), np.array([], int), np.array([5])]
    targets = [np.array([4, 6]), np.array([8]), np.array([], int)]
    (inputs, labels, members), *rest = PairBatches(EncodedPairs(sources, targets), 4, step=2)()
    assert not rest and members.tolist() == [2, 1, 0]
    assert inputs["source_ids"].tolist() == [[5, EOS, 0, 0], [EOS, 0, 0, 0], [7, 8, 9, EOS]]
    assert inputs["target_ids"].tolist() == [[BOS, 0, 0, 0], [BOS, 8, 0, 0], [BOS, 4, 6, 0]]
    assert labels.tolist() == [[EOS, -1, -1, -1], [8, EOS, -1, -1], [4, 6, EOS, -1]]
    assert {values.dtype for values in (*inputs.values(), labels)} == {np.dtype(np.int32)}
    assert PairBatches(EncodedPairs(sources, targets), 4).weight(labels) == 6


PAIR_LENGTHS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40)


@settings(deadline=None)
@given(PAIR_LENGTHS, st.integers(1, 7), st.integers(1, 9), st.none() | st.integers(0, 9))
def test_every_pair_comes_once_and_no_token_is_lost(lengths, size, step, epoch):
    encoded = split(lengths)
    batches = PairBatches(encoded, size, step)
    seen = []
    for inputs, labels, members in batches(None if epoch is None else (3, epoch)):
        assert 0 < len(members) <= size
        assert inputs["target_ids"].shape == labels.shape
        for values in inputs.values():
            assert values.shape[0] == len(members) and values.shape[1] % step == 0
            assert (values != 0).any(axis=0)[: 1 - step or None].all()  # no step too many
        for row, member in enumerate(members):
            source, target = encoded.sources[member], encoded.targets[member]
            read = [*source, EOS], [BOS, *target]
            for values, ids in zip(inputs.values(), read, strict=True):
                assert values[row, : len(ids)].tolist() == ids and not values[row, len(ids) :].any()
            assert labels[row, : len(target) + 1].tolist() == [*target, EOS]
            assert (labels[row, len(target) + 1 :] == -1).all()
            seen.append(int(member))
    assert sorted(seen) == list(range(len(lengths)))
    assert sum(batches.weight(labels) for _, labels, _ in batches((0, 0))) == sum(
        target + 1 for _, target in lengths
    )


@pytest.mark.parametrize(("count", "size"), [(1, 4), (64, 1), (65, 1), (300, 4), (257, 4)])
def test_the_number_of_batches_is_the_same_for_every_seed(count, size):
    batches = PairBatches(drawn(count), size)
    assert len(batches) == -(-count // size)
    for seed in (None, (0, 0), (0, 1)):
        assert len(list(batches(seed))) == len(batches)


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else():
    batches = PairBatches(drawn(400), 4)
    first = members_of(batches, (1, 0))
    assert first == members_of(PairBatches(drawn(400), 4), (1, 0))
    others = [members_of(batches, seed) for seed in ((1, 1), (2, 0))]
    assert first != others[0] != others[1] != first
    # other pairs come together, too, and not the same batches in another order
    assert not {tuple(one) for one in first} & {tuple(one) for one in others[0]}


def test_without_a_seed_pairs_are_sorted_by_target_and_source():
    lengths = [(5, 2), (1, 3), (4, 2), (9, 1), (4, 2)]
    assert members_of(PairBatches(split(lengths), 2), None) == [[3, 2], [4, 0], [1]]


def test_pairs_of_like_lengths_come_together_and_short_batches_are_not_first():
    encoded = drawn(5000)
    batches = PairBatches(encoded, 16, step=1)
    spans, firsts = [], []
    for members in batches.order((0, 0)):
        targets = [len(encoded.targets[member]) for member in members]
        spans.append(max(targets) - min(targets))
        firsts.append(targets[0])
    assert np.mean(spans) < 2
    assert abs(np.corrcoef(firsts, np.arange(len(firsts)))[0, 1]) < 0.2


def test_the_padding_share_is_counted_in_the_batches():
    exact = PairBatches(split([(7, 7)] * 9), 4)
    assert exact.padding_share == 0
    assert PairBatches(split([(1, 3), (3, 1)]), 2, step=1).padding_share == 1 - 12 / 16
    assert PairBatches(split([(1, 3), (3, 1)]), 2, step=8).padding_share == 1 - 12 / 32
    batches = PairBatches(drawn(5000), 32, step=4)
    places = tokens = 0
    for inputs, labels, _ in batches((0, 0)):
        places += sum(values.size for values in inputs.values())
        tokens += batches.weight(labels) + np.count_nonzero(inputs["source_ids"])
    assert batches.padding_share == pytest.approx(1 - tokens / places) and tokens / places > 0.85
    plain = PairBatches(drawn(5000), 32, step=1)
    assert plain.padding_share < 0.06


def test_sides_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="number of sources must be that of targets, got 1 and 0"):
        EncodedPairs([np.array([4])], [])
