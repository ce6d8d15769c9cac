"""Gradient x input: how much each token, or n-gram, of a text moved a classifier's answer.

A token's score is the gradient of the highest logit with respect to what the model reads of it, its
vector or its feature, times that:

    score_t = sum_e  d max_c logit_c / d x_te  *  x_te

It estimates by how much the logit would fall if the token's vector were zero. The functions are for
graphs alone, and keep them small.

Source: Shrikumar et al., arXiv:1605.01713, section 2; Li et al., arXiv:1506.01066, section 5, for
    recurrent networks.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from zoo.layers.embedding import TokenEmbedding
from zoo.recurrence import tracing

EMBEDDINGS = (TokenEmbedding, keras.layers.Embedding)
Scored = Callable[..., tuple[tf.Tensor, tf.Tensor]]


def token_scores(model: keras.Model) -> Scored | None:
    """A function of token ids int (B, T) -> logits (B, C) and scores float32 (B, T).

    It is None for a model that does not begin with an embedding of its one input.
    """
    inputs = getattr(model, "inputs", None) or []
    first = (each for each in getattr(model, "layers", ()) if isinstance(each, EMBEDDINGS))
    layer = next((each for each in first if [each.input] == inputs), None)
    if layer is None:
        return None
    vectors = layer.output[0] if isinstance(layer.output, list | tuple) else layer.output
    both = keras.Model(model.inputs, [vectors, *model.outputs])

    def scored(token_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tracing.lean():
            found, logits = both([token_ids], training=False)
            products = _gradient(logits, found) * found
        return logits, tf.cast(tf.reduce_sum(products, axis=-1), tf.float32)

    return scored


def feature_scores(model: keras.Model) -> Scored:
    """A function of counted features, and of what was counted, -> logits and scores.

    Features float (B, D), proportional to counts; feature numbers int (B, N), -1 = padding ->
    logits (B, C), scores float32 (B, N).
    """

    def scored(features: tf.Tensor, ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = model(features, training=False)
        slopes = tf.gather(_gradient(logits, features), tf.maximum(ids, 0), batch_dims=1)
        counts = tf.reduce_sum(tf.cast(ids >= 0, tf.float32), axis=1)
        one = tf.reduce_sum(features, axis=1) / tf.maximum(counts, 1)  # what a single count adds
        return logits, slopes * one[:, None]

    return scored


def _gradient(logits: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
    """The gradient of each row's highest logit (B, C) with respect to the row's inputs."""
    (gradient,) = tf.gradients(tf.reduce_max(logits, axis=-1), inputs)
    return gradient
