"""Beam search over a step function: the most likely sequences, batched, in the graph."""

from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.decoding import arrays as xp
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

    token_ids: Any
    lengths: Any
    log_probabilities: Any
    scores: Any


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
    length = xp.cast(length, xp.float32)
    base = length if kind == "average" else (5.0 + length) / 6.0
    return base ** xp.cast(alpha, xp.float32)


def coverage_penalty(covered: Any, mask: Any, beta: Any) -> Any:
    """Penalty for source tokens without attention: beta sum_s log(min(sum_t alpha_ts, 1)).

    It is at most 0; beta is from 0 up. `covered` is the sum of each source token's attention over
    all steps, float (R, T_x), of which shares below 1e-4 count as 1e-4; the mask marks real tokens,
    bool (R, T_x).

    Source: Wu et al., arXiv:1609.08144, equation 14.
    """
    share = xp.where(mask, xp.clip_by_value(covered, 1e-4, 1.0), 1.0)
    return xp.cast(beta, xp.float32) * xp.reduce_sum(xp.log(share), axis=1)


def beam_search(
    step: Step,
    logits: Any,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    beam_size: Any,
    n_best: Any = 1,
    min_tokens: Any = 0,
    alpha: Any = 0.0,
    penalty: str = "gnmt",
    bonus: Callable[[Any], Any] | None = None,
    prefix: Any = None,
    no_repeat: int = 0,
    forbidden: tuple[int, ...] = (),
) -> Hypotheses:
    """Keeps the K most likely unfinished sequences and as many finished ones.

    Finished sequences are stored separately and do not displace unfinished ones. The search of a
    row ends when no unfinished sequence can beat the worst that is returned, its N-th best finished
    one; the loop ends with the last row. Sequences that are unfinished after `max_tokens` count as
    finished, without an end token.

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
    batch, size = xp.shape(logits)[0], logits.shape[-1]
    beams = widest(beam_size)
    own = xp.broadcast_to(column(beam_size, xp.int32), [batch, 1])  # each row's K
    limits = xp.broadcast_to(xp.cast(max_tokens, xp.int32), [batch])  # (B,)
    longest = xp.static_size(xp.reduce_max(xp.concat([[0], limits], axis=0)))
    penalties = length_penalty(xp.arange(longest + 2)[None], column(alpha, xp.float32), penalty)
    penalties = xp.broadcast_to(penalties, [batch, longest + 2])
    lowest = xp.gather(penalties, limits, batch_dims=1)
    barred = xp.reduce_sum(xp.one_hot(forbidden, size, RULED_OUT, 0.0), axis=0)  # (V,)
    early = xp.minimum(barred, xp.one_hot(end, size, RULED_OUT, 0.0))
    needed = xp.smaller(2 * beams, beams * size)
    considered = xp.arange(needed)[None] < xp.where(own == 1, 1, 2 * own)  # (B, n)
    places = xp.arange(beams)[None] < own  # (B, K)
    returned = xp.minimum(own, widest(n_best))  # (B, 1)
    starts = xp.arange(batch)[:, None] * beams
    times = xp.arange(longest)[None, None]

    def continuations(count: Any, alive: _Beam, logits: Any) -> tuple[Any, Any, Any]:
        """The most likely continuations: log-probabilities, sequences and tokens, (B, n) each."""
        logits = xp.cast(logits, xp.float32)  # (B K, V)
        norms = xp.reduce_logsumexp(logits, axis=1)
        if no_repeat:
            history = xp.reshape(alive.tokens, [batch * beams, longest])
            logits = xp.where(would_repeat(history, count, no_repeat, size), RULED_OUT, logits)
        if prefix is not None:
            against = xp.repeat(_against(prefix, count, size), beams, axis=0)
            logits = xp.where(against, RULED_OUT, logits)
        offsets = alive.total - xp.reshape(norms, [batch, beams])
        bars = xp.where(count < min_tokens, early, barred)
        found, parents, tokens = largest(logits, needed, offsets, bars, (*forbidden, end))
        return xp.where(considered, found, NEVER), parents, tokens

    def extended(count: Any, alive: _Beam, done: _Beam, logits: Any, states: Any) -> Any:
        """The sequences with one more token, these tokens, and their states."""
        found, parents, tokens = continuations(count, alive, logits)
        rows = xp.gather(alive.tokens, parents, batch_dims=1)
        rows = xp.where(times == count, tokens[:, :, None], rows)
        score = found / penalties[:, count + 1, None]
        if bonus is not None:
            added = xp.reshape(bonus(states), [batch, beams])
            score += xp.gather(added, parents, batch_dims=1)
        ended = (tokens == end) | (count + 1 >= limits)[:, None]
        possible = (found > NEVER) & (count < limits)[:, None]
        new = _Beam(rows, found, xp.where(ended & possible, score, NEVER))
        both = _Beam(*[xp.concat(pair, axis=1) for pair in zip(done, new, strict=True)])
        done = _best(both, beams)
        done = done._replace(score=xp.where(places, done.score, NEVER))
        total, kept = xp.top_k(xp.where(ended, NEVER, xp.maximum(found, NEVER)), beams)
        total = xp.where(places, total, NEVER)
        alive = _Beam(xp.gather(rows, kept, batch_dims=1), total, total)
        origin = xp.reshape(starts + xp.gather(parents, kept, batch_dims=1), [-1])
        states = xp.map_structure(lambda state: xp.gather(state, origin), states)
        last = xp.reshape(xp.gather(tokens, kept, batch_dims=1), [-1])
        return count + 1, alive, done, last, states

    def unfinished(count: Any, alive: _Beam, done: _Beam, *_rest: Any) -> Any:
        # a log-probability only falls, and the penalty is largest for the longest
        best = xp.reduce_max(alive.total, axis=1)
        worst = xp.gather(done.score, returned - 1, batch_dims=1)[:, 0]  # they are in order
        open_rows = (count < limits) & (best > NEVER) & (best / lowest > worst)
        return xp.reduce_any(open_rows)

    def advance(count: Any, alive: _Beam, done: _Beam, last: Any, states: Any) -> Any:
        return extended(count, alive, done, *step(last, states))

    empty = xp.fill([batch, beams, longest], NONE)
    nothing = xp.fill([batch, beams], NEVER)
    one = xp.tile(xp.concat([[0.0], xp.fill([beams - 1], NEVER)], 0)[None], [batch, 1])
    first = extended(
        xp.constant(0),
        _Beam(empty, one, one),
        _Beam(empty, nothing, nothing),
        *xp.map_structure(lambda each: xp.repeat(each, beams, axis=0), (logits, states)),
    )
    table = _Beam(xp.loose(None, None, None), xp.loose(None, None), xp.loose(None, None))
    kept = xp.map_structure(lambda state: xp.loose(None, *state.shape[1:]), states)
    shapes = (xp.loose(), table, table, xp.loose(None), kept)
    _, _, done, _, _ = xp.while_loop(unfinished, advance, first, shapes)
    best = _best(done, xp.smaller(widest(n_best), beams))
    there = best.score > NEVER
    tokens = xp.where(there[:, :, None], best.tokens, NONE)
    return Hypotheses(
        xp.where(tokens == NONE, PAD, tokens),
        xp.reduce_sum(xp.cast(tokens != NONE, xp.int32), axis=2),
        xp.where(there, best.total, NEVER),
        best.score,
    )


def widest(beam_size: Any) -> Any:
    """The largest beam of all rows, from a number or (B,); at least 1: int32."""
    every = xp.concat([[1], xp.reshape(xp.cast(beam_size, xp.int32), [-1])], axis=0)
    return xp.static_size(xp.reduce_max(every))


def largest(
    values: Any, count: Any, offsets: Any, bars: Any, barred: tuple[int, ...]
) -> tuple[Any, Any, Any]:
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
        values = xp.pad(values, [(0, 0), (0, missing)], constant_values=xp.least(values.dtype))
        bars = xp.pad(bars, [(0, missing)])
    batch, rows = xp.unstacked(offsets)
    parts = xp.reshape(values, [batch, rows * blocks, width])
    peaks = xp.reshape(xp.reduce_max(parts, axis=2), [batch, rows, blocks])
    peaks = xp.reshape(peaks + offsets[:, :, None], [batch, rows * blocks])
    more = rows * len({place // width for place in barred})
    searched = xp.smaller(count + more, rows * blocks)  # W
    _, best = xp.top_k(peaks, searched)  # (B, W)
    members = xp.gather(parts, best, batch_dims=1)  # (B, W, width)
    members += xp.gather(offsets, best // blocks, batch_dims=1)[:, :, None]
    members += xp.gather(xp.reshape(bars, [blocks, width]), best % blocks)
    found, places = xp.top_k(xp.reshape(members, [batch, searched * width]), count)
    block = xp.gather(best, places // width, batch_dims=1)
    token = block % blocks * width + places % width
    return found, xp.cast(block // blocks, xp.int32), xp.cast(token, xp.int32)


def _against(prefix: Any, count: Any, size: int) -> Any:
    """Marks the tokens that contradict the prefix at this position: bool (B, V)."""
    wide = xp.pad(xp.cast(prefix, xp.int32), [(0, 0), (0, 1)], constant_values=PAD)
    token = wide[:, xp.minimum(count, xp.shape(wide)[1] - 1)][:, None]
    return (token != PAD) & (xp.arange(size)[None] != token)


def _best(beam: _Beam, count: Any) -> _Beam:
    """The sequences of highest score, best first."""
    score, places = xp.top_k(beam.score, count)
    tokens, total = (xp.gather(each, places, batch_dims=1) for each in beam[:2])
    return _Beam(tokens, total, score)
