"""Filters of the next token's distribution: temperature, top-k, top-p, repetition control."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding.bounds import require
from rnn_zoo_runtime.decoding.softmax import softmax

RULED_OUT = np.float32(-1e30)  # finite, so that no difference is NaN
CHECKED = ("temperature", "top_k", "top_p", "repetition_penalty", "no_repeat")


@dataclass(frozen=True)
class Filter:
    """Changes a model's distribution over the next token, as `zoo.decoding.Filter` does.

    In this order: the repetition penalty, forbidden tokens and repeated n-grams, the temperature,
    top-k, top-p. Each number except `no_repeat` is one value for all rows, or (B,).

    Attributes:
        temperature: From 0 up; below 1 sharpens the distribution, 0 takes the most likely token.
        top_k: Keep the k most likely tokens, ties by the smaller id; 0 = all.
        top_p: Keep the fewest most likely tokens that together have this probability; above 0, at
            most 1.
        repetition_penalty: Divides positive logits of tokens that the row contains already, and
            multiplies negative ones; 1 = no change.
        no_repeat: Forbid repeated n-grams of this size; 0 = off.
        forbidden: Ids that are never sampled, such as UNK.

    Raises:
        InputError: A number is out of its range.
    """

    temperature: Any = 1.0
    top_k: Any = 0
    top_p: Any = 1.0
    repetition_penalty: Any = 1.0
    no_repeat: int = 0
    forbidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Checks the values."""
        for name in CHECKED:
            require(name, getattr(self, name))

    def __call__(self, logits: np.ndarray, history: np.ndarray, count: int) -> np.ndarray:
        """Filters logits (B, V) -> float32 (B, V), -1e30 for tokens that are ruled out.

        The history int32 (B, T) has the row's tokens so far; entries from `count` on are ignored.
        """
        logits = np.asarray(logits, np.float32)
        penalty = _column(self.repetition_penalty, np.float32)
        if (penalty != 1).any():
            logits = _less_repeated(logits, history[:, :count], penalty)
        ruled_out = logits <= RULED_OUT
        ruled_out[:, list(self.forbidden)] = True
        if self.no_repeat:
            ruled_out |= would_repeat(history, count, self.no_repeat, logits.shape[1])
        logits = np.where(ruled_out, RULED_OUT, logits)
        temperature = _column(self.temperature, np.float32)
        greedy = temperature == 0
        peak = np.max(logits, axis=1, keepdims=True)
        # dividing differences keeps the largest finite at the lowest temperature
        with np.errstate(over="ignore"):
            logits = (logits - peak) / np.where(greedy, np.float32(1), temperature) + peak
        logits = np.where(ruled_out, RULED_OUT, logits)
        top_k = np.where(greedy, 1, _column(self.top_k, np.int32))
        return _most_likely(logits, top_k, _column(self.top_p, np.float32))


def _column(value: Any, dtype: Any) -> np.ndarray:
    """One number for all rows as (1, 1), or one per row as (B, 1)."""
    return np.reshape(np.asarray(value, dtype), [-1, 1])


def _most_likely(logits: np.ndarray, top_k: np.ndarray, top_p: np.ndarray) -> np.ndarray:
    """Top-k, then top-p."""
    if not top_k.any() and (top_p == 1).all():
        return logits
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(logits, order, axis=1)
    places = np.arange(logits.shape[1])[None]
    limit = np.where(top_k == 0, logits.shape[1], top_k)
    ranked = np.where(places < limit, ranked, RULED_OUT)
    shares = softmax(ranked)
    before = np.cumsum(shares, axis=1) - shares
    kept = (places < limit) & ((before < top_p) | (places == 0))
    there = np.zeros_like(kept)
    np.put_along_axis(there, order, kept, axis=1)
    return np.where(there, logits, RULED_OUT)


def _less_repeated(logits: np.ndarray, seen: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    there = np.zeros(logits.shape, bool)
    there[np.arange(len(seen))[:, None], seen] = True
    return np.where(there, np.where(logits > 0, logits / penalty, logits * penalty), logits)


def would_repeat(history: np.ndarray, count: int, size: int, vocabulary: int) -> np.ndarray:
    """Marks the next tokens that would repeat an n-gram of the row: bool (B, V).

    The history is int32 (B, T), of which the first `count` tokens exist; `size` is the n-gram's.
    """
    marked = np.zeros([len(history), vocabulary], bool)
    for row, tokens in enumerate(history[:, :count].tolist()):
        last = tokens[count - size + 1 :]
        for at in range(count - size + 1):
            if tokens[at : at + size - 1] == last:
                marked[row, tokens[at + size - 1]] = True
    return marked
