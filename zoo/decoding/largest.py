"""The largest of many numbers."""

from typing import Any

import tensorflow as tf

WIDTH = 32  # numbers of a stretch
FROM = 1024  # in fewer numbers it is quicker to look at each


def largest(
    values: tf.Tensor, count: Any, offsets: tf.Tensor, bars: tf.Tensor, barred: tuple[int, ...]
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The largest of values[b K + k, v] + offsets[b, k] + bars[v], for each b.

    What `tf.math.top_k` gives, sooner in long rows: it looks only where large numbers are. The n
    largest numbers lie in the n stretches whose maxima are the largest, or in as many more as have
    something barred.

    Args:
        values: float32 (B K, V), V known to the graph.
        count: n, at most K V.
        offsets: float32 (B, K).
        bars: float32 (V,), at most 0.
        barred: The places at which `bars` may not be 0.

    Returns:
        The n largest of each b, largest first, and their k and v, (B, n) each. Which ones of equal
        values are taken is not told.
    """
    size = values.shape[1]
    width = WIDTH if size >= FROM else 1
    stretches = -(-size // width)
    if size % width:
        missing = stretches * width - size
        values = tf.pad(values, [(0, 0), (0, missing)], constant_values=values.dtype.min)
        bars = tf.pad(bars, [(0, missing)])
    batch, rows = tf.unstack(tf.shape(offsets))
    parts = tf.reshape(values, [batch, rows * stretches, width])
    peaks = tf.reshape(tf.reduce_max(parts, axis=2), [batch, rows, stretches])
    peaks = tf.reshape(peaks + offsets[:, :, None], [batch, rows * stretches])
    more = rows * len({place // width for place in barred})
    looked = tf.minimum(count + more, rows * stretches)  # W
    _, best = tf.math.top_k(peaks, looked)  # (B, W)
    members = tf.gather(parts, best, batch_dims=1)  # (B, W, width)
    members += tf.gather(offsets, best // stretches, batch_dims=1)[:, :, None]
    members += tf.gather(tf.reshape(bars, [stretches, width]), best % stretches)
    found, places = tf.math.top_k(tf.reshape(members, [batch, looked * width]), count)
    stretch = tf.gather(best, places // width, batch_dims=1)
    return found, stretch // stretches, stretch % stretches * width + places % width
