"""The runtime's filters and samples against those of the graph, and their distribution."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_zoo_runtime import decoding
from rnn_zoo_runtime.errors import InputError
from tests.runtime.decoding.chains import END, Chain
from zoo import decoding as graph

FILTERS = [
    {},
    {"temperature": 0.0},
    {"temperature": 0.7, "top_k": 3},
    {"temperature": 1.4, "top_p": 0.8, "forbidden": (1, 2)},
    {"top_k": 5, "top_p": 0.6, "repetition_penalty": 1.7},
    {"no_repeat": 2},
    {"no_repeat": 1, "temperature": 0.0},
    {
        "temperature": np.array([0.0, 0.5, 1.0, 2.0], np.float32),
        "top_k": np.array([0, 2, 0, 4], np.int32),
        "top_p": np.array([1.0, 0.9, 0.5, 0.3], np.float32),
    },
]


@pytest.fixture(autouse=True)
def _in_eager_mode(eagerly):
    pass


@pytest.mark.parametrize("options", FILTERS, ids=lambda options: "-".join(options) or "none")
def test_filters_leave_what_those_of_the_graph_leave(options):
    draw = np.random.default_rng(3)
    logits = draw.normal(size=(4, 40)).astype("float32") * 3
    logits[:, 7] = logits[:, 9]
    history = draw.integers(0, 6, (4, 8)).astype(np.int32)
    for count in (0, 1, 5):
        own = decoding.Filter(**options)(logits, history, count)
        expected = graph.Filter(**options)(logits, history, tf.constant(count)).numpy()
        # the graph drops tokens below the rounding of a sum, here they stay with their share
        np.testing.assert_allclose(decoding.softmax(own), decoding.softmax(expected), atol=1e-6)
        np.testing.assert_array_equal(own.argmax(axis=1), expected.argmax(axis=1))


@pytest.mark.parametrize("options", FILTERS, ids=lambda options: "-".join(options) or "none")
@pytest.mark.parametrize("seed", [0, np.array([5, 5, 6, 2**31 - 1], np.int32)])
def test_with_the_same_logits_and_seed_the_same_tokens_are_drawn(options, seed):
    chain = Chain(seed=2, scale=1.0)
    limits = {"end": END, "max_tokens": np.array([12, 5, 0, 12], np.int32), "min_tokens": 2}
    own = decoding.generate(
        chain.step,
        chain.start,
        chain.states(),
        choose=decoding.Filter(**options),
        seed=seed,
        **limits,
    )
    expected = graph.generate(
        chain.graph_step,
        tf.constant(chain.start),
        chain.graph_states(),
        choose=graph.Filter(**options),
        seed=seed,
        **limits,
    )
    for name in ("token_ids", "lengths", "finished"):
        np.testing.assert_array_equal(getattr(own, name), getattr(expected, name))
    np.testing.assert_allclose(own.log_probability, expected.log_probability, rtol=1e-4)


def test_random_numbers_are_those_of_the_graph():
    np.testing.assert_array_equal(decoding.uniform(3, 5, 7), graph.uniform(3, 5, 7))
    seeds = np.array([0, 1, 2**31 - 1], np.int32)
    np.testing.assert_array_equal(decoding.uniform(seeds, 3, 4), graph.uniform(seeds, 3, 4))


@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"top_k": 3}, {"top_p": 0.7}])
def test_samples_have_the_probabilities_of_the_filtered_distribution(options):
    logits = np.array([0.0, 1.0, 0.5, -1.0, 2.0, 0.2], np.float32)
    count = 20_000
    rows = np.tile(logits, (count, 1))
    choose = decoding.Filter(**options)
    drawn = decoding.generate(
        lambda tokens, states: (rows, states), rows, (), end=5, max_tokens=1, choose=choose, seed=11
    )
    allowed = np.where(np.arange(6) == 0, -1e30, logits)[None]
    expected = decoding.softmax(choose(allowed, np.zeros((1, 1), np.int32), 0))[0]
    found = np.bincount(drawn.token_ids[:, 0], minlength=6) / count
    deviation = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(found - expected) <= 4 * deviation + 1e-12).all()


def test_guidance_is_that_of_the_graph():
    chain = Chain(seed=4)
    other = {"before": chain.rows[::-1] * 0 + 1, "row": chain.rows}
    tokens = np.array([1, 2, 5, 4], np.int32)
    strength, least = np.array([0, 1, 2, 0.5], np.float32), 0.1
    logits, states = decoding.guided(chain.step, strength, least)(tokens, (chain.states(), other))
    step = graph.guided(chain.graph_step, strength, least)
    expected, after = step(
        tf.constant(tokens), (chain.graph_states(), {n: tf.constant(s) for n, s in other.items()})
    )
    np.testing.assert_allclose(logits, expected, rtol=1e-5)
    np.testing.assert_array_equal(states[1]["before"], after[1]["before"])


def test_a_row_with_nothing_left_to_draw_ends_and_no_rows_give_none():
    chain = Chain()
    none = decoding.Filter(forbidden=tuple(range(12)))
    arguments = {"end": END, "max_tokens": 4}
    found = decoding.generate(chain.step, chain.start, chain.states(), choose=none, **arguments)
    assert found.lengths.tolist() == [0] * 4 and not found.finished.any()
    empty = Chain(rows=0)
    found = decoding.generate(empty.step, empty.start, empty.states(), **arguments)
    assert found.token_ids.shape == (0, 0)


def test_the_model_is_not_asked_after_the_last_token():
    calls = []

    def step(tokens, states):
        calls.append(tokens)
        return np.zeros((1, 5), np.float32), states

    decoding.generate(step, np.zeros((1, 5), np.float32), (), end=4, max_tokens=1)
    assert not calls


def test_wrong_options_are_one_sentence():
    with pytest.raises(InputError, match="temperature must be at least 0, got -1"):
        decoding.Filter(temperature=-1)
    with pytest.raises(InputError, match="seed must be a whole number, got 0.5"):
        decoding.bounds.column("seed", 0.5, 2)
    with pytest.raises(InputError, match="top_k has 3 values, expected one for each of 2 rows"):
        decoding.bounds.column("top_k", [1, 2, 3], 2)
    assert decoding.bounds.column("max_tokens", 20_000, 2).tolist() == [10_000, 10_000]


def test_the_ranges_are_those_of_the_zoo():
    for name, bound in decoding.bounds.BOUNDS.items():
        other = graph.bounds.BOUNDS[name]
        assert (bound.low, bound.high, bound.is_int, bound.above, bound.resource) == (
            *(other.low, other.high, other.is_int, other.above, other.resource),
        )
