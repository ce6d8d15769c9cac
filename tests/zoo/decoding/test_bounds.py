"""The range of each option: refused in Python, set to the nearest value in a graph."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import Filter, beam_search, bounds, generate, guided
from zoo.decoding.bounds import BOUNDS, clamped, require, require_options
from zoo.errors import InputError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("temperature", -1.0, "temperature must be at least 0, got -1.0"),
        ("temperature", NAN, "temperature must be a number from 0 to 100, got nan"),
        ("temperature", INF, "temperature must be at most 100, got inf"),
        ("temperature", "hot", "temperature must be a number, got 'hot'"),
        ("temperature", True, "temperature must be a number, got True"),
        ("temperature", None, "temperature must be a number, got None"),
        ("top_k", -1, "top_k must be at least 0, got -1"),
        ("top_k", 2.5, "top_k must be a whole number, got 2.5"),
        ("top_k", 10**12, "top_k must be at most 2147483647, got 1000000000000"),
        ("top_k", 10**30, "top_k must be a whole number"),
        ("top_p", 0.0, "top_p must be above 0, got 0.0"),
        ("top_p", -0.5, "top_p must be above 0, got -0.5"),
        ("top_p", NAN, "top_p must be a number from 0 to 1, got nan"),
        ("top_p", 1.01, "top_p must be at most 1, got 1.01"),
        ("min_p", 2, "min_p must be at most 1, got 2"),
        ("repetition_penalty", 0.0, "repetition_penalty must be at least 0.01, got 0.0"),
        ("max_tokens", -3, "max_tokens must be at least 0, got -3"),
        ("seed", 5_000_000_000, "seed must be at most 2147483647, got 5000000000"),
        ("seed", -1, "seed must be at least 0, got -1"),
        ("guidance", np.float32("inf"), "guidance must be at most 100, got inf"),
        ("length_penalty", np.array([0.5, -2.0]), "length_penalty must be at least 0, got -2.0"),
        ("top_k", np.array([1, -7]), "top_k must be at least 0, got -7"),
        ("top_k", tf.constant([3, -7]), "top_k must be at least 0, got -7"),
    ],
)
def test_a_value_out_of_range_is_refused_in_one_sentence(name, value, said):
    with pytest.raises(InputError) as raised:
        require(name, value)
    assert str(raised.value).startswith(said) and "\n" not in str(raised.value)


@pytest.mark.parametrize("name", BOUNDS)
def test_the_borders_are_in_the_range(name):
    bound = BOUNDS[name]
    for value in (bound.low, bound.high, bound.default):
        if not (bound.above and value == bound.low):
            require(name, value, served=True)
            require(name, np.array([value]))
    if bound.resource:
        require(name, bound.high + 1)  # Python calls are not held to a server's limits
    with pytest.raises(InputError, match="must be at most"):
        require(name, bound.high + 1, served=True)


@pytest.mark.parametrize("name", BOUNDS)
def test_a_served_value_is_set_to_the_nearest_in_the_range(name):
    bound = BOUNDS[name]
    given = [bound.low - 1, bound.low, bound.default, bound.high]
    if bound.is_int:
        given[0] = -(2**31)
    lowest = bounds.TINY if bound.above else bound.low
    expected = [lowest, lowest, bound.default, bound.high]
    found = clamped(name, tf.constant(given, bound.dtype)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert not bound.above or found[0] > 0
    if not bound.is_int:
        wild = tf.constant([NAN, INF, -INF])
        np.testing.assert_allclose(
            clamped(name, wild), [bound.default, bound.high, lowest], rtol=1e-6
        )
    assert bounds.spec(name) == tf.TensorSpec([None], bound.dtype, name=name)


def test_the_documented_table_is_the_table():
    for name, bound in BOUNDS.items():
        line = next(one for one in bounds.__doc__.splitlines() if one.startswith(f"| `{name}`"))
        above = "above " if bound.above else ""
        joined = ", at most " if bound.above else " to "
        assert f"| {above}{bound.low:g}{joined}{bound.high:.10g} | {bound.default:g} |" in line


def test_options_are_named_as_they_are_given():
    options = SimpleNamespace(top_k=-1, seed=0)
    with pytest.raises(InputError, match="^--top-k must be at least 0, got -1$"):
        require_options(options, ("seed", "top_k"), command=True)
    with pytest.raises(InputError, match="^top_k must be at least 0, got -1$"):
        require_options(options, ("seed", "top_k"))


def chain(tokens, states):
    return tf.zeros([tf.shape(tokens)[0], 4]), states


@pytest.mark.parametrize(
    "call",
    [
        lambda logits: Filter(temperature=-1),
        lambda logits: Filter(top_k=-1),
        lambda logits: Filter(top_p=0.0),
        lambda logits: Filter(no_repeat=-1),
        lambda logits: Filter(temperature=np.array([1.0, NAN])),
        lambda logits: guided(chain, NAN),
        lambda logits: guided(chain, 1.0, min_p=2),
        lambda logits: generate(chain, logits, (), end=3, max_tokens=-3),
        lambda logits: generate(chain, logits, (), end=3, max_tokens=2, seed=5_000_000_000),
        lambda logits: generate(chain, logits, (), end=3, max_tokens=2, min_tokens=-1),
        lambda logits: beam_search(chain, logits, (), end=3, max_tokens=-1, beam_size=2),
        lambda logits: beam_search(chain, logits, (), end=3, max_tokens=2, beam_size=-2),
        lambda logits: beam_search(chain, logits, (), end=3, max_tokens=2, beam_size=2, n_best=0),
        lambda logits: beam_search(chain, logits, (), end=3, max_tokens=2, beam_size=2, alpha=NAN),
        lambda logits: beam_search(
            chain, logits, (), end=3, max_tokens=2, beam_size=2, no_repeat=-1
        ),
        lambda logits: beam_search(
            chain, logits, (), end=3, max_tokens=2, beam_size=np.array([2, 0])
        ),
    ],
)
def test_what_decodes_refuses_what_is_out_of_range(call):
    with pytest.raises(InputError):
        call(tf.zeros([2, 4]))
