"""Which tokens may come next, and how likely: temperature, top-k, top-p, repetition control."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

RULED_OUT = -1e30  # finite, so that no difference is NaN


@dataclass(frozen=True)
class Filter:
    """How a model's distribution over the next token is changed before a token is drawn.

    In this order: what is forbidden or would repeat a stretch is ruled out, repetitions are made
    less likely, the temperature divides the logits, top-k and then top-p cut off the rest. Numbers
    may be tensors, so that a served model takes them as inputs.

    Attributes:
        temperature: Above 0; below 1 sharpens the distribution, 0 takes the best token (greedy).
        top_k: Keep the k most likely tokens; 0 = all. Of equally likely ones the smaller id.
        top_p: Keep the fewest most likely tokens that together have this probability (nucleus).
        repetition_penalty: Logits of tokens that stand in the row already are divided by this where
            positive and multiplied where negative; 1 = no change.
        no_repeat: No stretch of so many tokens comes twice; 0 = any may.
        forbidden: Ids that never come, such as padding.

    Source: Fan et al., arXiv:1805.04833 (top-k); Holtzman et al., arXiv:1904.09751 (top-p); Keskar
        et al., arXiv:1909.05858 (repetition penalty); Paulus et al., arXiv:1705.04304 (stretches).
    """

    temperature: Any = 1.0
    top_k: Any = 0
    top_p: Any = 1.0
    repetition_penalty: Any = 1.0
    no_repeat: int = 0
    forbidden: tuple[int, ...] = ()

    def __call__(self, logits: tf.Tensor, history: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """The logits to draw from.

        Args:
            logits: float (B, V).
            history: int32 (B, T), the row's tokens so far; what lies from `count` on is not looked
                at.
            count: int32, how many there are.

        Returns:
            float32 (B, V); what is ruled out is -1e30.
        """
        logits, history = tf.cast(logits, tf.float32), tf.cast(history, tf.int32)
        logits = _less_repeated(logits, history, count, self.repetition_penalty)
        ruled_out = tf.reduce_any(tf.one_hot(self.forbidden, logits.shape[-1], True, False), axis=0)
        logits = tf.where(ruled_out, RULED_OUT, logits)
        if self.no_repeat:
            repeated = would_repeat(history, count, self.no_repeat, logits.shape[-1])
            logits = tf.where(repeated, RULED_OUT, logits)
        greedy = tf.equal(self.temperature, 0.0)
        logits = logits / tf.where(greedy, 1.0, self.temperature)
        return _most_likely(logits, tf.where(greedy, 1, self.top_k), self.top_p)


def _most_likely(logits: tf.Tensor, top_k: Any, top_p: Any) -> tf.Tensor:
    """Rules out all but the most likely tokens, by their number and then by their probability."""
    order = tf.argsort(logits, direction="DESCENDING", stable=True)
    ranks = tf.argsort(order)  # (B, V): each token's place in the order
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
    """Which next tokens would make a stretch of `size` tokens that stands in the row already.

    Args:
        history: int32 (B, T).
        count: int32, tokens of each row so far.
        size: Of a stretch, at least 1.
        vocabulary: V.

    Returns:
        bool (B, V).
    """
    batch, time = tf.unstack(tf.shape(history))
    wide = tf.pad(history, [(0, 0), (0, size)], constant_values=-1)
    same = tf.ones([batch, time], tf.bool)
    for offset in range(size - 1):
        # of the last size - 1 tokens, the one that stands `offset` behind their first
        last = tf.gather(wide, tf.maximum(count - (size - 1) + offset, 0), axis=1)
        same &= tf.equal(wide[:, offset : offset + time], last[:, None])
    follower = wide[:, size - 1 : size - 1 + time]
    inside = tf.range(time)[None] + size - 1 < count
    hits = same & inside & (count >= size)
    rows = tf.broadcast_to(tf.range(batch)[:, None], tf.shape(follower))
    places = tf.boolean_mask(tf.stack([rows, follower], axis=-1), hits)
    return tf.scatter_nd(places, tf.ones_like(places[:, 0]), [batch, vocabulary]) > 0
