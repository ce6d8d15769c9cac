import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.training import batches as batching
from recipes.training.batches import Encoded, SequenceBatches, bucket_lengths


def split(lengths: list[int]) -> Encoded:
    """Examples of these lengths; example n holds the id n + 1 alone, and has the label n."""
    rows = [np.full(length, number + 1, np.int32) for number, length in enumerate(lengths)]
    return Encoded(rows, np.arange(len(lengths)))


def places(lengths: list[int], ends: tuple[int, ...]) -> int:
    return sum(min(end for end in ends if end >= length) for length in lengths)


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 4))
def test_bucket_lengths_need_the_fewest_places_of_all_choices(lengths: list[int], count: int):
    ends = bucket_lengths(np.array(lengths), count)
    distinct = sorted(set(lengths))
    best = min(
        places(lengths, choice)
        for size in range(1, count + 1)
        for choice in combinations(distinct, min(size, len(distinct)))
        if choice[-1] == distinct[-1]
    )
    assert len(ends) <= count and ends == sorted(set(ends))
    assert places(lengths, tuple(ends)) == best


def slow_bucket_lengths(lengths: np.ndarray, buckets: int) -> list[int]:
    """The same by a table of all pairs of borders: quadratic in the distinct lengths."""
    sizes, counts = np.unique(lengths, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])
    best = np.full(len(sizes) + 1, np.inf)
    best[0] = 0
    choices = []
    for _ in range(min(buckets, len(sizes))):
        after = best[:, None] + (below[None, :] - below[:, None]) * np.append(0, sizes)[None, :]
        after[np.tril_indices(len(sizes) + 1)] = np.inf
        choices.append(after.argmin(axis=0))
        best = after.min(axis=0)
    ends, end = [], len(sizes)
    for choice in reversed(choices):
        ends.append(int(sizes[end - 1]))
        end = int(choice[end])
    return sorted(ends)


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=150), st.integers(1, 12))
def test_bucket_lengths_are_those_of_the_whole_table(lengths: list[int], count: int):
    assert bucket_lengths(np.array(lengths), count) == slow_bucket_lengths(np.array(lengths), count)


@pytest.mark.parametrize("buckets", [1, 6, 64, 3000, 200_000])
def test_many_distinct_lengths_take_little_time(buckets: int):
    lengths = np.random.default_rng(0).permutation(np.arange(1, 100_001))
    start = time.perf_counter()
    ends = bucket_lengths(lengths, buckets)
    assert time.perf_counter() - start < 30  # it takes about a second; the machine may be busy
    assert len(ends) <= buckets and ends[-1] == 100_000
    assert ends == bucket_lengths(np.sort(lengths), buckets)
    # lengths of equal number are best cut in equal parts: half a part is padding on average
    padded = np.asarray(ends)[np.searchsorted(ends, lengths)].sum()
    whole = np.arange(1, 100_001).sum()
    expected = 0 if buckets >= 100_000 else 100_000 * (100_000 / buckets - 1) / 2
    assert padded - whole <= expected * 1.1 + buckets


def test_where_borders_are_few_for_speed_the_padding_is_nearly_the_least(
    monkeypatch: pytest.MonkeyPatch,
):
    lengths = (np.random.default_rng(1).pareto(1.5, 5000) * 100).astype(int) + 1
    exact = bucket_lengths(lengths, 6)
    monkeypatch.setattr(batching, "_MOST_CELLS", 6 * 300)
    near = bucket_lengths(lengths, 6)
    costs = [np.asarray(ends)[np.searchsorted(ends, lengths)].sum() for ends in (exact, near)]
    assert costs[0] <= costs[1] <= 1.01 * costs[0]
    assert near[-1] == lengths.max()


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 7), st.integers(0, 9))
def test_every_example_comes_once_an_epoch_with_its_own_ids_and_label(lengths, size, seed):
    encoded = split(lengths)
    batches = SequenceBatches(encoded, size, [5, 20])
    seen: list[int] = []
    for token_ids, labels, members in batches((seed, 0)):
        assert len(members) <= size
        for row, label, member in zip(token_ids, labels, members, strict=True):
            length = lengths[member]
            assert label == member
            assert (row[:length] == member + 1).all() and not row[length:].any()
            seen.append(int(member))
    assert sorted(seen) == list(range(len(lengths)))


def test_batches_have_only_the_given_lengths_and_a_longer_example_its_own():
    batches = SequenceBatches(split([1, 2, 3, 4, 5, 6, 50]), 2, [3, 6])
    assert {token_ids.shape[1] for token_ids, _, _ in batches()} == {3, 6, 50}
    assert len(batches) == len(list(batches())) == 5


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else():
    batches = SequenceBatches(split([4] * 50), 4, [4])

    def order(seed: tuple[int, int]) -> list[int]:
        return [int(member) for members in batches.order(seed) for member in members]

    assert order((1, 0)) == order((1, 0))
    assert order((1, 0)) != order((1, 1)) != order((2, 0))


def test_padding_share_counts_the_places_of_the_batches():
    batches = SequenceBatches(split([1, 3, 6]), 8, [3, 6])
    assert batches.padding_share == pytest.approx(1 - 10 / 12)


def test_a_measured_split_has_smaller_batches_of_long_examples():
    lengths = np.array([3, 900, 5, 2, 40, 38, 4000, 1])
    batches = SequenceBatches(Encoded([np.ones(n, np.int32) for n in lengths], lengths), 3, [5, 40])
    found = batches.bounded(100)
    assert sorted(member for members in found for member in members) == list(range(8))
    assert [members.tolist() for members in found] == [[7, 3, 0], [2], [5, 4], [1], [6]]
    seen = {}
    for token_ids, labels, members in batches(most=100):
        assert len(members) == 1 or token_ids.size <= 100
        assert (token_ids.sum(axis=1) == labels).all()
        seen |= dict(zip(members.tolist(), labels.tolist(), strict=True))
    assert [seen[place] for place in range(8)] == lengths.tolist()
