"""Filters of the next token's distribution: temperature, top-k, top-p, repetition control."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zoo.decoding.bounds import require

RULED_OUT = -1e30  # finite, so that no difference is NaN
CHECKED = ("temperature", "top_k", "top_p", "repetition_penalty", "no_repeat")


@dataclass(frozen=True)
class Filter:
    """Changes a model's distribution over the next token before it is sampled.

    In this order: the repetition penalty, forbidden tokens and repeated n-grams, the temperature,
    top-k, top-p. Each number except `no_repeat` is one value for all rows, or an array or tensor
    (B,) with one value per row; the ranges are in `zoo.decoding.bounds`.

    Attributes:
        temperature: From 0 up; below 1 sharpens the distribution, 0 takes the most likely token.
        top_k: Keep the k most likely tokens, ties by the smaller id; 0 = all.
        top_p: Keep the fewest most likely tokens that together have this probability (nucleus);
            above 0, at most 1.
        repetition_penalty: Divides positive logits of tokens that the row contains already, and
            multiplies negative ones; 1 = no change.
        no_repeat: Forbid repeated n-grams of this size; 0 = off.
        forbidden: Ids that are never sampled, such as UNK.

    Raises:
        InputError: A number is out of its range.

    Source: Fan et al., arXiv:1805.04833 (top-k); Holtzman et al., arXiv:1904.09751 (top-p); Keskar
        et al., arXiv:1909.05858 (repetition penalty); Paulus et al., arXiv:1705.04304 (n-grams).
    """

    temperature: Any = 1.0
    top_k: Any = 0
    top_p: Any = 1.0
    repetition_penalty: Any = 1.0
    no_repeat: int = 0
    forbidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Checks the values that are known before the graph runs."""
        for name in CHECKED:
            require(name, getattr(self, name))

    def __call__(self, logits: tf.Tensor, history: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Filters logits float (B, V) -> float32 (B, V), -1e30 for tokens that are ruled out.

        The history int32 (B, T) has the row's tokens so far; entries from `count` on are ignored.
        """
        logits, history = tf.cast(logits, tf.float32), tf.cast(history, tf.int32)
        if tf.is_tensor(self.repetition_penalty) or self.repetition_penalty != 1.0:
            penalty = column(self.repetition_penalty, tf.float32)
            logits = _less_repeated(logits, history, count, penalty)
        barred = tf.reduce_any(tf.one_hot(self.forbidden, logits.shape[-1], True, False), axis=0)
        ruled_out = (logits <= RULED_OUT) | barred
        if self.no_repeat:
            ruled_out |= would_repeat(history, count, self.no_repeat, logits.shape[-1])
        logits = tf.where(ruled_out, RULED_OUT, logits)
        temperature = column(self.temperature, tf.float32)
        greedy = tf.equal(temperature, 0.0)
        peak = tf.reduce_max(logits, axis=1, keepdims=True)
        # dividing differences keeps the largest finite at the lowest temperature
        logits = (logits - peak) / tf.where(greedy, 1.0, temperature) + peak
        logits = tf.where(ruled_out, RULED_OUT, logits)
        top_k = tf.where(greedy, 1, column(self.top_k, tf.int32))
        return _most_likely(logits, top_k, column(self.top_p, tf.float32))


def column(value: Any, dtype: tf.DType) -> tf.Tensor:
    """One number for all rows as (1, 1), or one per row as (B, 1)."""
    return tf.reshape(tf.cast(value, dtype), [-1, 1])


def _most_likely(logits: tf.Tensor, top_k: Any, top_p: Any) -> tf.Tensor:
    """Top-k, then top-p."""
    order = tf.argsort(logits, direction="DESCENDING", stable=True)
    ranks = tf.argsort(order)  # (B, V): the rank of each token
    sorted_logits = tf.gather(logits, order, batch_dims=1)
    places = tf.range(tf.shape(logits)[1])[None]
    limit = tf.where(tf.equal(top_k, 0), tf.shape(logits)[1], top_k)
    sorted_logits = tf.where(places < limit, sorted_logits, RULED_OUT)
    before = tf.cumsum(tf.nn.softmax(sorted_logits), axis=1, exclusive=True)
    kept = (places < limit) & ((before < top_p) | (places == 0))
    return tf.where(tf.gather(kept, ranks, batch_dims=1), logits, RULED_OUT)


def _less_repeated(
    logits: tf.Tensor, history: tf.Tensor, count: tf.Tensor, penalty: Any
) -> tf.Tensor:
    seen = tf.range(tf.shape(history)[1])[None] < count
    marked = tf.where(seen, history, -1)
    rows = tf.broadcast_to(tf.range(tf.shape(history)[0])[:, None], tf.shape(history))
    places = tf.boolean_mask(tf.stack([rows, marked], axis=-1), marked >= 0)
    there = tf.scatter_nd(places, tf.ones_like(places[:, 0]), tf.shape(logits)) > 0
    changed = tf.where(logits > 0, logits / penalty, logits * penalty)
    return tf.where(there, changed, logits)


def would_repeat(history: tf.Tensor, count: tf.Tensor, size: int, vocabulary: int) -> tf.Tensor:
    """Marks the next tokens that would repeat an n-gram of the row: bool (B, V).

    The history is int32 (B, T), of which the first `count` tokens exist; `size` is the n-gram's.
    """
    batch, time = tf.unstack(tf.shape(history))
    wide = tf.pad(history, [(0, 0), (0, size)], constant_values=-1)
    same = tf.ones([batch, time], tf.bool)
    for offset in range(size - 1):
        # the token `offset` after the first of the last size - 1 tokens
        last = tf.gather(wide, tf.maximum(count - (size - 1) + offset, 0), axis=1)
        same &= tf.equal(wide[:, offset : offset + time], last[:, None])
    follower = wide[:, size - 1 : size - 1 + time]
    inside = tf.range(time)[None] + size - 1 < count
    hits = same & inside & (count >= size)
    rows = tf.broadcast_to(tf.range(batch)[:, None], tf.shape(follower))
    places = tf.boolean_mask(tf.stack([rows, follower], axis=-1), hits)
    return tf.scatter_nd(places, tf.ones_like(places[:, 0]), [batch, vocabulary]) > 0
