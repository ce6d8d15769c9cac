"""`read`, `draw` and `spell` write what `generate` writes, a token a call."""

import numpy as np
import pytest
import tensorflow as tf

from tests.sweeps import swept
from tests.zoo.pipelines.test_serving_rules import generation, names

SEEDS = [1, 2, 3]
OPTIONS = {"temperature": 0.9, "top_k": 0, "top_p": 0.9, "seed": SEEDS}
GUIDED = {**OPTIONS, "min_p": 0.01, "guidance": 1.5}


def filled(values):
    return {
        name: tf.broadcast_to(tf.constant(value), [len(SEEDS)]) for name, value in values.items()
    }


def streamed(functions, beginning, options, most):
    """The text, the log-probability and the number of tokens of each row."""
    states = dict(functions["read"](**beginning))
    last = states.pop("token_ids")
    drawn, going = [], np.ones(len(SEEDS), bool)
    total, count = np.zeros(len(SEEDS)), np.zeros(len(SEEDS), int)
    for place in range(most):
        places = tf.fill([len(SEEDS)], place)
        states = dict(functions["draw"](token_ids=last, place=places, **options, **states))
        last = states.pop("token_ids")
        total += going * states.pop("log_probability").numpy()
        count += going
        drawn.append(np.where(going, last, 0))
        going &= ~states.pop("ended").numpy()
    given = {name: each for name, each in beginning.items() if name == "prompt"}
    text = functions["spell"](token_ids=tf.constant(np.stack(drawn, axis=1)), **given)["text"]
    return text.numpy().tolist(), total, count.tolist()


CASES = {
    "writer": (generation, {"prompt": ["", "a good", "so"]}, OPTIONS),
    "guided": (lambda: names("space"), {"label": ["C4", "D4", "C4"]}, GUIDED),
}


@pytest.mark.parametrize("case", swept(CASES, lambda case: case == "writer"))
def test_a_stream_has_the_tokens_of_generate(case):
    build, beginning, options = CASES[case]
    functions = {name: each.function for name, each in build().signatures().items()}
    given, options = filled(beginning), filled(options)
    expected = functions["generate"](max_tokens=tf.fill([len(SEEDS)], 12), **given, **options)
    text, total, count = streamed(functions, given, options, 12)
    assert text == expected["text"].numpy().tolist()
    assert count == expected["num_tokens"].numpy().tolist()
    np.testing.assert_allclose(total, expected["log_probability"], rtol=1e-5)
