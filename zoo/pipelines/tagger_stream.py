"""A unidirectional tagger reads a token at a time: the exported signatures `start` and `step`."""

from typing import Any

import keras
import tensorflow as tf

from zoo.crf.layer import CRF
from zoo.errors import InputError
from zoo.layers import Recurrent, named_states, nested_states
from zoo.text import TokenVectorizer
from zoo.text.limits import TOKEN, shortened

MESSAGE = "message"  # the name of the CRF's own state


def streams(model: keras.Model) -> bool:
    """Whether a tagger is the zoo's own and can give a tag before it has seen what follows."""
    layers = {layer.name: layer for layer in model.layers}
    body = layers.get("encoder")
    if not isinstance(body, Recurrent) or not {"embedding", "logits"} <= set(layers):
        return False
    readers = [layer for layer in model.layers if isinstance(layer, Recurrent)]
    return not any(reader.options["bidirectional"] for reader in readers)


def stream(model: keras.Model, vectorizer: TokenVectorizer, tags: Any) -> dict[str, Any]:
    """The functions `start` and `step`; the caller keeps the states, the server keeps nothing.

    `start`: `streams`, int32 (B,), a number of any value for each text that is read -> the states.
    `step`: `token`, strings (B,), and the states -> `tag` string (B,), `probabilities` float (B, C)
    in the order of `tags`, and the states to go on with.

    The states are called `state_L_N`, the N-th of layer L, both from 0. With a CRF there is also
    `message` (B, C): the scores that the tokens so far send to each tag of the next one. The
    probabilities are then those of the CRF over the sentence up to here, as if it went on.

    Args:
        model: What `zoo.build("many_to_many", bidirectional=False, ...)` gives.
        vectorizer: Strings (B, T) -> `token_ids`, `character_ids`, `casing_ids`.
        tags: The C tags, in the order of their ids.

    Returns:
        Name -> a `tf.function` with an input signature.

    Raises:
        InputError: The model, or the language model that it looks at, reads in both directions.
    """
    if not streams(model):
        raise InputError(
            "a bidirectional tagger cannot tag one token at a time, its second direction starts "
            "at the end: build it with bidirectional=False"
        )
    body, names = model.get_layer("encoder"), tf.constant(list(tags))
    last = model.layers[-1]
    crf = last if isinstance(last, CRF) else None

    one_a_row = tf.TensorSpec([None], tf.int32, name="streams")

    @tf.function(input_signature=[one_a_row], autograph=False)
    def start(streams: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.shape(streams)[0]
        states = named_states(body.get_initial_states(rows))
        if crf is not None:
            # no token yet: what comes first is told by the start's scores
            scores = crf.chain(tf.zeros([1, 1, crf.num_tags])).start
            states[MESSAGE] = tf.tile(scores[None], [rows, 1])
        return states

    @tf.function(autograph=False)
    def step(token: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        message = states.pop(MESSAGE, None)
        logits, after = _logits(
            model, vectorizer(shortened(token[:, None], TOKEN)), nested_states(states)
        )
        new = named_states(after)
        if crf is not None:
            logits = logits + message
            new[MESSAGE] = tf.reduce_logsumexp(logits[:, :, None] + _transitions(crf), axis=1)
        probabilities = tf.nn.softmax(logits)
        tag = tf.gather(names, tf.argmax(probabilities, axis=-1))
        return {"tag": tag, "probabilities": probabilities, **new}

    specs = {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)
        for name, tensor in start.get_concrete_function().structured_outputs.items()
    }
    token = tf.TensorSpec([None], tf.string, name="token")
    return {"start": start, "step": step.get_concrete_function(token=token, **specs)}


def _transitions(crf: CRF) -> tf.Tensor:
    """The scores of pairs of tags, (1, C, C), those that are not allowed ruled out."""
    return crf.chain(tf.zeros([1, 1, crf.num_tags])).transitions[None]


def _logits(
    model: keras.Model, ids: dict[str, tf.Tensor], states: list[Any]
) -> tuple[tf.Tensor, list[Any]]:
    """One token's logits (B, C), and the states after it."""
    known = {layer.name for layer in model.layers}
    vectors = [model.get_layer("embedding")(ids["token_ids"])]
    for name in ("characters", "affixes"):
        if name in known:
            vectors.append(model.get_layer(name)(ids["character_ids"]))
    if "casing" in known:
        vectors.append(model.get_layer("casing")(ids["casing_ids"]))
    together = tf.concat(vectors, axis=-1)[:, 0]
    output, after = model.get_layer("encoder").step(together, states)
    return model.get_layer("logits")(output), after
