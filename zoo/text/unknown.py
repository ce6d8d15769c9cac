"""Out-of-vocabulary tokens, in the graph: what served models report about them."""

import tensorflow as tf

from zoo.text.text_path import dense

NAMED = 20  # unknown tokens of a text that are named


def unknown_share(unknown: tf.RaggedTensor) -> tf.Tensor:
    """The share of each text's tokens that are unknown: ragged bool (B, T) -> float32 (B,), 0 to 1.

    It is 0 for a text without tokens.

    Example:
        >>> flags = tf.ragged.constant([[True, False], []], dtype=tf.bool)
        >>> unknown_share(flags).numpy().tolist()
        [0.5, 0.0]
    """
    count = tf.reduce_sum(tf.cast(unknown, tf.float32), axis=1)
    return count / tf.cast(tf.maximum(unknown.row_lengths(), 1), tf.float32)


def unknown_tokens(tokens: tf.RaggedTensor, unknown: tf.RaggedTensor) -> tf.Tensor:
    """The first 20 unknown tokens of each text: strings (B, U), "" as padding, U at least 1.

    `tokens` are ragged strings (B, T), `unknown` ragged bool (B, T), True for those that the
    vocabulary lacks.
    """
    return dense(tf.ragged.boolean_mask(tokens, unknown)[:, :NAMED], "")
