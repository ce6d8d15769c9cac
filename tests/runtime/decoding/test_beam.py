"""The runtime's beam search against that of the graph, on random chains."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_zoo_runtime import decoding
from rnn_zoo_runtime.decoding.beam import top_k
from rnn_zoo_runtime.errors import InputError
from tests.runtime.decoding.chains import END, Chain
from zoo.decoding import beam_search, coverage_penalty, length_penalty

OPTIONS = [
    {"beam_size": 1},
    {"beam_size": 4, "n_best": 4},
    {"beam_size": 3, "n_best": 2, "alpha": 0.8, "forbidden": (0, 1, 2)},
    {"beam_size": 5, "n_best": 5, "alpha": 1.0, "penalty": "average", "min_tokens": 3},
    {"beam_size": 2, "no_repeat": 2, "forbidden": (0,)},
    {
        "beam_size": np.array([1, 2, 5, 3]),
        "n_best": np.array([1, 2, 5, 3]),
        "max_tokens": np.array([9, 0, 4, 7]),
        "alpha": np.array([0.0, 1.0, 0.5, 2.0], np.float32),
    },
    {"beam_size": 3, "n_best": 3, "prefix": np.array([[5, 6], [7, 0], [0, 0], [3, 0]], np.int32)},
    {"beam_size": 3, "n_best": 3, "bonus": lambda states: -0.3 * states["before"]},
]


@pytest.fixture(autouse=True)
def _in_eager_mode(eagerly):
    pass


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options))
@pytest.mark.parametrize("seed", [0, 1])
def test_the_sequences_are_those_of_the_graph(options, seed):
    chain = Chain(seed=seed)
    options = {"end": END, "max_tokens": 9, **options}
    own = decoding.beam_search(chain.step, chain.start, chain.states(), **options)
    if "bonus" in options:
        options["bonus"] = lambda states: -0.3 * tf.cast(states["before"], tf.float32)
    tensors = ("beam_size", "n_best", "max_tokens", "alpha", "prefix")
    given = {
        name: tf.constant(value) if name in tensors else value for name, value in options.items()
    }
    expected = beam_search(
        chain.graph_step, tf.constant(chain.start), chain.graph_states(), **given
    )
    np.testing.assert_array_equal(own.token_ids, expected.token_ids)
    np.testing.assert_array_equal(own.lengths, expected.lengths)
    np.testing.assert_allclose(own.log_probabilities, expected.log_probabilities, rtol=1e-5)
    np.testing.assert_allclose(own.scores, expected.scores, rtol=1e-5)
    assert own.token_ids.dtype == own.lengths.dtype == np.int32


class Counted(Chain):
    """A chain that counts the steps of a search."""

    steps = 0

    def step(self, tokens, states):
        self.steps += 1
        return super().step(tokens, states)

    def graph_step(self, tokens, states):
        self.steps += 1
        return super().graph_step(tokens, states)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.5])
@pytest.mark.parametrize("penalty", ["gnmt", "average"])
def test_fewer_sequences_are_the_first_of_more_in_fewer_steps(alpha, penalty):
    steps = {}
    for count in (1, 2, 5):
        chain = Counted(size=30, rows=8, seed=3, scale=1.5)
        chain.table[..., END] += 3.0
        options = {"end": END, "max_tokens": 40, "beam_size": 5, "n_best": count}
        options |= {"alpha": alpha, "penalty": penalty}
        found = decoding.beam_search(chain.step, chain.start, chain.states(), **options)
        steps[count], chain.steps = chain.steps, 0
        graph = beam_search(
            chain.graph_step, tf.constant(chain.start), chain.graph_states(), **options
        )
        assert chain.steps == steps[count]
        np.testing.assert_array_equal(found.token_ids, graph.token_ids)
        if count == 1:
            one = found
        np.testing.assert_array_equal(found.token_ids[:, :1], one.token_ids)
        np.testing.assert_array_equal(found.scores[:, :1], one.scores)
    assert steps[1] <= steps[2] <= steps[5] <= 39, steps
    assert steps[1] < steps[5] or alpha > 1, "the bound of a strong length penalty is wide"


def test_a_beam_of_one_is_greedy():
    chain = Chain(rows=6, seed=7)
    own = decoding.beam_search(
        chain.step, chain.start, chain.states(), end=END, max_tokens=8, beam_size=1, forbidden=(0,)
    )
    drawn = decoding.generate(
        chain.step,
        chain.start,
        chain.states(),
        end=END,
        max_tokens=8,
        choose=decoding.Filter(temperature=0.0),
    )
    longest = drawn.token_ids.shape[1]
    np.testing.assert_array_equal(own.token_ids[:, 0, :longest], drawn.token_ids)
    np.testing.assert_allclose(own.log_probabilities[:, 0], drawn.log_probability, rtol=1e-5)


def test_penalties_are_those_of_the_graph():
    draw = np.random.default_rng(0)
    covered, mask = draw.random((4, 5)).astype("float32") * 2, draw.random((4, 5)) > 0.3
    np.testing.assert_allclose(
        decoding.coverage_penalty(covered, mask, 0.7),
        coverage_penalty(covered, mask, 0.7),
        rtol=1e-5,
    )
    for kind in ("gnmt", "average"):
        lengths = np.arange(1, 9)
        np.testing.assert_allclose(
            decoding.length_penalty(lengths, 0.6, kind),
            length_penalty(lengths, 0.6, kind),
            rtol=1e-6,
        )


@pytest.mark.parametrize("size", [3, 50, 3000])
def test_the_largest_numbers_come_first_and_of_equal_ones_the_first(size):
    values = np.random.default_rng(size).integers(0, 40, (5, size)).astype("float32")
    numbers, places = top_k(values, 3)
    order = np.argsort(-values, axis=1, kind="stable")[:, :3]
    np.testing.assert_array_equal(places, order)
    np.testing.assert_array_equal(numbers, np.take_along_axis(values, order, axis=1))


def test_no_rows_give_no_rows_of_sequences():
    chain = Chain(rows=0)
    own = decoding.beam_search(
        chain.step, chain.start, chain.states(), end=END, max_tokens=4, beam_size=2
    )
    assert own.token_ids.shape[0] == 0 and own.lengths.shape == (0, 1)


def test_wrong_options_are_one_sentence():
    chain = Chain()
    arguments = {"end": END, "max_tokens": 4, "beam_size": 2}
    for wrong, message in (
        ({"beam_size": 0}, "beam_size must be at least 1, got 0"),
        ({"alpha": 11.0}, "alpha must be at most 10, got 11.0"),
        ({"penalty": "mean"}, "penalty must be one of gnmt, average; got 'mean'"),
    ):
        with pytest.raises(InputError, match=message):
            decoding.beam_search(chain.step, chain.start, chain.states(), **{**arguments, **wrong})
