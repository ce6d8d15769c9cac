"""The largest of many numbers."""

from typing import Any

import tensorflow as tf

WIDTH = 32  # numbers of a stretch
FROM = 1024  # in fewer numbers it is quicker to look at each


def largest(values: tf.Tensor, count: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """What `tf.math.top_k` gives, sooner in long rows: it looks only where large numbers are.

    The k largest numbers lie in the k stretches whose maxima are the largest.

    Args:
        values: float32 (R, V), V known to the graph.
        count: k, at most V.

    Returns:
        The k largest of each row, largest first, and their places, (R, k) each. Which ones of
        equal values are taken is not told.
    """
    size = values.shape[1]
    if size < FROM:
        return tf.math.top_k(values, count)
    rows, stretches = tf.shape(values)[0], -(-size // WIDTH)
    if size % WIDTH:
        missing = stretches * WIDTH - size
        values = tf.pad(values, [(0, 0), (0, missing)], constant_values=values.dtype.min)
    parts = tf.reshape(values, [rows, stretches, WIDTH])
    _, best = tf.math.top_k(tf.reduce_max(parts, axis=2), tf.minimum(count, stretches))  # (R, k)
    members = tf.reshape(tf.gather(parts, best, batch_dims=1), [rows, WIDTH * tf.shape(best)[1]])
    found, places = tf.math.top_k(members, count)
    stretch = tf.gather(best, places // WIDTH, batch_dims=1)
    return found, stretch * WIDTH + places % WIDTH
