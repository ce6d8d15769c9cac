"""Top-k over long rows, faster than `tf.math.top_k`."""

from typing import Any

import tensorflow as tf

WIDTH = 32  # numbers of a block
FROM = 1024  # with fewer numbers a plain top-k is faster


def largest(
    values: tf.Tensor, count: Any, offsets: tf.Tensor, bars: tf.Tensor, barred: tuple[int, ...]
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The n = `count` largest of values[b K + k, v] + offsets[b, k] + bars[v], for each b.

    Equal to `tf.math.top_k`, but faster in long rows: only blocks with large numbers are searched.
    The n largest numbers are in the n blocks with the largest maxima, or in as many more as contain
    barred places.

    Values are float32 (B K, V), V known to the graph, offsets float32 (B, K), and bars float32
    (V,), at most 0, and other than 0 at the places `barred` alone; n is at most K V. Returns the
    numbers, largest first, and their k and v, (B, n) each; the order of equal values is undefined.
    """
    size = values.shape[1]
    width = WIDTH if size >= FROM else 1
    blocks = -(-size // width)
    if size % width:
        missing = blocks * width - size
        values = tf.pad(values, [(0, 0), (0, missing)], constant_values=values.dtype.min)
        bars = tf.pad(bars, [(0, missing)])
    batch, rows = tf.unstack(tf.shape(offsets))
    parts = tf.reshape(values, [batch, rows * blocks, width])
    peaks = tf.reshape(tf.reduce_max(parts, axis=2), [batch, rows, blocks])
    peaks = tf.reshape(peaks + offsets[:, :, None], [batch, rows * blocks])
    more = rows * len({place // width for place in barred})
    searched = tf.minimum(count + more, rows * blocks)  # W
    _, best = tf.math.top_k(peaks, searched)  # (B, W)
    members = tf.gather(parts, best, batch_dims=1)  # (B, W, width)
    members += tf.gather(offsets, best // blocks, batch_dims=1)[:, :, None]
    members += tf.gather(tf.reshape(bars, [blocks, width]), best % blocks)
    found, places = tf.math.top_k(tf.reshape(members, [batch, searched * width]), count)
    block = tf.gather(best, places // width, batch_dims=1)
    return found, block // blocks, block % blocks * width + places % width
