"""Sums and maxima over all tag paths of a sentence: the algebra of a linear-chain CRF.

A path y_1 .. y_T of C tags scores

    start[y_1] + sum_t logits[t, y_t] + sum_(t>1) transitions[y_(t-1), y_t] + end[y_T],

and its probability is the exponential of its score over the sum of all C^T paths' (Lafferty,
McCallum and Pereira, 2001). Everything here is in nats and in float32, and takes time T C^2.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError
from zoo.recurrence.stepwise import scan
from zoo.recurrence.tracing import in_xla

IMPOSSIBLE = -1e30  # score of an impossible path: finite, so that no difference is NaN
UNKNOWN = -1  # the tag of an unlabelled token, which may have any tag


class Chain(NamedTuple):
    """A batch of sentences with the scores of their tags.

    Attributes:
        logits: (B, T, C), each token's score for each tag.
        transitions: (C, C), the score of going from the row's tag to the column's.
        start: (C,), of beginning with a tag.
        end: (C,), of ending with it.
        lengths: int32 (B,), real tokens of each sentence; padding is ignored.
    """

    logits: Any
    transitions: Any
    start: Any
    end: Any
    lengths: Any


def path_scores(chain: Chain, tags: Any) -> Any:
    """The scores (B,) of given paths, tags int (B, T) from 0 to C - 1; anything in the padding.

    A sentence without tokens has the score 0.
    """
    tags = ops.cast(tags, "int32")
    masking.require_alike("the tags", tags, "the logits", chain.logits, static=True)
    real = _real(chain)
    tags = ops.where(real, tags, 0)
    count = chain.logits.shape[-1]
    tokens = ops.take_along_axis(chain.logits, tags[:, :, None], axis=2)[:, :, 0]
    pairs = ops.take(ops.reshape(chain.transitions, (-1,)), tags[:, :-1] * count + tags[:, 1:])
    last = masking.last_real(tags[:, :, None], chain.lengths, tags[:, 0, None])[:, 0]
    ends = ops.take(chain.start, tags[:, 0]) + ops.take(chain.end, last)
    return (
        ops.sum(ops.where(real, tokens, 0), axis=1)
        + ops.sum(ops.where(real[:, 1:], pairs, 0), axis=1)
        + ops.where(chain.lengths > 0, ends, 0)
    )


def log_likelihood(chain: Chain, tags: Any) -> Any:
    """The log-probability of each sentence's tags, (B,), in nats.

    Tags are int (B, T), -1 where a tag is unknown: the probability is that of all paths through the
    known tags; anything in the padding. Or bool (B, T, C), the tags that a token may have: the
    probability is that of all paths through them.

    Raises:
        InputError: The tags have another shape, or one at a real token is below -1 or above C - 1.
    """
    tags = checked_tags(chain, tags)
    if len(tags.shape) == 3:
        return _partition_within(chain, tags) - log_partition(chain)
    return _scores_of_known(chain, tags) - log_partition(chain)


def checked_tags(chain: Chain, tags: Any) -> Any:
    """The tags as int32 (B, T) or bool (B, T, C), or an InputError; see `log_likelihood`."""
    tags = ops.convert_to_tensor(tags)
    masking.require_alike("the tags", tags, "the logits", chain.logits)
    count = chain.logits.shape[-1]
    if len(tags.shape) == 3:
        masking.require_alike("the sets of tags", tags, "the logits", chain.logits, axes=3)
        return ops.cast(tags, "bool")
    if len(tags.shape) != 2:
        raise InputError(f"tags must be (B, T) or bool (B, T, C), got the shape {tags.shape}")
    tags = ops.cast(tags, "int32")
    in_range = ops.logical_and(tags >= UNKNOWN, tags < count)
    return masking.require(
        ops.all(ops.logical_or(in_range, ops.logical_not(_real(chain)))),
        f"a tag at a real token is out of range: expected 0 to {count - 1}, or {UNKNOWN} where the "
        "tag is unknown",
        tags,
    )


def known_tokens(chain: Chain, tags: Any) -> Any:
    """Marks the real tokens with a label: bool (B, T)."""
    known = tags > UNKNOWN if len(tags.shape) == 2 else ops.logical_not(ops.all(tags, axis=-1))
    return ops.logical_and(_real(chain), known)


def _scores_of_known(chain: Chain, tags: Any) -> Any:
    """The log-sum of the scores of all paths through the known tags, (B,)."""

    def every() -> Any:
        return path_scores(chain, tags)

    def within() -> Any:
        sets = ops.one_hot(tags, chain.logits.shape[-1], dtype="bool")
        return _partition_within(chain, ops.logical_or(sets, (tags == UNKNOWN)[:, :, None]))

    if keras.backend.backend() == "tensorflow" and in_xla():
        return within()  # XLA cannot take the gradient of loops in a branch
    unknown = ops.any(ops.logical_and(_real(chain), tags == UNKNOWN))
    return ops.cond(unknown, within, every)


def _partition_within(chain: Chain, sets: Any) -> Any:
    """The log-partition over the paths through sets of tags, bool (B, T, C)."""
    return log_partition(chain._replace(logits=ops.where(sets, chain.logits, IMPOSSIBLE)))


def log_partition(chain: Chain) -> Any:
    """The logarithm of the sum of exp(score) over all paths of each sentence, (B,).

    The gradient is explicit: the marginals, computed from the messages of both directions
    without backpropagation through the recursion.
    """

    @ops.custom_gradient
    def compute(logits: Any, transitions: Any, start: Any, end: Any, sizes: Any) -> Any:
        # the lengths are an argument: JAX takes nothing else that it traces into a branch
        lengths = ops.cast(sizes, "int32")
        given = Chain(logits, transitions, start, end, lengths)
        messages = _messages(given)

        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            slopes = arguments[0] if upstream is None else upstream  # (B,)
            single = _token_marginals(given, messages) * slopes[:, None, None]
            double = _pair_marginals(given, messages) * slopes[:, None, None, None]
            last = masking.last_real(single, lengths, ops.zeros_like(single[:, 0]))
            return (
                single,
                ops.sum(double, axis=(0, 1)),
                ops.sum(single[:, 0], axis=0),
                ops.sum(last, axis=0),
                ops.zeros_like(sizes),
            )

        return messages.total, gradient

    return compute(*chain[:4], ops.cast(chain.lengths, "float32"))


def marginals(chain: Chain) -> Any:
    """Each token's probability of each tag over all paths, (B, T, C); 0 in the padding."""
    return _token_marginals(chain, _messages(chain))


