"""The likeliest sequences: beam search over a step function, batched, in the graph."""

from typing import Any, NamedTuple

import tensorflow as tf

from zoo.decoding.filtering import RULED_OUT, would_repeat
from zoo.decoding.sampling import PAD, Step
from zoo.errors import require_positive_int

NEVER = -1e20  # below every score that a hypothesis can have


class Hypotheses(NamedTuple):
    """The N best sequences of each row, best first.

    Attributes:
        token_ids: int32 (B, N, T), 0 = PAD behind the end.
        lengths: int32 (B, N), tokens, the end token counted; 0 where there are fewer sequences.
        log_probabilities: float32 (B, N), in nats; -1e20 where there are fewer sequences.
        scores: float32 (B, N), what they are ordered by: log-probability / length penalty.
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor
    scores: tf.Tensor


class _Beam(NamedTuple):
    """K sequences of each row."""

    tokens: Any  # (B, K, T)
    total: Any  # (B, K), log-probability
    score: Any  # (B, K)
    length: Any  # (B, K)


def length_penalty(length: Any, alpha: Any) -> Any:
    """What a log-probability is divided by: ((5 + length) / 6) ^ alpha; 1 for alpha = 0.

    Source: Wu et al., arXiv:1609.08144, equation 14.
    """
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** tf.cast(alpha, tf.float32)


def beam_search(
    step: Step,
    logits: tf.Tensor,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    beam_size: int,
    n_best: int = 1,
    min_tokens: Any = 0,
    alpha: Any = 0.0,
    no_repeat: int = 0,
    forbidden: tuple[int, ...] = (),
) -> Hypotheses:
    """Keeps the K = `beam_size` likeliest unfinished sequences and as many finished ones.

    Finished sequences are kept apart and take no place from others. A row's search is over when no
    unfinished sequence can still beat its worst finished one; the loop, when all rows' are. What is
    unfinished after `max_tokens` counts as a sequence without end token.

    Args:
        step: Tokens int32 (R,) and states -> logits (R, V) and the new states, for any R.
        logits: (B, V), of the first token.
        states: The states before it: tensors with B rows, in any nest.
        end: The end token's id.
        max_tokens: Tokens at most, the end token counted.
        beam_size: K.
        n_best: N sequences to be given, at most K.
        min_tokens: Tokens before the end token at least.
        alpha: Of the length penalty, at least 0; 0 = none, which favours short sequences.
        no_repeat: No stretch of so many tokens comes twice; 0 = any may.
        forbidden: Ids that never come.

    Returns:
        The best sequences.

    Source: Sutskever, Vinyals and Le, arXiv:1409.3215, section 3.2.
    """
    require_positive_int("beam_size", beam_size)
    require_positive_int("n_best", n_best)
    batch, size, beams = tf.shape(logits)[0], logits.shape[-1], beam_size
    limit = tf.convert_to_tensor(max_tokens, tf.int32)
    never = tf.reduce_any(tf.one_hot(forbidden, size, True, False), axis=0)
    is_end = tf.range(size) == end

    def following(count: Any, alive: _Beam, logits: Any) -> Any:
        """The log-probability of each sequence with each next token: (B, K, V)."""
        each = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        ruled_out = never | ((count < min_tokens) & is_end)
        each = tf.where(ruled_out, RULED_OUT, each)
        if no_repeat:
            history = tf.reshape(alive.tokens, [batch * beams, -1])
            each = tf.where(would_repeat(history, count, no_repeat, size), RULED_OUT, each)
        return alive.total[:, :, None] + tf.reshape(each, [batch, beams, size])

    def going_on(count: Any, alive: _Beam, done: _Beam, *_rest: Any) -> Any:
        # a log-probability only falls, and the penalty is largest for the longest
        hope = tf.reduce_max(alive.total, axis=1) / length_penalty(limit, alpha)
        return (count < limit) & tf.reduce_any(hope > tf.reduce_min(done.score, axis=1))

    def advance(count: Any, alive: _Beam, done: _Beam, logits: Any, states: Any) -> tuple[Any, ...]:
        totals = tf.reshape(following(count, alive, logits), [batch, beams * size])
        found, places = tf.math.top_k(totals, min(2 * beams, beams * size))
        parents, tokens = places // size, places % size
        here = tf.range(tf.shape(alive.tokens)[2])[None, None] == count
        rows = tf.where(here, tokens[:, :, None], tf.gather(alive.tokens, parents, batch_dims=1))
        length = tf.fill(tf.shape(found), count + 1)
        score = found / length_penalty(count + 1, alpha)
        ended = (tokens == end) | (count + 1 == limit)
        possible = found > NEVER
        new = _Beam(rows, found, tf.where(ended & possible, score, NEVER), length)
        done = _best(_joined(done, new), beams)
        open_total = tf.where(ended, NEVER, tf.maximum(found, NEVER))
        _, kept = tf.math.top_k(open_total, beams)
        alive = _taken(_Beam(rows, open_total, open_total, length), kept)
        origin = tf.gather(parents, kept, batch_dims=1)
        flat = tf.reshape(tf.range(batch)[:, None] * beams + origin, [-1])
        states = tf.nest.map_structure(lambda state: tf.gather(state, flat), states)
        last = tf.reshape(tf.gather(tokens, kept, batch_dims=1), [-1])
        logits, states = step(last, states)
        return count + 1, alive, done, logits, states

    empty = tf.zeros([batch, beams, limit], tf.int32)
    nothing = tf.fill([batch, beams], NEVER)
    zero = tf.zeros([batch, beams], tf.int32)
    one = tf.tile(tf.concat([[0.0], tf.fill([beams - 1], NEVER)], 0)[None], [batch, 1])
    first = (
        tf.constant(0),
        _Beam(empty, one, one, zero),
        _Beam(empty, nothing, nothing, zero),
        tf.repeat(logits, beams, axis=0),
        tf.nest.map_structure(lambda state: tf.repeat(state, beams, axis=0), states),
    )
    _, _, done, _, _ = tf.while_loop(going_on, advance, first)
    best = _best(done, min(n_best, beams))
    there = best.score > NEVER
    inside = tf.range(limit)[None, None] < best.length[:, :, None]
    return Hypotheses(
        tf.where(inside & there[:, :, None], best.tokens, PAD),
        tf.where(there, best.length, 0),
        tf.where(there, best.total, NEVER),
        best.score,
    )


def _joined(one: _Beam, other: _Beam) -> _Beam:
    return _Beam(*[tf.concat(pair, axis=1) for pair in zip(one, other, strict=True)])


def _best(beam: _Beam, count: int) -> _Beam:
    """The sequences of highest score, best first."""
    return _taken(beam, tf.math.top_k(beam.score, count)[1])


def _taken(beam: _Beam, places: Any) -> _Beam:
    return _Beam(*[tf.gather(values, places, batch_dims=1) for values in beam])
