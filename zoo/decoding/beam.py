"""Beam search over a step function: the most likely sequences, batched, in the graph."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.decoding.bounds import require
from zoo.decoding.filtering import RULED_OUT, column, would_repeat
from zoo.decoding.sampling import PAD, Step
from zoo.errors import require_choice, require_positive_int

NEVER = -1e20  # below every score that a hypothesis can have
WIDTH = 32  # numbers of a block of `largest`
FROM = 1024  # with fewer numbers in a row a plain top-k is faster


class Hypotheses(NamedTuple):
    """The N best sequences of each row, best first.

    Attributes:
        token_ids: int32 (B, N, T), 0 = PAD after the end.
        lengths: int32 (B, N), tokens, the end token counted; 0 where there are fewer sequences.
        log_probabilities: float32 (B, N), in nats; -1e20 where there are fewer sequences.
        scores: float32 (B, N), by which they are ordered: log-probability / length penalty, plus
            `bonus`.
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor
    scores: tf.Tensor


class _Beam(NamedTuple):
    """K sequences of each row."""

    tokens: Any  # (B, K, T), NONE after the end
    total: Any  # (B, K), log-probability
    score: Any  # (B, K)


NONE = -1  # a token that is not decoded yet
PENALTIES = ("gnmt", "average")


def length_penalty(length: Any, alpha: Any, kind: str = "gnmt") -> Any:
    """The divisor of a log-probability; 1 for alpha = 0.

        gnmt:     ((5 + length) / 6) ^ alpha
        average:  length ^ alpha; with alpha = 1 the mean of the tokens' log-probabilities

    Source: Wu et al., arXiv:1609.08144, equation 14.
    """
    length = tf.cast(length, tf.float32)
    base = length if kind == "average" else (5.0 + length) / 6.0
    return base ** tf.cast(alpha, tf.float32)


def coverage_penalty(covered: Any, mask: Any, beta: Any) -> Any:
    """Penalty for source tokens without attention: beta sum_s log(min(sum_t alpha_ts, 1)).

    It is at most 0; beta is from 0 up. `covered` is the sum of each source token's attention over
    all steps, float (R, T_x), of which shares below 1e-4 count as 1e-4; the mask marks real tokens,
    bool (R, T_x).

    Source: Wu et al., arXiv:1609.08144, equation 14.
    """
    share = tf.where(mask, tf.clip_by_value(covered, 1e-4, 1.0), 1.0)
    return tf.cast(beta, tf.float32) * tf.reduce_sum(tf.math.log(share), axis=1)