def best_paths(chain: Chain, count: int = 1) -> tuple[Any, Any]:
    """The N = `count` paths of highest score (Viterbi), best first.

    Returns tags int32 (B, N, T), 0 in the padding, and their scores (B, N): minus infinity where a
    sentence has fewer than N possible paths.
    """
    width = chain.logits.shape[-1]
    logits, real = _cleaned(chain), _real(chain)

    def advance(states: list[Any], slices: list[Any]) -> list[Any]:
        # (B, N, C): the best scores of the paths to each tag of the next token
        scores = ops.reshape(states[0], (-1, count, width)) + slices[0][:, None]
        reached = scores[:, :, :, None] + chain.transitions  # (B, N, C, C)
        best, origin = _top(ops.reshape(reached, (-1, count * width, width)), count)
        return [ops.reshape(best, (-1, count * width)), ops.reshape(origin, (-1, count * width))]

    batch = ops.shape(logits)[0]
    first = [chain.start] + [ops.full_like(chain.start, IMPOSSIBLE)] * (count - 1)
    first = ops.broadcast_to(ops.concatenate(first)[None], (batch, count * width))
    pointers = ops.zeros((batch, count * width), dtype="int32")
    incoming, origins = scan(advance, [first, pointers], [ops.moveaxis(logits, 1, 0)])
    incoming = ops.concatenate([first[None], incoming[:-1]], axis=0)
    reached = ops.moveaxis(incoming, 0, 1) + ops.tile(logits, (1, 1, count))
    last = masking.last_real(reached, chain.lengths, first) + ops.tile(chain.end, (count,))
    scores, places = _top(last[:, :, None], count)  # (B, N, 1) each
    tags = _trace(origins, places[:, :, 0], chain.lengths, width)
    scores = ops.where(scores[:, :, 0] > IMPOSSIBLE / 2, scores[:, :, 0], -float("inf"))
    empty = ops.convert_to_tensor([[0.0] + [-float("inf")] * (count - 1)])  # the one empty path
    scores = ops.where(chain.lengths[:, None] > 0, scores, empty)
    return ops.where(real[:, None], tags, 0), scores


def _top(values: Any, count: int) -> tuple[Any, Any]:
    """The highest values over axis 1 and their places: (B, M, C) -> (B, count, C) twice."""
    if count == 1:
        return masking.highest(values, axis=1, keepdims=True), ops.argmax(
            values, axis=1, keepdims=True
        )
    missing = max(0, count - values.shape[1])
    values = ops.pad(values, ((0, 0), (0, missing), (0, 0)), constant_values=2 * IMPOSSIBLE)
    best, places = ops.top_k(ops.moveaxis(values, 1, 2), count)
    return ops.moveaxis(best, 2, 1), ops.moveaxis(places, 2, 1)


