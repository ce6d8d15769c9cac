"""What is drawn, against the probabilities themselves: a Markov chain stands for the model."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo.decoding import Filter, generate
from zoo.decoding.filtering import would_repeat

V, END = 5, 4
TABLE = np.random.default_rng(0).normal(size=(V, V)).astype("float32") * 1.5
START = np.random.default_rng(1).normal(size=V).astype("float32")


def step(tokens, states):
    """The next logits depend on the token; the state counts steps."""
    return tf.gather(TABLE, tokens), states + 1


def drawn(rows, **options):
    options = {"end": END, "max_tokens": 3, **options}
    logits = tf.tile(tf.constant(START)[None], [rows, 1])
    return generate(step, logits, tf.zeros([rows], tf.int32), **options)


def softmax(values):
    shares = np.exp(values - values.max())
    return shares / shares.sum()


def filtered(logits, temperature=1.0, top_k=0, top_p=1.0, forbidden=()):
    """The probabilities after filtering, written again with sorting and loops; never PAD."""
    logits = np.array(logits, "float64")
    logits[[0, *forbidden]] = -np.inf
    if temperature == 0:
        return np.eye(V)[logits.argmax()]
    shares = softmax(logits / temperature)
    order = sorted(range(V), key=lambda token: -shares[token])
    if top_k:
        shares[order[top_k:]] = 0
        shares /= shares.sum()
    kept, total = [], 0.0
    for token in order:
        if total < top_p:
            kept.append(token)
        total += shares[token]
    shares = np.where(np.isin(np.arange(V), kept), shares, 0)
    return shares / shares.sum()


def sequences(length, **options):
    """Each sequence of at most `length` tokens with its probability, by enumeration."""
    found = {}
    for tokens in itertools.product(range(V), repeat=length):
        probability, logits, row = 1.0, START, []
        for token in tokens:
            probability *= filtered(logits, **options)[token]
            row.append(token)
            logits = TABLE[token]
            if token == END:
                break
        found[tuple(row)] = probability
    return found


OPTIONS = [
    {},
    {"temperature": 0.6},
    {"top_k": 2},
    {"top_p": 0.7},
    {"temperature": 1.5, "top_k": 4, "top_p": 0.8, "forbidden": (1,)},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_samples_follow_the_models_own_distribution(options):
    rows = 20_000
    result = drawn(rows, choose=Filter(**options), seed=7)
    expected = {row: p for row, p in sequences(3, **options).items() if p > 0}
    lengths = result.lengths.numpy()
    given_rows = [
        tuple(row[:length]) for row, length in zip(result.token_ids.numpy(), lengths, strict=True)
    ]
    counts = {row: 0 for row in expected}
    for row in given_rows:
        counts[row] += 1  # a sequence of probability 0 is a KeyError
    common = [row for row in expected if expected[row] * rows >= 5]
    rest = rows - sum(counts[row] for row in common)
    observed = [*[counts[row] for row in common], rest]
    shares = [expected[row] for row in common]
    wanted = [*[share * rows for share in shares], (1 - sum(shares)) * rows]
    if wanted[-1] < 1e-6 * rows:
        observed, wanted = observed[:-1], wanted[:-1]
    assert len(wanted) > 3
    assert stats.chisquare(observed, np.array(wanted) * rows / sum(wanted)).pvalue > 1e-4


def test_the_log_probability_is_the_models_own_whatever_the_filter():
    result = drawn(200, choose=Filter(temperature=0.5, top_k=3), seed=3)
    for row, length, found in zip(
        result.token_ids.numpy(), result.lengths.numpy(), result.log_probability, strict=True
    ):
        total, logits = 0.0, START
        for token in row[:length]:
            total += np.log(softmax(logits.astype("float64"))[token])
            logits = TABLE[token]
        assert float(found) == pytest.approx(total, abs=1e-5)


def test_temperature_zero_is_greedy():
    result = drawn(3, choose=Filter(temperature=0.0), max_tokens=6)
    expected, logits = [], START
    while len(expected) < 6 and END not in expected:
        expected.append(int(np.argmax(logits)))
        logits = TABLE[expected[-1]]
    assert result.token_ids.numpy().tolist() == [expected] * 3


def test_rows_end_at_their_end_token_and_padding_follows():
    result = drawn(300, max_tokens=12, seed=1)
    for row, length, finished in zip(
        result.token_ids.numpy(), result.lengths.numpy(), result.finished.numpy(), strict=True
    ):
        assert (END in row) == finished
        assert length == (row.tolist().index(END) + 1 if finished else 12)
        assert np.all(row[length:] == 0)
    assert result.finished.numpy().sum() > 0


def test_the_loop_ends_early_when_all_rows_have_ended():
    def one_way(tokens, states):
        return tf.one_hot(tf.fill(tf.shape(tokens), END), V) * 100, states

    logits = tf.one_hot([1, 2], V) * 100
    result = generate(one_way, logits, (), end=END, max_tokens=50)
    assert result.token_ids.numpy().tolist() == [[1, END], [2, END]]


def test_no_row_ends_before_its_least_length():
    result = drawn(300, max_tokens=6, min_tokens=4, seed=2)
    assert result.lengths.numpy().min() > 4 - 1
    assert not np.any(result.token_ids.numpy()[:, :4] == END)


def test_a_seed_repeats_and_another_does_not():
    first, again, other = (drawn(50, seed=seed).token_ids.numpy() for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_all_numbers_may_be_inputs_of_a_graph():
    @tf.function(autograph=False)
    def served(temperature, top_k, top_p, max_tokens, seed):
        choose = Filter(temperature=temperature, top_k=top_k, top_p=top_p, no_repeat=2)
        return drawn(40, choose=choose, max_tokens=max_tokens, seed=seed).token_ids

    given_numbers = (tf.constant(0.8), tf.constant(3), tf.constant(0.9), tf.constant(5))
    graph = served(*given_numbers, tf.constant(4)).numpy()
    choose = Filter(temperature=0.8, top_k=3, top_p=0.9, no_repeat=2)
    np.testing.assert_array_equal(graph, drawn(40, choose=choose, max_tokens=5, seed=4).token_ids)


def test_a_penalty_makes_what_stands_in_the_row_less_likely():
    logits = np.array([[2.0, -1.0, 0.5, 1.0, -2.0]], "float32")
    history = np.array([[0, 4, 3, 3]])
    found = Filter(repetition_penalty=2.0)(tf.constant(logits), tf.constant(history), 2)
    np.testing.assert_allclose(found, [[1.0, -1.0, 0.5, 1.0, -4.0]])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=7, max_size=7), min_size=1, max_size=3),
    st.integers(0, 7),
    st.integers(1, 4),
)
def test_stretches_that_would_come_twice_are_found(rows, count, size):
    found = would_repeat(tf.constant(rows), tf.constant(count), size, 4).numpy()
    for row, flags in zip(rows, found, strict=True):
        row = row[:count]
        there = {tuple(row[i : i + size]) for i in range(count - size + 1)}
        tail = row[count - size + 1 :] if size > 1 else []
        for token in range(4):
            whole = count >= size - 1 and (*tail, token) in there
            assert flags[token] == whole, (row, size, token)


def test_no_stretch_comes_twice_in_what_is_drawn():
    result = drawn(100, choose=Filter(no_repeat=2, forbidden=(END,)), max_tokens=8, seed=9)
    for row in result.token_ids.numpy():
        pairs = list(itertools.pairwise(row))
        assert len(set(pairs)) == len(pairs)


def test_padding_is_never_drawn_even_where_it_is_the_most_likely():
    def likely(tokens, states):
        return tf.tile([[50.0, 0, 0, 0, -1]], [tf.shape(tokens)[0], 1]), states

    logits, _ = likely(tf.zeros([400], tf.int32), ())
    for choose in (None, Filter(temperature=0.0), Filter(top_k=1), Filter(top_p=0.5)):
        result = generate(likely, logits, (), end=END, max_tokens=4, choose=choose)
        drawn_ids = [row[:n] for row, n in zip(result.token_ids, result.lengths, strict=True)]
        assert not any(np.any(ids == 0) for ids in drawn_ids)


def test_a_row_with_nothing_left_to_draw_ends():
    """No pair may come twice, and the end must not come: after some tokens none is left."""
    result = drawn(20, choose=Filter(no_repeat=1, forbidden=(END,)), max_tokens=9, seed=9)
    assert result.lengths.numpy().tolist() == [3] * 20  # each of 1, 2 and 3 once
    assert not result.finished.numpy().any() and np.isfinite(result.log_probability).all()
    for row in result.token_ids.numpy():
        assert sorted(row[:3].tolist()) == [1, 2, 3] and not row[3:].any()


ROWS = {
    "temperature": np.array([0.0, 0.5, 1.0, 2.0, 1e-30], "float32"),
    "top_k": np.array([0, 3, 1, 2, 0]),
    "top_p": np.array([1.0, 0.4, 1.0, 0.9, 1.0], "float32"),
}
NUMBERS = {"max_tokens": np.array([7, 1, 12, 0, 9]), "seed": np.array([5, 5, 6, 1, 2**31 - 1])}


def test_rows_with_options_of_their_own_are_what_each_is_alone():
    together = drawn(5, choose=Filter(**ROWS), **NUMBERS)
    for row in range(5):
        choose = Filter(**{name: values[row : row + 1] for name, values in ROWS.items()})
        numbers = {name: values[row : row + 1] for name, values in NUMBERS.items()}
        alone = drawn(1, choose=choose, **numbers)
        width = alone.token_ids.shape[1]
        np.testing.assert_array_equal(together.token_ids[row, :width], alone.token_ids[0])
        assert not np.any(together.token_ids[row, width:])
        for name in ("lengths", "log_probability", "finished"):
            np.testing.assert_allclose(getattr(together, name)[row], getattr(alone, name)[0])


def test_a_rows_numbers_do_not_depend_on_its_place():
    seeds = np.array([3, 1, 4, 1, 5])
    straight = drawn(5, seed=seeds, max_tokens=9).token_ids.numpy()
    turned = drawn(5, seed=seeds[::-1].copy(), max_tokens=9).token_ids.numpy()
    np.testing.assert_array_equal(straight, turned[::-1])
    np.testing.assert_array_equal(straight[1], straight[3])
    assert np.any(straight[0] != straight[1])


def test_no_rows_give_no_rows():
    result = drawn(0, max_tokens=5)
    assert result.token_ids.shape[0] == 0 and result.lengths.shape == (0,)
    result = drawn(3, max_tokens=0)
    assert result.token_ids.shape == (3, 0) and not np.any(result.finished)


@pytest.mark.parametrize("temperature", [1e-45, 1e-30, 1e-10, 100.0])
def test_no_temperature_gives_what_is_no_number(temperature):
    logits = tf.constant([[3.0, -2.0, 80.0, 79.0, -1e30]])
    left = Filter(temperature=temperature)(logits, tf.zeros([1, 0], tf.int32), tf.constant(0))
    assert not np.isnan(tf.nn.softmax(left)).any()
    assert int(tf.argmax(left[0])) == 2 and float(tf.nn.softmax(left)[0, 4]) == 0
