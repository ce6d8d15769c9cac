"""Autoregressive sampling: each token is drawn from the predicted distribution of the next one.

The random numbers are those of `zoo.decoding`: with the same logits and seed the same tokens are
drawn. Logits of ONNX Runtime differ from TensorFlow's by rounding, so that now and then a token
differs, and with it the rest of its text; the distribution is the same.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_zoo_runtime.decoding.bounds import require
from rnn_zoo_runtime.decoding.filtering import RULED_OUT, Filter
from rnn_zoo_runtime.decoding.softmax import log_softmax, softmax
from rnn_zoo_runtime.decoding.uniform import uniform

Step = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]
PAD = 0


class Generated(NamedTuple):
    """Sampled sequences.

    Attributes:
        token_ids: int32 (B, T), T at most `max_tokens`; 0 = PAD after the end of a row.
        lengths: int32 (B,), tokens of each row, end token included.
        log_probability: float32 (B,), of the row's tokens under the model itself, unfiltered and at
            temperature 1, in nats.
        finished: bool (B,), whether the row reached its end token.
        log_probabilities: float32 (B, T), of each token, likewise; 0 after the end of a row.
    """

    token_ids: np.ndarray
    lengths: np.ndarray
    log_probability: np.ndarray
    finished: np.ndarray
    log_probabilities: np.ndarray


def generate(
    step: Step,
    logits: np.ndarray,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    min_tokens: Any = 0,
    choose: Filter | None = None,
    seed: Any = 0,
) -> Generated:
    """Samples tokens until each row has its end token or `max_tokens`.

    PAD is never sampled. A row in which all tokens are ruled out ends without an end token.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) of the next token, and the new states.
        logits: (B, V), of the first token after the prompt.
        states: The states after the prompt.
        end: The end token's id. It is sampled like any other.
        max_tokens: Maximum number of tokens, end token included; one number, or (B,).
        min_tokens: Minimum number of tokens before the end token; one number, or (B,).
        choose: Changes the distribution before a token is sampled; none by default.
        seed: From 0 to 2147483647. One number: the same tokens for the same batch. One per row,
            (B,): a row's tokens depend on its seed alone, not on its place or the other rows.

    Raises:
        InputError: A number is out of its range; see `bounds`.
    """
    for name, value in (("max_tokens", max_tokens), ("min_tokens", min_tokens), ("seed", seed)):
        require(name, value)
    choose = choose or Filter()
    batch, size = logits.shape
    limits = np.broadcast_to(np.asarray(max_tokens, np.int32), [batch])
    longest = int(np.max(limits, initial=0))
    numbers = uniform(seed, batch, longest)
    tokens, lengths = np.zeros([batch, longest], np.int32), np.zeros(batch, np.int32)
    total, finished = np.zeros(batch, np.float32), np.zeros(batch, bool)
    each = np.zeros([batch, longest], np.float32)
    running, count = limits > 0, 0
    while running.any():
        allowed = np.array(logits, np.float32)
        if end != PAD:
            allowed[:, PAD] = RULED_OUT
        early = np.broadcast_to(count < np.asarray(min_tokens), [batch])
        allowed[early, end] = RULED_OUT
        left = choose(allowed, tokens, count)
        here = running & (left > RULED_OUT).any(axis=1)
        drawn = np.where(here, _drawn(left, numbers[:, count]), PAD).astype(np.int32)
        own = np.take_along_axis(log_softmax(logits), drawn[:, None], axis=1)[:, 0]
        own = np.where(here, own, np.float32(0))
        ended = here & (drawn == end)
        tokens[:, count], each[:, count] = drawn, own
        finished, lengths = finished | ended, lengths + here
        total += own
        count += 1
        running = here & ~ended & (count < limits)
        if running.any():
            logits, states = step(drawn, states)
    lengths = lengths.astype(np.int32)
    return Generated(tokens[:, :count], lengths, total, finished, each[:, :count])


def guided(step: Step, strength: Any, min_p: Any = 0.0) -> Step:
    """Builds a step whose distribution is shifted towards the condition.

        log P(y) = (1 + w) log P(y | condition) - w log P(y) + const

    Its states are a pair: those of the conditional and those of the unconditional model.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) and the new states.
        strength: w, 0 to 100, one number or (B,).
        min_p: Rule out tokens below this share of P(most likely token | condition), 0 to 1; one
            number or (B,).

    Raises:
        InputError: A number is out of its range.
    """
    require("guidance", strength, "strength")
    require("min_p", min_p)
    weight = np.reshape(np.asarray(strength, np.float32), [-1, 1])
    least = np.reshape(np.asarray(min_p, np.float32), [-1, 1])

    def both(token_ids: np.ndarray, states: Any) -> tuple[np.ndarray, Any]:
        logits, own = step(token_ids, states[0])
        others, free = step(token_ids, states[1])
        shares = np.exp(logits - np.max(logits, axis=1, keepdims=True))
        changed = logits + weight * (logits - others)
        return np.where(shares < least, RULED_OUT, changed), (own, free)

    return both


def _drawn(logits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The tokens at which the cumulated probabilities (B, V) pass random numbers (B,): (B,).

    A token of probability 0 is never among them.
    """
    passed = np.cumsum(softmax(logits).astype(np.float64), axis=1)
    return np.sum(passed <= numbers[:, None] * passed[:, -1:], axis=1)
