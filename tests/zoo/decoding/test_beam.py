"""Beam search against exhaustive search, greedy search and scores computed token by token."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import Filter, beam_search, coverage_penalty, generate, length_penalty
from zoo.errors import InputError

V, END, T = 4, 3, 4
PAIRS = np.random.default_rng(4).normal(size=(3, V, V, V)).astype("float32") * 2
START = np.random.default_rng(5).normal(size=(3, V)).astype("float32")


def step(tokens, states):
    """What follows depends on the last two tokens and on a number that the row carries along."""
    before, row = states
    index = tf.stack([row, before, tokens], axis=-1)
    return tf.gather_nd(PAIRS, index), (tokens, row)


def states(rows):
    return tf.zeros([len(rows)], tf.int32), tf.constant(rows)


def searched(rows=(0, 1, 2), **options):
    options = {"end": END, "max_tokens": T, "beam_size": 3, **options}
    return beam_search(step, tf.constant(START[list(rows)]), states(rows), **options)


def log_softmax(values):
    values = values.astype("float64")
    return values - values.max() - np.log(np.exp(values - values.max()).sum())


def total(row, tokens):
    """The log-probability of a sequence, token by token."""
    result, logits, before = 0.0, START[row], 0
    for token in tokens:
        result += log_softmax(logits)[token]
        logits, before = PAIRS[row, before, token], token
    return result


def everything(
    row,
    alpha=0.0,
    min_tokens=0,
    forbidden=(),
    no_repeat=0,
    penalty="gnmt",
    prefix=((), (), ()),
    max_tokens=(T, T, T),
    bonus=None,
):
    """All sequences that may be, with scores and log-probabilities, best first."""
    found = {}
    for tokens in itertools.product(range(V), repeat=int(np.broadcast_to(max_tokens, 3)[row])):
        sequence = tokens[: tokens.index(END) + 1] if END in tokens else tokens
        if set(sequence) & set(forbidden) or (END in sequence and len(sequence) <= min_tokens):
            continue
        pieces = [sequence[i : i + no_repeat] for i in range(len(sequence) - no_repeat + 1)]
        if no_repeat and len(set(pieces)) < len(pieces):
            continue
        begun = [token for token in prefix[row] if token]
        if list(sequence[: len(begun)]) != begun[: len(sequence)]:
            continue
        probability, length = total(row, sequence), len(sequence)
        divisor = length**alpha if penalty == "average" else ((5 + length) / 6) ** alpha
        extra = 0.0 if bonus is None else float(costs(row, sequence))
        found[sequence] = probability / divisor + extra, probability
    return sorted(found.items(), key=lambda item: -item[1][0])


def costs(row, sequence):
    """What `dearly` takes from the score of a sequence: by its row and its last token but one."""
    before = sequence[-2] if len(sequence) > 1 else 0
    return -(0.7 * before + 0.3 * row)


def dearly(states):
    before, row = states
    return -(0.7 * tf.cast(before, tf.float32) + 0.3 * tf.cast(row, tf.float32))


def sequences(result, row):
    shown = zip(result.token_ids.numpy()[row], result.lengths.numpy()[row], strict=True)
    return [tuple(tokens[:length].tolist()) for tokens, length in shown]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alpha": 0.6},
        {"alpha": 1.0, "min_tokens": 2},
        {"forbidden": (1,)},
        {"no_repeat": 1},
        {"no_repeat": 2, "alpha": 0.4},
        {"alpha": 1.0, "penalty": "average"},
        {"alpha": 0.5, "penalty": "average", "max_tokens": (4, 2, 1)},
        {"prefix": ((1, 2), (2, 0), (0, 0)), "alpha": 0.5},
        {"bonus": dearly, "alpha": 0.6},
    ],
)
def test_a_beam_as_wide_as_the_space_is_exhaustive_search(options):
    width = V**T
    result = searched(beam_size=width, n_best=width, **options)
    for row in range(3):
        expected = everything(row, **options)
        count = len(expected)
        assert sequences(result, row)[:count] == [sequence for sequence, _ in expected]
        values = [value for _, value in expected]
        found = np.stack([result.scores[row, :count], result.log_probabilities[row, :count]], 1)
        np.testing.assert_allclose(found, values, atol=1e-4)
        assert not np.any(result.lengths.numpy()[row, count:]), "there are no others"


def test_a_beam_of_one_is_greedy():
    rows = (0, 1, 2)
    greedy = generate(
        step,
        tf.constant(START),
        states(rows),
        end=END,
        max_tokens=T,
        choose=Filter(temperature=0.0),
    )
    result = searched(beam_size=1, forbidden=(0,))  # PAD: `generate` never draws it
    for row in rows:
        expected = greedy.token_ids.numpy()[row][: greedy.lengths.numpy()[row]]
        assert sequences(result, row) == [tuple(expected.tolist())]
    np.testing.assert_allclose(result.log_probabilities[:, 0], greedy.log_probability, atol=1e-5)


def test_scores_are_those_of_the_sequences_token_by_token():
    result = searched(beam_size=5, n_best=5, alpha=0.7)
    for row in range(3):
        for place, tokens in enumerate(sequences(result, row)):
            found = float(result.log_probabilities[row, place])
            assert found == pytest.approx(total(row, tokens), abs=1e-4)
            penalty = ((5 + len(tokens)) / 6) ** 0.7
            assert float(result.scores[row, place]) == pytest.approx(found / penalty, abs=1e-4)
        scores = result.scores.numpy()[row]
        assert np.all(np.diff(scores) <= 0) and len(set(sequences(result, row))) == 5


def test_a_wider_beam_is_never_worse_here_and_the_widest_is_best():
    best = [searched(beam_size=width).scores.numpy()[:, 0] for width in (1, 4, V**T)]
    assert np.all(best[2] >= best[1] - 1e-6) and np.all(best[2] >= best[0] - 1e-6)
    assert np.any(best[2] > best[0] + 1e-3), "greedy search is not enough on this chain"


def test_the_order_within_the_batch_changes_nothing():
    straight, turned = searched((0, 1, 2)), searched((2, 0, 1))
    np.testing.assert_array_equal(straight.token_ids.numpy()[[2, 0, 1]], turned.token_ids)
    np.testing.assert_allclose(straight.scores.numpy()[[2, 0, 1]], turned.scores, atol=1e-6)
    alone = searched((1,))
    np.testing.assert_array_equal(alone.token_ids[0], straight.token_ids[1])


def test_the_search_ends_when_nothing_can_win_any_more():
    steps = tf.Variable(0)

    def counted(tokens, states):
        steps.assign_add(1)
        return tf.one_hot(tf.fill(tf.shape(tokens), END), V) * 50, states

    logits = tf.one_hot([END, END], V) * 50
    result = beam_search(counted, logits, (), end=END, max_tokens=90, beam_size=2)
    assert sequences(result, 0) == [(END,)]
    assert int(steps) < 5


def test_sizes_may_be_inputs_of_a_graph():
    @tf.function(autograph=False)
    def served(max_tokens, alpha):
        return searched(max_tokens=max_tokens, alpha=alpha)._asdict()

    graph = served(tf.constant(3), tf.constant(0.5))
    plain = searched(max_tokens=3, alpha=0.5)
    np.testing.assert_array_equal(graph["token_ids"], plain.token_ids)
    assert graph["token_ids"].shape[2] == 3


def test_the_beams_width_and_the_number_of_sequences_may_be_inputs_of_a_graph():
    @tf.function(autograph=False)
    def served(width):
        return searched(beam_size=width, n_best=width, alpha=0.5)._asdict()

    for width in (1, 2, 5):
        plain = searched(beam_size=width, n_best=width, alpha=0.5)
        graph = served(tf.constant(width))
        np.testing.assert_array_equal(graph["token_ids"], plain.token_ids)
        np.testing.assert_allclose(graph["scores"], plain.scores, atol=1e-6)


def test_a_row_that_may_be_short_is_not_changed_by_a_row_that_may_be_long():
    both = searched((0, 1), max_tokens=(2, 4), beam_size=4)
    alone = searched((0,), max_tokens=2, beam_size=4)
    np.testing.assert_array_equal(both.token_ids[0, :, :2], alone.token_ids[0])
    np.testing.assert_allclose(both.scores[0], alone.scores[0], atol=1e-6)


def test_penalties_are_those_of_the_paper():
    assert float(length_penalty(7, 0.5)) == pytest.approx(2**0.5)
    assert float(length_penalty(7, 1.0, "average")) == pytest.approx(7)
    assert float(length_penalty(7, 0.0)) == 1
    covered = tf.constant([[0.5, 2.0, 0.25, 0.0], [1.0, 1.0, 1.0, 0.1]])
    mask = tf.constant([[True, True, True, False], [True, True, True, True]])
    expected = 0.3 * np.log([0.5 * 0.25, 0.1])
    np.testing.assert_allclose(coverage_penalty(covered, mask, 0.3), expected, rtol=1e-6)


def test_an_unknown_penalty_is_named():
    with pytest.raises(InputError, match="penalty must be one of gnmt, average"):
        searched(penalty="mean")


def test_a_wrong_beam_size_is_named():
    with pytest.raises(InputError, match="beam_size must be a positive int, got 0"):
        searched(beam_size=0)


def test_a_long_vocabulary_is_searched_like_a_short_one():
    size, barred = 2500, (0, 7)
    table = np.random.default_rng(6).normal(size=(size, size)).astype("float32") * 3
    table[:, barred] += 9  # the likeliest are those that may not come
    logits = table[:2]

    def follow(tokens, states):
        return tf.gather(table, tokens), states

    found = beam_search(
        follow, tf.constant(logits), (), end=3, max_tokens=2, beam_size=4, forbidden=barred
    )
    for row in range(2):
        first = log_softmax(logits[row])
        first[list(barred)] = -np.inf
        best = np.argsort(-first)[:8]
        best = best[best != 3][:4]
        sums = np.array([first[token] + log_softmax(table[token]) for token in best])
        sums[:, list(barred)] = -np.inf
        place = np.unravel_index(sums.argmax(), sums.shape)
        expected = max(sums.max(), first[3])
        assert float(found.log_probabilities[row, 0]) == pytest.approx(expected, abs=1e-4)
        if sums.max() > first[3]:
            assert sequences(found, row)[0] == (best[place[0]], place[1])


def test_no_token_at_all_gives_no_sequence():
    result = searched(max_tokens=0)
    assert result.token_ids.shape == (3, 1, 0) and not np.any(result.lengths)


def greedy(table, logits, limit, min_tokens=0, forbidden=()):
    """The most likely token each time, up to the end token or the limit: a loop of its own."""
    tokens, total = [], 0.0
    while len(tokens) < limit and END not in tokens:
        left = logits.astype("float64").copy()
        left[[*forbidden, *([END] if len(tokens) < min_tokens else [])]] = -np.inf
        tokens.append(int(left.argmax()))
        total += log_softmax(logits)[tokens[-1]]
        logits = table[tokens[-1]]
    return tuple(tokens), total


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "options", [{}, {"min_tokens": 2}, {"forbidden": (0, 2)}, {"alpha": 1.0, "penalty": "average"}]
)
def test_a_beam_of_one_is_greedy_on_random_chains(seed, options):
    """An end token that is second best is passed over, whatever the sequence scores in the end."""
    draw = np.random.default_rng(seed)
    size, rows = 9, 40
    table = draw.normal(size=(size, size)).astype("float32") * 2
    logits = draw.normal(size=(rows, size)).astype("float32")
    follow = tf.constant(table)

    def chain(tokens, states):
        return tf.gather(follow, tokens), states

    found = beam_search(
        chain, tf.constant(logits), (), end=END, max_tokens=12, beam_size=1, **options
    )
    plain = {name: options[name] for name in ("min_tokens", "forbidden") if name in options}
    ended = 0
    for row in range(rows):
        tokens, total_of = greedy(table, logits[row], 12, **plain)
        assert sequences(found, row) == [tokens]
        assert float(found.log_probabilities[row, 0]) == pytest.approx(total_of, abs=1e-3)
        ended += tokens[-1] == END
    assert ended or "min_tokens" in options, "some rows come to their end"


def test_each_row_has_its_own_beam_penalty_and_limit():
    rows = (0, 1, 2, 0, 1, 2)
    own = {
        "beam_size": np.array([1, 3, 5, 4, 1, 2]),
        "alpha": np.array([0.0, 1.0, 0.5, 0.9, 0.3, 0.0], "float32"),
        "max_tokens": np.array([4, 2, 3, 1, 4, 0]),
    }
    together = searched(rows, n_best=own["beam_size"], **own)
    assert together.token_ids.shape[:2] == (6, 5)
    for place, row in enumerate(rows):
        given = {name: values[place].item() for name, values in own.items()}
        alone = searched((row,), n_best=given["beam_size"], **given)
        count = given["beam_size"]
        assert sequences(together, place)[:count] == sequences(alone, 0)
        np.testing.assert_allclose(together.scores[place, :count], alone.scores[0], atol=1e-5)
        np.testing.assert_allclose(
            together.log_probabilities[place, :count], alone.log_probabilities[0], atol=1e-5
        )
        assert not np.any(together.lengths[place, count:])


def test_no_rows_give_no_rows_of_sequences():
    nothing = tf.zeros([0], tf.int32)
    start = tf.zeros([0, V])
    result = beam_search(step, start, (nothing, nothing), end=END, max_tokens=T, beam_size=3)
    assert result.token_ids.shape[0] == 0 and result.scores.shape == (0, 1)


def test_a_search_without_a_sequence_left_ends_at_once():
    steps = tf.Variable(0)

    def counted(tokens, states):
        steps.assign_add(1)
        return tf.zeros([tf.shape(tokens)[0], V]), states

    result = beam_search(
        counted,
        tf.one_hot([1, 1], V) * 9,
        (),
        end=END,
        max_tokens=80,
        beam_size=3,
        alpha=1.0,
        no_repeat=1,
        forbidden=(END,),
    )
    assert int(steps) < 10 and not np.any(result.lengths)
