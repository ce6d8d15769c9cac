"""Lengths and padding masks: the one convention that every layer shares.

A mask is bool (B, T), True = a real token. Padding stands on the right, so that a row is its
length; a mask is computed once from the ids and handed on explicitly.
"""

from typing import Any

import keras
from keras import ops

PAD = 0


class MaskedLayer(keras.layers.Layer):
    """A layer that takes the mask as an argument; Keras' implicit mask ends here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, *_arguments: Any, **_named: Any) -> None:
        return None


def keep_frozen(layer: keras.layers.Layer) -> None:
    """Freezes what a frozen layer has made in `build`: a loaded model's stay as they were saved.

    Keras freezes the layers that are there when `trainable` is set, and a model that is loaded
    builds them later.
    """
    if not layer.trainable:
        layer.trainable = True  # TensorFlow passes over a value that an attribute has already
        layer.trainable = False


def padding_mask(token_ids: Any) -> Any:
    """The mask of token ids.

    Args:
        token_ids: int (B, T), 0 = PAD on the right.

    Returns:
        bool (B, T), True = a real token.

    Example:
        >>> padding_mask([[7, 8, 0]]).numpy().tolist()
        [[True, True, False]]
    """
    return ops.not_equal(token_ids, PAD)


def lengths(mask: Any) -> Any:
    """The number of real tokens in each row: bool (B, T) -> int32 (B,)."""
    return ops.sum(ops.cast(mask, "int32"), axis=1)


def from_lengths(row_lengths: Any, time: Any) -> Any:
    """The mask of rows of so many tokens: int (B,) and T -> bool (B, T)."""
    return ops.arange(time, dtype="int32")[None] < ops.cast(row_lengths, "int32")[:, None]


def reverse_within_lengths(values: Any, row_lengths: Any) -> Any:
    """Reverses each row within its own length; what stands in the padding stays where it is.

    Args:
        values: (B, T, ...).
        row_lengths: int (B,), tokens.

    Returns:
        (B, T, ...) with `values[b, row_lengths[b] - 1 - t]` at `[b, t]` for t < row_lengths[b].

    Example:
        >>> import numpy as np
        >>> reverse_within_lengths(np.array([[1, 2, 3, 0]]), np.array([3])).numpy().tolist()
        [[3, 2, 1, 0]]
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # a native op, several times faster than the gather below

        return tf.reverse_sequence(values, row_lengths, seq_axis=1, batch_axis=0)
    steps = ops.arange(ops.shape(values)[1], dtype="int32")[None, :]
    length = ops.cast(row_lengths, "int32")[:, None]
    index = ops.where(steps < length, length - 1 - steps, steps)
    index = ops.reshape(index, ops.shape(index) + (1,) * (len(values.shape) - 2))
    return ops.take_along_axis(values, index, axis=1)


def last_real(values: Any, row_lengths: Any, otherwise: Any) -> Any:
    """The value at each row's last real token.

    Args:
        values: (B, T, D).
        row_lengths: int (B,), tokens.
        otherwise: (B, D), taken for rows without a real token.

    Returns:
        (B, D).
    """
    row_lengths = ops.cast(row_lengths, "int32")[:, None]
    index = ops.maximum(row_lengths - 1, 0)[:, :, None]
    last = ops.squeeze(ops.take_along_axis(values, index, axis=1), axis=1)
    return ops.where(row_lengths > 0, last, otherwise)


def masked_mean(values: Any, mask: Any) -> Any:
    """The mean over each row's real tokens, (B, T, D) -> (B, D); 0 for a row without any."""
    weights = ops.cast(mask, values.dtype)[:, :, None]
    total = ops.sum(values * weights, axis=1)
    return total / ops.maximum(ops.sum(weights, axis=1), 1)
