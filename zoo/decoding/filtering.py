"""Filters of the next token's distribution: temperature, top-k, top-p, repetition control."""

from dataclasses import dataclass
from typing import Any

from zoo.decoding import arrays as xp
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

    def __call__(self, logits: Any, history: Any, count: Any) -> Any:
        """Filters logits float (B, V) -> float32 (B, V), -1e30 for tokens that are ruled out.

        The history int32 (B, T) has the row's tokens so far; entries from `count` on are ignored.
        """
        logits, history = xp.cast(logits, xp.float32), xp.cast(history, xp.int32)
        if xp.is_tensor(self.repetition_penalty) or self.repetition_penalty != 1.0:
            penalty = column(self.repetition_penalty, xp.float32)
            logits = _less_repeated(logits, history, count, penalty)
        barred = xp.reduce_any(xp.one_hot(self.forbidden, logits.shape[-1], True, False), axis=0)
        ruled_out = (logits <= RULED_OUT) | barred
        if self.no_repeat:
            ruled_out |= would_repeat(history, count, self.no_repeat, logits.shape[-1])
        logits = xp.where(ruled_out, RULED_OUT, logits)
        temperature = column(self.temperature, xp.float32)
        greedy = xp.equal(temperature, 0.0)
        peak = xp.reduce_max(logits, axis=1, keepdims=True)
        # dividing differences keeps the largest finite at the lowest temperature
        logits = (logits - peak) / xp.where(greedy, 1.0, temperature) + peak
        logits = xp.where(ruled_out, RULED_OUT, logits)
        top_k = xp.where(greedy, 1, column(self.top_k, xp.int32))
        return _most_likely(logits, top_k, column(self.top_p, xp.float32))


def column(value: Any, dtype: Any) -> Any:
    """One number for all rows as (1, 1), or one per row as (B, 1)."""
    return xp.reshape(xp.cast(value, dtype), [-1, 1])


def _most_likely(logits: Any, top_k: Any, top_p: Any) -> Any:
    """Top-k, then top-p."""
    order = xp.argsort(logits, direction="DESCENDING", stable=True)
    ranks = xp.argsort(order)  # (B, V): the rank of each token
    sorted_logits = xp.gather(logits, order, batch_dims=1)
    places = xp.arange(xp.shape(logits)[1])[None]
    limit = xp.where(xp.equal(top_k, 0), xp.shape(logits)[1], top_k)
    sorted_logits = xp.where(places < limit, sorted_logits, RULED_OUT)
    before = xp.cumsum(xp.softmax(sorted_logits), axis=1, exclusive=True)
    kept = (places < limit) & ((before < top_p) | (places == 0))
    return xp.where(xp.gather(kept, ranks, batch_dims=1), logits, RULED_OUT)


def _less_repeated(logits: Any, history: Any, count: Any, penalty: Any) -> Any:
    seen = xp.arange(xp.shape(history)[1])[None] < count
    there = _marked(history, seen & (history >= 0), logits.shape[-1])
    changed = xp.where(logits > 0, logits / penalty, logits * penalty)
    return xp.where(there, changed, logits)


def would_repeat(history: Any, count: Any, size: int, vocabulary: int) -> Any:
    """Marks the next tokens that would repeat an n-gram of the row: bool (B, V).

    The history is int32 (B, T), of which the first `count` tokens exist; `size` is the n-gram's.
    """
    batch, time = xp.unstacked(history)
    wide = xp.pad(history, [(0, 0), (0, size)], constant_values=-1)
    same = xp.ones([batch, time], xp.boolean)
    for offset in range(size - 1):
        # the token `offset` after the first of the last size - 1 tokens
        last = xp.gather(wide, xp.maximum(count - (size - 1) + offset, 0), axis=1)
        same &= xp.equal(wide[:, offset : offset + time], last[:, None])
    follower = wide[:, size - 1 : size - 1 + time]
    inside = xp.arange(time)[None] + size - 1 < count
    hits = same & inside & (count >= size)
    return _marked(follower, hits, vocabulary)


def _marked(token_ids: Any, chosen: Any, vocabulary: int) -> Any:
    """Marks the chosen ones of tokens int (B, T) in their rows: bool (B, V)."""
    batch, time = xp.unstacked(token_ids)
    rows = xp.broadcast_to(xp.arange(batch)[:, None], [batch, time])
    places = xp.stack([rows, xp.where(chosen, token_ids, 0)], axis=-1)
    counts = xp.scatter_nd(
        xp.reshape(places, [-1, 2]),
        xp.reshape(xp.cast(chosen, xp.int32), [-1]),
        [batch, vocabulary],
    )
    return counts > 0
