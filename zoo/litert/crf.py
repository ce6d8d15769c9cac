"""A CRF's best path in LiteRT's own ops: the steps are unrolled, as their number is fixed."""

from typing import Any

import keras
import tensorflow as tf

from zoo.crf.layer import CRF


def emissions(model: keras.Model) -> keras.Model:
    """The model of a tagger up to what its CRF reads: inputs -> logits (B, T, C)."""
    _, place, _ = model.output._keras_history
    crf = model.output._keras_history.operation
    return keras.Model(model.input, crf._inbound_nodes[place].arguments.args[0])


def best_path(crf: CRF, logits: Any, mask: Any) -> Any:
    """The tags of the best path, int32 (B, T), 0 in the padding.

        s_1 = start + x_1,   s_t(j) = max_i ( s_(t-1)(i) + transition(i, j) ) + x_t(j)

    The path is followed back from the largest s_T + end, T each row's last token.

    Args:
        crf: The built CRF.
        logits: x, (B, T, C) with fixed sizes.
        mask: bool (B, T), True = a real token, padding on the right.
    """
    chain = crf.chain(keras.ops.zeros([1, 1, crf.num_tags]))
    steps, count = logits.shape[1:]
    stay = tf.range(count)[None]
    score, best = chain.start[None] + logits[:, 0], []
    for step in range(1, steps):
        pairs = score[:, :, None] + chain.transitions[None]
        here = mask[:, step : step + 1]
        before = tf.argmax(pairs, axis=1, output_type=tf.int32)
        best.append(tf.where(here, before, stay))
        score = tf.where(here, tf.reduce_max(pairs, axis=1) + logits[:, step], score)
    last = tf.argmax(score + chain.end[None], axis=1, output_type=tf.int32)
    path = [last]
    for before in reversed(best):
        chosen = tf.cast(tf.equal(stay, path[-1][:, None]), tf.int32)
        path.append(tf.reduce_sum(before * chosen, axis=1))
    return tf.stack(path[::-1], axis=1) * tf.cast(mask, tf.int32)
