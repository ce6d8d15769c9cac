"""Signatures of a model that writes, for a text that is streamed: a token a call, as `generate`.

A caller reads the prompt once with `read`, draws token after token with `draw`, and turns the ids
into text with `spell`. The tokens are those of `generate` with the same options and seed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from zoo.decoding import Filter, bounds
from zoo.decoding.sampling import draw, log_probabilities
from zoo.decoding.uniform import uniform_at
from zoo.layers import States
from zoo.pipelines.pipeline import Signature, integers
from zoo.text import EOS, PAD

FILTERS = ("temperature", "top_k", "top_p")
Options = Mapping[str, tf.Tensor]
# ids (B,), states, options (B,) -> logits to draw from (B, V), the model's own (B, V), states
Step = Callable[[tf.Tensor, States, Options], tuple[Any, Any, States]]


def drawing_signatures(
    read: Any,
    probe: Mapping[str, Any],
    step: Step,
    options: Sequence[str],
    spell: Any,
    forbidden: tuple[int, ...] = (),
) -> dict[str, Signature]:
    """`read`, `draw` and `spell`.

    `draw` takes `token_ids` int32 (B,), the last token; `place` int32 (B,), the number of tokens
    that were drawn before; the options and `seed` of `generate`; and the states. It returns
    `token_ids` int32 (B,), the next token, 0 if none can be drawn; `log_probability` float32 (B,),
    in nats, under the model itself; `ended` bool (B,), whether the text ends with it; the states.

    Args:
        read: A traced function: what a text begins with -> `token_ids` int32 (B,), the last token
            before the text, and the states before that token.
        probe: Three rows of its inputs.
        step: The model's step.
        options: Names of `zoo.decoding.bounds`.
        spell: A traced function of `token_ids` (B, T), and what `read` takes -> `text`.
        forbidden: Ids that are never drawn.
    """
    states = dict(read(**probe))
    token_ids = states.pop("token_ids")
    shapes = read.get_concrete_function().structured_outputs
    specs = {
        name: tf.TensorSpec([None, *shapes[name].shape[1:]], tensor.dtype, name=name)
        for name, tensor in states.items()
    }
    given = {name: bounds.spec(name) for name in (*options, "seed")}
    given |= {name: integers(name) for name in ("token_ids", "place")}

    def drawn(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        last, place = inputs.pop("token_ids"), inputs.pop("place")
        chosen = {name: bounds.clamped(name, inputs.pop(name)) for name in (*options, "seed")}
        logits, own, after = step(last, inputs, chosen)
        choose = Filter(**{name: chosen[name] for name in FILTERS}, forbidden=forbidden)
        found = draw(logits, uniform_at(chosen["seed"], place), choose, EOS)
        ids = tf.where(found.possible, found.token_ids, PAD)
        return {
            "token_ids": ids,
            "log_probability": tf.where(found.possible, log_probabilities(own, ids), 0.0),
            "ended": (ids == EOS) | ~found.possible,
            **after,
        }

    graph = tf.function(drawn, autograph=False).get_concrete_function(**given, **specs)
    rows = tf.range(tf.shape(token_ids)[0])
    values = {name: tf.cast(rows > 0, given[name].dtype) for name in given}
    drawing = {**values, "token_ids": token_ids, "place": rows, **states}
    ids = tf.constant([[5, 4, EOS, PAD]]) + tf.zeros_like(rows)[:, None]
    beginning = {
        name: value
        for name, value in probe.items()
        if name in _names(spell) and name != "token_ids"
    }
    return {
        "read": Signature(read, probe),
        "draw": Signature(graph, drawing),
        "spell": Signature(spell, {**beginning, "token_ids": ids}),
    }


def _names(function: Any) -> list[str]:
    return [spec.name for spec in function.input_signature]
