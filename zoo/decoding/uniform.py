"""Random numbers for the rows of a batch, each from its own seed, in core TensorFlow ops.

`tf.random.stateless_uniform` takes one seed for a whole tensor, so the numbers of a row would
depend on its place and on the size of the batch. On other backends NumPy computes the same numbers,
outside of any graph.
"""

from typing import Any

import numpy as np
from keras import ops

from zoo.recurrence.tracing import on_tensorflow

if on_tensorflow():
    import tensorflow as tf

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
HALF = 2.0**-32
BELOW_ONE = 1 - 2.0**-24  # the largest float32 below 1


def uniform(seed: Any, rows: Any, steps: Any) -> Any:
    """Uniform numbers in [0, 1), one for each row and step: float64 (B, T), of 32 random bits each.

    A number depends on the row's seed and the step; seeds are int32 (B,), one a row. With one int
    for all rows it also depends on the place of the row, so that rows differ; the first row is the
    same as with its own seed. Other backends than TensorFlow have them in float32.
    """
    if not on_tensorflow():
        return _by_numpy(seed, rows, steps)
    seed = tf.cast(seed, tf.uint32)
    place = tf.cast(tf.range(rows), tf.uint32)
    if seed.shape.rank:
        place = tf.zeros_like(place)
    size = [rows, steps]
    key = [tf.broadcast_to(one[:, None], size) for one in (tf.zeros_like(place) + seed, place)]
    count = tf.broadcast_to(tf.cast(tf.range(steps), tf.uint32)[None], size)
    bits, _ = threefry(key, [count, tf.zeros_like(count)])
    return tf.cast(bits, tf.float64) * HALF


def _by_numpy(seed: Any, rows: int, steps: int) -> Any:
    seeds = np.asarray(ops.convert_to_numpy(ops.convert_to_tensor(seed)), "uint32")
    place = np.zeros(rows, "uint32") if seeds.ndim else np.arange(rows, dtype="uint32")
    size = (rows, steps)
    key = [np.broadcast_to(one[..., None], size) for one in (place * 0 + seeds, place)]
    count = np.broadcast_to(np.arange(steps, dtype="uint32"), size)
    bits, _ = threefry(key, [count, np.zeros_like(count)])
    return ops.convert_to_tensor(np.minimum(bits * HALF, BELOW_ONE).astype("float32"))


def uniform_at(seed: Any, step: Any) -> Any:
    """The numbers of `uniform` at one step of each row, with a seed per row: float64 (B,).

    Seeds and steps are int32 (B,).

    Example:
        >>> seeds = tf.constant([3, 5])
        >>> bool(tf.reduce_all(uniform_at(seeds, tf.constant([0, 2])) ==
        ...     tf.linalg.diag_part(tf.gather(uniform(seeds, 2, 3), [0, 2], axis=1))))
        True
    """
    key, count = tf.cast(seed, tf.uint32), tf.cast(step, tf.uint32)
    bits, _ = threefry([key, tf.zeros_like(key)], [count, tf.zeros_like(count)])
    return tf.cast(bits, tf.float64) * HALF


def threefry(key: list[Any], counter: list[Any]) -> tuple[Any, Any]:
    """Threefry-2x32 with 20 rounds: random bits from a counter and a key.

    Key, counter and result are two uint32 tensors, or NumPy arrays, each; all of one shape.

    Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011), section 3.3.
    """
    keys = [*key, key[0] ^ key[1] ^ np.uint32(PARITY)]
    first, second = counter[0] + keys[0], counter[1] + keys[1]
    for group in range(5):
        for bits in ROTATIONS[group % 2]:
            first += second
            second = _rotated(second, bits) ^ first
        first += keys[(group + 1) % 3]
        second += keys[(group + 2) % 3] + np.uint32(group + 1)
    return first, second


def _rotated(values: Any, bits: int) -> Any:
    if isinstance(values, np.ndarray):
        return values << np.uint32(bits) | values >> np.uint32(32 - bits)
    left = tf.bitwise.left_shift(values, tf.constant(bits, tf.uint32))
    return left | tf.bitwise.right_shift(values, tf.constant(32 - bits, tf.uint32))


def sample_seeds(seed: int, count: int) -> list[int]:
    """Seeds for several samples of one request: the first is `seed` itself.

    Example:
        >>> sample_seeds(7, 3)[0], len(set(sample_seeds(7, 3) + sample_seeds(8, 3)))
        (7, 6)
    """
    key = [np.full(count, seed, "uint32"), np.arange(count, dtype="uint32")]
    bits, _ = threefry(key, [np.zeros(count, "uint32")] * 2)
    return [seed, *(int(one) >> 1 for one in bits[1:])]