def _trace(origins: Any, places: Any, lengths: Any, width: int) -> Any:
    """Follows the pointers back from the last real token: (B, N, T)."""
    time = ops.shape(origins)[0]
    behind = ops.arange(time - 1, -1, -1, dtype="int32")[:, None, None]  # the last token first

    def advance(states: list[Any], slices: list[Any]) -> list[Any]:
        pointers, number = slices  # of this token to the one after, and its number
        before = ops.take_along_axis(pointers, states[0], axis=1)
        return [ops.where(number[0] < lengths[:, None] - 1, before, states[0])]

    flipped = ops.flip(origins, axis=0)
    (found,) = scan(advance, [places], [flipped, behind])
    return ops.transpose(ops.flip(found, axis=0), (1, 2, 0)) % width


class _Messages(NamedTuple):
    """Forward and backward messages to each token: log-sums over the paths on either side.

    Each message is shifted so that its highest entry is 0: a sum over a long sentence would leave
    float32 too few digits for the differences between tags.
    """

    left: Any  # (B, T, C)
    right: Any  # (B, T, C)
    total: Any  # (B,), the log-partition


def _messages(chain: Chain) -> _Messages:
    """One recursion for both directions: the right messages are those of the reversed sentence."""
    logits = _cleaned(chain)
    width = logits.shape[-1]
    sources = ops.stack([logits, masking.reverse_within_lengths(logits, chain.lengths)])
    transitions = ops.stack([chain.transitions, ops.transpose(chain.transitions)])[:, None]
    shape = (2, ops.shape(logits)[0], width)
    first = ops.broadcast_to(ops.stack([chain.start, chain.end])[:, None], shape)
    first = ops.reshape(first, (-1, width))
    by_step = ops.moveaxis(ops.reshape(sources, (-1, *ops.shape(logits)[1:])), 1, 0)  # (T, 2B, C)

    def advance(states: list[Any], slices: list[Any]) -> list[Any]:
        reached = ops.reshape(states[0] + slices[0], shape)[:, :, :, None] + transitions
        message = ops.reshape(_log_sum(reached, axis=2), (-1, width))
        highest = masking.highest(message, axis=1, keepdims=True)
        return [message - highest, highest]

    messages, shifts = scan(advance, [first, first[:, :1]], [by_step])
    messages = ops.concatenate([first[None], messages[:-1]], axis=0)
    left, right = ops.unstack(ops.reshape(ops.moveaxis(messages, 0, 1), ops.shape(sources)), 2)
    right = masking.reverse_within_lengths(right, chain.lengths)
    shifts = ops.transpose(shifts[:, : shape[1], 0])  # (B, T), of the message to the next token
    inner = masking.from_lengths(chain.lengths - 1, ops.shape(logits)[1])
    last = masking.last_real(left + logits, chain.lengths, ops.zeros_like(logits[:, 0]))
    total = _log_sum(last + chain.end, axis=1) + ops.sum(ops.where(inner, shifts, 0), axis=1)
    return _Messages(left, right, ops.where(chain.lengths > 0, total, 0))


def _token_marginals(chain: Chain, messages: _Messages) -> Any:
    shares = ops.softmax(messages.left + _cleaned(chain) + messages.right)
    return ops.where(_real(chain)[:, :, None], shares, 0)


def _pair_marginals(chain: Chain, messages: _Messages) -> Any:
    """The probability of each pair of neighbouring tags, (B, T - 1, C, C)."""
    logits = _cleaned(chain)
    before = (messages.left + logits)[:, :-1, :, None]
    after = (messages.right + logits)[:, 1:, None, :]
    joint = before + chain.transitions + after
    count = joint.shape[-1]
    flat = ops.reshape(joint, (*ops.shape(logits[:, 1:])[:2], count * count))
    shares = ops.where(_real(chain)[:, 1:, None], ops.softmax(flat), 0)
    return ops.reshape(shares, ops.shape(joint))


def _log_sum(values: Any, axis: int) -> Any:
    """The log-sum-exp, never minus infinity."""
    highest = masking.highest(values, axis=axis, keepdims=True)
    total = ops.sum(ops.exp(values - highest), axis=axis)
    return ops.log(total) + ops.squeeze(highest, axis)


def _real(chain: Chain) -> Any:
    return masking.from_lengths(chain.lengths, ops.shape(chain.logits)[1])


def _cleaned(chain: Chain) -> Any:
    """The logits with zeros in the padding."""
    return ops.where(_real(chain)[:, :, None], chain.logits, 0)