def beam_search(
    step: Step,
    logits: tf.Tensor,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    beam_size: Any,
    n_best: Any = 1,
    min_tokens: Any = 0,
    alpha: Any = 0.0,
    penalty: str = "gnmt",
    bonus: Callable[[Any], tf.Tensor] | None = None,
    prefix: Any = None,
    no_repeat: int = 0,
    forbidden: tuple[int, ...] = (),
) -> Hypotheses:
    """Keeps the K most likely unfinished sequences and as many finished ones.

    Finished sequences are stored separately and do not displace unfinished ones. The search of a
    row ends when no unfinished sequence can beat its worst finished one; the loop ends with the
    last row. Sequences that are unfinished after `max_tokens` count as finished, without an end
    token.

    K = 1 is greedy search: each step takes the most likely token, up to the end token. A row's
    sequences depend neither on the other rows nor on their K.

    Args:
        step: Tokens int32 (R,) and states -> logits (R, V) and the new states, for R = B K rows,
            the K sequences of a row next to each other.
        logits: (B, V), for the first token.
        states: The states before it: tensors with B rows, in any nest.
        end: The end token's id.
        max_tokens: Maximum number of tokens, end token included; one number, or (B,).
        beam_size: K, a number or (B,), one a row.
        n_best: N, the number of sequences to return, at most the largest K.
        min_tokens: Minimum number of tokens before the end token.
        alpha: Strength of the length penalty, 0 to 10, a number or (B,); 0 = none, which favours
            short sequences.
        penalty: Which length penalty: `gnmt` or `average`.
        bonus: From the states that predicted a sequence's last token to a term of its score, float
            (R,), at most 0; see `coverage_penalty`. Unfinished ones are compared without it.
        prefix: int32 (B, P), forced first tokens of each row, 0 = PAD on the right; they count
            like all others. None = none.
        no_repeat: Forbid repeated n-grams of this size; 0 = off.
        forbidden: Ids that are never decoded.

    Returns:
        The best sequences.

    Raises:
        InputError: A number is out of its range (see `zoo.decoding.bounds`), or the penalty is
            unknown.

    Source: Sutskever, Vinyals and Le, arXiv:1409.3215, section 3.2; Wu et al., arXiv:1609.08144,
        section 7.
    """
    for name, value in (("beam_size", beam_size), ("n_best", n_best)):
        if isinstance(value, int | float | str):
            require_positive_int(name, value)
        require(name, value)
    require("max_tokens", max_tokens)
    require("min_tokens", min_tokens)
    require("length_penalty", alpha, "alpha")
    require("no_repeat", no_repeat)
    require_choice("penalty", penalty, PENALTIES)
    batch, size = tf.shape(logits)[0], logits.shape[-1]
    beams = widest(beam_size)
    own = tf.broadcast_to(column(beam_size, tf.int32), [batch, 1])  # each row's K
    limits = tf.broadcast_to(tf.cast(max_tokens, tf.int32), [batch])  # (B,)
    longest = tf.reduce_max(tf.concat([[0], limits], axis=0))
    penalties = length_penalty(tf.range(longest + 2)[None], column(alpha, tf.float32), penalty)
    penalties = tf.broadcast_to(penalties, [batch, longest + 2])
    lowest = tf.gather(penalties, limits, batch_dims=1)
    barred = tf.reduce_sum(tf.one_hot(forbidden, size, RULED_OUT, 0.0), axis=0)  # (V,)
    early = tf.minimum(barred, tf.one_hot(end, size, RULED_OUT, 0.0))
    needed = tf.minimum(2 * beams, beams * size)
    considered = tf.range(needed)[None] < tf.where(own == 1, 1, 2 * own)  # (B, n)
    places = tf.range(beams)[None] < own  # (B, K)
    starts = tf.range(batch)[:, None] * beams
    times = tf.range(longest)[None, None]

    def continuations(count: Any, alive: _Beam, logits: Any) -> tuple[Any, Any, Any]:
        """The most likely continuations: log-probabilities, sequences and tokens, (B, n) each."""
        logits = tf.cast(logits, tf.float32)  # (B K, V)
        norms = tf.reduce_logsumexp(logits, axis=1)
        if no_repeat:
            history = tf.reshape(alive.tokens, [batch * beams, longest])
            logits = tf.where(would_repeat(history, count, no_repeat, size), RULED_OUT, logits)
        if prefix is not None:
            against = tf.repeat(_against(prefix, count, size), beams, axis=0)
            logits = tf.where(against, RULED_OUT, logits)
        offsets = alive.total - tf.reshape(norms, [batch, beams])
        bars = tf.where(count < min_tokens, early, barred)
        found, parents, tokens = largest(logits, needed, offsets, bars, (*forbidden, end))
        return tf.where(considered, found, NEVER), parents, tokens

    def extended(count: Any, alive: _Beam, done: _Beam, logits: Any, states: Any) -> Any:
        """The sequences with one more token, these tokens, and their states."""
        found, parents, tokens = continuations(count, alive, logits)
        rows = tf.gather(alive.tokens, parents, batch_dims=1)
        rows = tf.where(times == count, tokens[:, :, None], rows)
        score = found / penalties[:, count + 1, None]
        if bonus is not None:
            added = tf.reshape(bonus(states), [batch, beams])
            score += tf.gather(added, parents, batch_dims=1)
        ended = (tokens == end) | (count + 1 >= limits)[:, None]
        possible = (found > NEVER) & (count < limits)[:, None]
        new = _Beam(rows, found, tf.where(ended & possible, score, NEVER))
        both = _Beam(*[tf.concat(pair, axis=1) for pair in zip(done, new, strict=True)])
        done = _best(both, beams)
        done = done._replace(score=tf.where(places, done.score, NEVER))
        total, kept = tf.math.top_k(tf.where(ended, NEVER, tf.maximum(found, NEVER)), beams)
        total = tf.where(places, total, NEVER)
        alive = _Beam(tf.gather(rows, kept, batch_dims=1), total, total)
        origin = tf.reshape(starts + tf.gather(parents, kept, batch_dims=1), [-1])
        states = tf.nest.map_structure(lambda state: tf.gather(state, origin), states)
        last = tf.reshape(tf.gather(tokens, kept, batch_dims=1), [-1])
        return count + 1, alive, done, last, states

    def unfinished(count: Any, alive: _Beam, done: _Beam, *_rest: Any) -> Any:
        # a log-probability only falls, and the penalty is largest for the longest
        best = tf.reduce_max(alive.total, axis=1)
        worst = tf.reduce_min(tf.where(places, done.score, -NEVER), axis=1)
        open_rows = (count < limits) & (best > NEVER) & (best / lowest > worst)
        return tf.reduce_any(open_rows)

    def advance(count: Any, alive: _Beam, done: _Beam, last: Any, states: Any) -> Any:
        return extended(count, alive, done, *step(last, states))

    empty = tf.fill([batch, beams, longest], NONE)
    nothing = tf.fill([batch, beams], NEVER)
    one = tf.tile(tf.concat([[0.0], tf.fill([beams - 1], NEVER)], 0)[None], [batch, 1])
    first = extended(
        tf.constant(0),
        _Beam(empty, one, one),
        _Beam(empty, nothing, nothing),
        *tf.nest.map_structure(lambda each: tf.repeat(each, beams, axis=0), (logits, states)),
    )
    loose = tf.TensorShape
    table = _Beam(loose([None, None, None]), loose([None, None]), loose([None, None]))
    kept = tf.nest.map_structure(lambda state: loose([None, *state.shape[1:]]), states)
    shapes = (loose([]), table, table, loose([None]), kept)
    _, _, done, _, _ = tf.while_loop(unfinished, advance, first, shape_invariants=shapes)
    best = _best(done, tf.minimum(widest(n_best), beams))
    there = best.score > NEVER
    tokens = tf.where(there[:, :, None], best.tokens, NONE)
    return Hypotheses(
        tf.where(tokens == NONE, PAD, tokens),
        tf.reduce_sum(tf.cast(tokens != NONE, tf.int32), axis=2),
        tf.where(there, best.total, NEVER),
        best.score,
    )


def widest(beam_size: Any) -> tf.Tensor:
    """The largest beam of all rows, from a number or (B,); at least 1: int32."""
    return tf.reduce_max(tf.concat([[1], tf.reshape(tf.cast(beam_size, tf.int32), [-1])], axis=0))


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


def _against(prefix: Any, count: Any, size: int) -> Any:
    """Marks the tokens that contradict the prefix at this position: bool (B, V)."""
    wide = tf.pad(tf.cast(prefix, tf.int32), [(0, 0), (0, 1)], constant_values=PAD)
    token = wide[:, tf.minimum(count, tf.shape(wide)[1] - 1)][:, None]
    return (token != PAD) & (tf.range(size)[None] != token)


def _best(beam: _Beam, count: Any) -> _Beam:
    """The sequences of highest score, best first."""
    score, places = tf.math.top_k(beam.score, count)
    tokens, total = (tf.gather(each, places, batch_dims=1) for each in beam[:2])
    return _Beam(tokens, total, score)
