"""A unidirectional tagger reads a token at a time: the exported signatures `start` and `step`."""

from typing import Any

import keras
import tensorflow as tf

from zoo.architectures.many_to_many import TaggingModel
from zoo.text import TokenVectorizer
from zoo.text.limits import TOKEN, shortened


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
    tagger, names = TaggingModel.of(model), tf.constant(list(tags))
    tagger.initial_states(1)  # refuses a bidirectional one
    one_a_row = tf.TensorSpec([None], tf.int32, name="streams")

    @tf.function(input_signature=[one_a_row], autograph=False)
    def start(streams: tf.Tensor) -> dict[str, tf.Tensor]:
        return tagger.initial_states(tf.shape(streams)[0])

    @tf.function(autograph=False)
    def step(token: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, after = tagger.step(vectorizer(shortened(token[:, None], TOKEN)), states)
        probabilities = tf.nn.softmax(scores)
        tag = tf.gather(names, tf.argmax(probabilities, axis=-1))
        return {"tag": tag, "probabilities": probabilities, **after}

    specs = {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)
        for name, tensor in start.get_concrete_function().structured_outputs.items()
    }
    token = tf.TensorSpec([None], tf.string, name="token")
    return {"start": start, "step": step.get_concrete_function(token=token, **specs)}
