"""Ragged rows -> a dense tensor with at least one step, for any batch."""

from typing import Any

import tensorflow as tf


def dense(rows: tf.RaggedTensor, padding: Any = 0) -> tf.Tensor:
    """Ragged (B, T) -> (B, T), padded on the right; T is at least 1, also for a batch without rows.

    Example:
        >>> dense(tf.RaggedTensor.from_row_lengths([5, 6], [2, 0])).numpy().tolist()
        [[5, 6], [0, 0]]
    """
    values = rows.to_tensor(padding)
    missing = tf.maximum(1 - tf.shape(values)[1], 0)
    return tf.pad(values, [(0, 0), (0, missing)], constant_values=padding)
