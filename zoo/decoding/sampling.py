"""Autoregressive sampling: each token is drawn from the predicted distribution of the next one."""

from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.decoding import arrays as xp
from zoo.decoding.bounds import require
from zoo.decoding.filtering import RULED_OUT, Filter, column
from zoo.decoding.uniform import uniform

Step = Callable[[Any, Any], tuple[Any, Any]]
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

    token_ids: Any
    lengths: Any
    log_probability: Any
    finished: Any
    log_probabilities: Any


class _Drawing(NamedTuple):
    """The rows while they are sampled."""

    running: Any  # bool (B,), whether the row continues
    finished: Any  # bool (B,)
    tokens: Any  # int32 (B, T)
    lengths: Any  # int32 (B,)
    total: Any  # float32 (B,)
    each: Any  # float32 (B, T)


def generate(
    step: Step,
    logits: Any,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    min_tokens: Any = 0,
    choose: Filter | None = None,
    seed: Any = 0,
) -> Generated:
    """Samples tokens until each row has its end token or `max_tokens`; a loop in the graph.

    PAD is never sampled. A row in which all tokens are ruled out ends without an end token.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) of the next token, and the new states.
        logits: (B, V), of the first token after the prompt.
        states: The states after the prompt: tensors with B rows, in any nest.
        end: The end token's id. It is sampled like any other.
        max_tokens: Maximum number of tokens, end token included; one number, or (B,).
        min_tokens: Minimum number of tokens before the end token; one number, or (B,).
        choose: Changes the distribution before a token is sampled; none by default.
        seed: From 0 to 2147483647. One number: the same tokens for the same batch. One per row,
            (B,): a row's tokens depend on its seed alone, not on its place or the other rows.

    Returns:
        The tokens and their log-probabilities under the model.

    Raises:
        InputError: A number is out of its range; see `zoo.decoding.bounds`.
    """
    for name, value in (("max_tokens", max_tokens), ("min_tokens", min_tokens), ("seed", seed)):
        require(name, value)
    choose = choose or Filter()
    batch, size = xp.shape(logits)[0], logits.shape[-1]
    limits = xp.broadcast_to(xp.cast(max_tokens, xp.int32), [batch])
    longest = xp.static_size(xp.reduce_max(xp.concat([[0], limits], axis=0)))
    numbers = uniform(seed, batch, longest)
    ids = xp.arange(size)

    def unfinished(count: Any, rows: _Drawing, *_rest: Any) -> Any:
        return xp.reduce_any(rows.running)

    def advance(count: Any, rows: _Drawing, logits: Any, states: Any) -> tuple[Any, ...]:
        early = xp.reshape(count < min_tokens, [-1, 1]) & (ids == end)
        found = draw(
            xp.where(early, RULED_OUT, logits), numbers[:, count], choose, end, rows.tokens, count
        )
        here = rows.running & found.possible
        drawn = xp.where(here, found.token_ids, PAD)
        own = xp.where(here, log_probabilities(logits, drawn), 0.0)
        place = xp.arange(longest)[None] == count
        ended = here & (drawn == end)
        rows = _Drawing(
            here & ~ended & (count + 1 < limits),
            rows.finished | ended,
            xp.where(place, drawn[:, None], rows.tokens),
            rows.lengths + xp.cast(here, xp.int32),
            rows.total + own,
            xp.where(place, own[:, None], rows.each),
        )
        return count + 1, rows, *step(drawn, states)

    nothing = xp.zeros([batch], xp.int32)
    first = _Drawing(
        limits > 0,
        nothing > 0,
        xp.zeros([batch, longest], xp.int32),
        nothing,
        xp.zeros([batch]),
        xp.zeros([batch, longest]),
    )
    count, rows, _, _ = xp.while_loop(unfinished, advance, (xp.constant(0), first, logits, states))
    count = xp.static_size(count)
    return Generated(
        rows.tokens[:, :count], rows.lengths, rows.total, rows.finished, rows.each[:, :count]
    )


class Drawn(NamedTuple):
    """One sampled token of each row.

    Attributes:
        token_ids: int32 (B,).
        possible: bool (B,), False for a row in which all tokens are ruled out.
    """

    token_ids: Any
    possible: Any


def draw(
    logits: Any, numbers: Any, choose: Filter, end: int, history: Any = None, count: Any = 0
) -> Drawn:
    """Samples the next token of each row; PAD is never sampled.

    Args:
        logits: (B, V), of the next token.
        numbers: Uniform numbers in [0, 1), float64 (B,).
        choose: Changes the distribution before a token is sampled.
        end: The end token's id.
        history: int32 (B, T), the row's tokens so far, for a filter that asks for them.
        count: How many tokens `history` has.
    """
    ids = xp.arange(logits.shape[-1])
    never = (ids == PAD) & (ids != end)
    nothing = xp.zeros([xp.shape(logits)[0], 0], xp.int32)
    left = choose(
        xp.where(never, RULED_OUT, logits), nothing if history is None else history, count
    )
    return Drawn(_drawn(left, numbers), xp.reduce_any(left > RULED_OUT, axis=1))


def log_probabilities(logits: Any, token_ids: Any) -> Any:
    """The log-probability of a token of each row, float32 (B,), in nats, from logits (B, V)."""
    return xp.gather(xp.log_softmax(xp.cast(logits, xp.float32)), token_ids, batch_dims=1)


def guided(step: Step, strength: Any, min_p: Any = 0.0) -> Step:
    """Builds a step whose distribution is shifted towards the condition.

        log P(y) = (1 + w) log P(y | condition) - w log P(y) + const

    Its states are a pair: those of the conditional and those of the unconditional model. The logits
    that it returns are not the model's own.

    Guidance inflates tokens that are rare with the condition and rarer without it; `min_p` rules
    out tokens whose conditional probability is too low, before the contrast.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) and the new states.
        strength: w, 0 to 100: 0 changes nothing, 1 doubles the weight of the condition. One number,
            or (B,), one per row.
        min_p: Rule out tokens below this share of P(most likely token | condition), 0 to 1; 0 =
            off. One number, or (B,).

    Raises:
        InputError: A number is out of its range.

    Source: Ho and Salimans, arXiv:2207.12598; Sanchez et al., arXiv:2306.17806, for tokens; Li et
        al., arXiv:2210.15097, section 3.3, for what is ruled out.
    """
    require("guidance", strength, "strength")
    require("min_p", min_p)
    strength, min_p = column(strength, xp.float32), column(min_p, xp.float32)

    def both(token_ids: Any, states: Any) -> tuple[Any, Any]:
        own, free = states
        logits, own = step(token_ids, own)
        others, free = step(token_ids, free)
        shares = xp.exp(logits - xp.reduce_max(logits, axis=1, keepdims=True))
        changed = logits + strength * (logits - others)
        return xp.where(shares < min_p, RULED_OUT, changed), (own, free)

    return both


def _drawn(logits: Any, numbers: Any) -> Any:
    """The tokens at which the cumulated probabilities (B, V) pass random numbers (B,): int32 (B,).

    A token of probability 0 is never among them.
    """
    passed = xp.cumsum(xp.cast(xp.softmax(logits), xp.float64), axis=1)
    threshold = numbers[:, None] * passed[:, -1:]
    return xp.reduce_sum(xp.cast(passed <= threshold, xp.int32), axis=1)
