"""Beam search over a step function: the most likely sequences, as `zoo.decoding` finds them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_zoo_runtime.decoding.bounds import require
from rnn_zoo_runtime.decoding.filtering import RULED_OUT, would_repeat
from rnn_zoo_runtime.decoding.sampling import PAD, Step
from rnn_zoo_runtime.decoding.softmax import log_sum_exp
from rnn_zoo_runtime.errors import InputError

NEVER = np.float32(-1e20)  # below every score that a hypothesis can have
NONE = -1  # a token that is not decoded yet
PENALTIES = ("gnmt", "average")
SORTED = 256  # numbers of a row that are sorted; of more the largest are found first


class Hypotheses(NamedTuple):
    """The N best sequences of each row, best first.

    Attributes:
        token_ids: int32 (B, N, T), 0 = PAD after the end.
        lengths: int32 (B, N), tokens, the end token counted; 0 where there are fewer sequences.
        log_probabilities: float32 (B, N), in nats; -1e20 where there are fewer sequences.
        scores: float32 (B, N), by which they are ordered: log-probability / length penalty, plus
            `bonus`.
        origins: int32 (B, N, T), the row among R = B K of the states that predicted the token.
    """

    token_ids: np.ndarray
    lengths: np.ndarray
    log_probabilities: np.ndarray
    scores: np.ndarray
    origins: np.ndarray


class _Beam(NamedTuple):
    """K sequences of each row."""

    tokens: np.ndarray  # (B, K, T, 2), NONE after the end; each with the row that predicted it
    total: np.ndarray  # (B, K), log-probability
    score: np.ndarray  # (B, K)


def length_penalty(length: Any, alpha: Any, kind: str = "gnmt") -> np.ndarray:
    """The divisor of a log-probability; 1 for alpha = 0.

        gnmt:     ((5 + length) / 6) ^ alpha
        average:  length ^ alpha; with alpha = 1 the mean of the tokens' log-probabilities

    Source: Wu et al., arXiv:1609.08144, equation 14.
    """
    length = np.asarray(length, np.float32)
    base = length if kind == "average" else (np.float32(5) + length) / np.float32(6)
    found: np.ndarray = base ** np.asarray(alpha, np.float32)
    return found


def coverage_penalty(covered: np.ndarray, mask: np.ndarray, beta: float) -> np.ndarray:
    """Penalty for source tokens without attention: beta sum_s log(min(sum_t alpha_ts, 1)).

    `covered` is the sum of each source token's attention over all steps, float (R, T_x); the mask
    marks real tokens, bool (R, T_x). Source: Wu et al., arXiv:1609.08144, equation 14.
    """
    share = np.where(mask, np.clip(covered, 1e-4, 1.0), 1.0).astype(np.float32)
    return np.float32(beta) * np.sum(np.log(share), axis=1)


def chosen(states: Any, rows: np.ndarray) -> Any:
    """Some rows of states: arrays with a row for each sequence, in dicts and tuples."""
    if isinstance(states, dict):
        return {name: chosen(state, rows) for name, state in states.items()}
    if isinstance(states, tuple | list):
        return type(states)(chosen(state, rows) for state in states)
    return states[rows]


def beam_search(
    step: Step,
    logits: np.ndarray,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    beam_size: Any,
    n_best: Any = 1,
    min_tokens: int = 0,
    alpha: Any = 0.0,
    penalty: str = "gnmt",
    bonus: Callable[[Any], np.ndarray] | None = None,
    prefix: np.ndarray | None = None,
    no_repeat: int = 0,
    forbidden: tuple[int, ...] = (),
) -> Hypotheses:
    """Keeps the K most likely unfinished sequences and as many finished ones.

    The search of a row ends when no unfinished sequence can beat the worst that is returned, its
    N-th best finished one; the loop ends with the last row. K = 1 is greedy search.

    Args:
        step: Tokens int32 (R,) and states -> logits (R, V) and the new states, for R = B K rows,
            the K sequences of a row next to each other.
        logits: (B, V), for the first token.
        states: The states before it: arrays with B rows, in dicts and tuples.
        end: The end token's id.
        max_tokens: Maximum number of tokens, end token included; one number, or (B,).
        beam_size: K, a number or (B,), one a row.
        n_best: N, the number of sequences to return, at most the largest K.
        min_tokens: Minimum number of tokens before the end token.
        alpha: Strength of the length penalty, 0 to 10, a number or (B,); 0 = none.
        penalty: Which length penalty: `gnmt` or `average`.
        bonus: From the states that predicted a sequence's last token to a term of its score, float
            (R,), at most 0.
        prefix: int32 (B, P), forced first tokens of each row, 0 = PAD on the right.
        no_repeat: Forbid repeated n-grams of this size; 0 = off.
        forbidden: Ids that are never decoded.

    Raises:
        InputError: A number is out of its range, or the penalty is unknown.

    Source: Sutskever, Vinyals and Le, arXiv:1409.3215, section 3.2; Wu et al., arXiv:1609.08144,
        section 7.
    """
    options = {"beam_size": beam_size, "n_best": n_best, "max_tokens": max_tokens}
    for name, value in {**options, "min_tokens": min_tokens, "no_repeat": no_repeat}.items():
        require(name, value)
    require("length_penalty", alpha, "alpha")
    if penalty not in PENALTIES:
        raise InputError(f"penalty must be one of {', '.join(PENALTIES)}; got {penalty!r}")
    batch, size = logits.shape
    own = np.broadcast_to(np.asarray(beam_size, np.int32), [batch])[:, None]  # each row's K
    beams = int(np.max(own, initial=1))
    limits = np.broadcast_to(np.asarray(max_tokens, np.int32), [batch])
    longest = int(np.max(limits, initial=0))
    alphas = np.broadcast_to(np.asarray(alpha, np.float32), [batch])[:, None]
    penalties = length_penalty(np.arange(longest + 2)[None], alphas, penalty)
    lowest = penalties[np.arange(batch), limits]
    bars = np.zeros(size, np.float32)
    bars[list(forbidden)] = RULED_OUT
    early = bars.copy()
    early[end] = RULED_OUT
    needed = min(2 * beams, beams * size)
    considered = np.arange(needed)[None] < np.where(own == 1, 1, 2 * own)  # (B, n)
    places = np.arange(beams)[None] < own  # (B, K)
    returned = np.minimum(own[:, 0], np.max(n_best, initial=1))
    row = np.arange(batch)[:, None]

    def continuations(count: int, alive: _Beam, logits: np.ndarray) -> tuple[np.ndarray, ...]:
        """The most likely continuations: log-probabilities, sequences and tokens, (B, n) each."""
        logits = np.asarray(logits, np.float32)  # (B K, V)
        norms = log_sum_exp(logits)
        if no_repeat:
            history = alive.tokens[:, :, :, 0].reshape(batch * beams, longest)
            logits = np.where(would_repeat(history, count, no_repeat, size), RULED_OUT, logits)
        if prefix is not None and count < prefix.shape[1]:
            against = (prefix[:, count] != PAD)[:, None] & (
                np.arange(size)[None] != prefix[:, count, None]
            )
            logits = np.where(np.repeat(against, beams, axis=0), RULED_OUT, logits)
        offsets = alive.total - norms.reshape(batch, beams)
        values = logits.reshape(batch, beams, size) + offsets[:, :, None]
        values += early if count < min_tokens else bars
        found, best = top_k(values.reshape(batch, beams * size), needed)
        return np.where(considered, found, NEVER), best // size, best % size

    def extended(
        count: int, alive: _Beam, done: _Beam, logits: np.ndarray, states: Any
    ) -> tuple[_Beam, _Beam, np.ndarray, Any]:
        """The sequences with one more token, these tokens, and their states."""
        found, parents, tokens = continuations(count, alive, logits)
        rows = alive.tokens[row, parents]
        predicted_by = row * beams + parents
        rows[:, :, count, 0], rows[:, :, count, 1] = tokens, predicted_by
        score = found / penalties[:, count + 1, None]
        if bonus is not None:
            added = bonus(states).reshape(batch, beams)
            score = score + added[row, parents]
        ended = (tokens == end) | (count + 1 >= limits)[:, None]
        possible = (found > NEVER) & (count < limits)[:, None]
        new = _Beam(rows, found, np.where(ended & possible, score, NEVER))
        both = _Beam(*[np.concatenate(pair, axis=1) for pair in zip(done, new, strict=True)])
        done = _best(both, beams)
        done = done._replace(score=np.where(places, done.score, NEVER))
        total, kept = top_k(np.where(ended, NEVER, np.maximum(found, NEVER)), beams)
        total = np.where(places, total, NEVER)
        alive = _Beam(rows[row, kept], total, total)
        last = tokens[row, kept].reshape(-1).astype(np.int32)
        return alive, done, last, chosen(states, predicted_by[row, kept].reshape(-1))

    def is_open(count: int, alive: _Beam, done: _Beam) -> bool:
        # a log-probability only falls, and the penalty is largest for the longest
        best = alive.total.max(axis=1)
        worst = done.score[row[:, 0], returned - 1]  # they are in order
        return bool(((count < limits) & (best > NEVER) & (best / lowest > worst)).any())

    empty = np.full([batch, beams, longest, 2], NONE, np.int32)
    nothing = np.full([batch, beams], NEVER, np.float32)
    one = np.concatenate([np.zeros([batch, 1], np.float32), nothing[:, 1:]], axis=1)
    alive, done = _Beam(empty, one, one), _Beam(empty, nothing, nothing)
    count = 0
    if longest:
        repeated = np.repeat(np.arange(batch), beams)
        alive, done, last, states = extended(
            0, alive, done, logits[repeated], chosen(states, repeated)
        )
        count = 1
    while count and is_open(count, alive, done):
        after, states = step(last, states)
        alive, done, last, states = extended(count, alive, done, after, states)
        count += 1
    best = _best(done, min(int(np.max(n_best, initial=1)), beams))
    there = best.score > NEVER
    tokens, origins = np.moveaxis(np.where(there[:, :, None, None], best.tokens, NONE), 3, 0)
    return Hypotheses(
        np.where(tokens == NONE, PAD, tokens).astype(np.int32),
        np.sum(tokens != NONE, axis=2).astype(np.int32),
        np.where(there, best.total, NEVER),
        best.score,
        origins,
    )


def top_k(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest numbers of each row (B, N), largest first, and their places: (B, n) each.

    Of equal numbers the first comes first.

    Example:
        >>> top_k(np.array([[1.0, 3.0, 3.0]]), 2)[1].tolist()
        [[1, 2]]
    """
    row = np.arange(len(values))[:, None]
    if values.shape[1] <= SORTED:
        places = (-values).argsort(axis=1, kind="stable")[:, :count]
        return values[row, places], places
    least = np.partition(values, -count, axis=1)[:, -count]
    rows = []
    for each, limit in zip(values, least, strict=True):
        large = np.flatnonzero(each >= limit)
        rows.append(large[np.argsort(-each[large], kind="stable")[:count]])
    places = np.array(rows, int).reshape(len(values), count)
    return values[row, places], places


def _best(beam: _Beam, count: int) -> _Beam:
    """The sequences of highest score, best first."""
    score, places = top_k(beam.score, count)
    row = np.arange(len(places))[:, None]
    return _Beam(beam.tokens[row, places], beam.total[row, places], score)
