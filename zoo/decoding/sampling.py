"""Tokens one after the other, each drawn from what the model says of the next one."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.decoding.filtering import RULED_OUT, Filter

Step = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]
PAD = 0


class Generated(NamedTuple):
    """What was drawn.

    Attributes:
        token_ids: int32 (B, T), T at most `max_tokens`; 0 = PAD behind a row's end.
        lengths: int32 (B,), tokens of each row, its end token counted.
        log_probability: float32 (B,), of the row's tokens under the model itself, unfiltered and at
            temperature 1, in nats.
        finished: bool (B,), whether the row came to its end token.
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor
    log_probability: tf.Tensor
    finished: tf.Tensor


def generate(
    step: Step,
    logits: tf.Tensor,
    states: Any,
    *,
    end: int,
    max_tokens: Any,
    min_tokens: Any = 0,
    choose: Filter | None = None,
    seed: Any = 0,
) -> Generated:
    """Draws tokens until each row has its end token, or `max_tokens`; a loop in the graph.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) of what follows, and the new states.
        logits: (B, V), of the first token: what the model says after its prompt.
        states: The states after the prompt: tensors with B rows, in any nest.
        end: The end token's id. It is drawn as any other.
        max_tokens: Tokens at most, the end token counted.
        min_tokens: Tokens before the end token at least.
        choose: How the distribution is changed before a token is drawn; not at all by default.
        seed: An int32: the same seed gives the same tokens for the same batch.

    Returns:
        The tokens, with the model's own log-probability of them.
    """
    choose = choose or Filter()
    batch, size = tf.shape(logits)[0], logits.shape[-1]
    limit = tf.convert_to_tensor(max_tokens, tf.int32)
    is_end = tf.range(size) == end

    def going_on(count: Any, finished: Any, *_rest: Any) -> Any:
        return (count < limit) & ~tf.reduce_all(finished)

    def advance(
        count: Any, finished: Any, tokens: Any, total: Any, logits: Any, states: Any
    ) -> tuple[Any, ...]:
        early = (count < min_tokens) & is_end
        allowed = choose(tf.where(early, RULED_OUT, logits), tokens, count)
        drawn = tf.random.stateless_categorical(
            allowed, 1, seed=tf.stack([tf.cast(seed, tf.int32), count]), dtype=tf.int32
        )[:, 0]
        each = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        own = tf.gather(each, drawn, batch_dims=1)
        total = total + tf.where(finished, 0.0, own)
        drawn = tf.where(finished, PAD, drawn)
        here = tf.range(tf.shape(tokens)[1])[None] == count
        tokens = tf.where(here, drawn[:, None], tokens)
        logits, states = step(drawn, states)
        return count + 1, finished | (drawn == end), tokens, total, logits, states

    first = (
        tf.constant(0),
        tf.zeros([batch], tf.bool),
        tf.zeros([batch, limit], tf.int32),
        tf.zeros([batch]),
        logits,
        states,
    )
    count, finished, tokens, total, _, _ = tf.while_loop(going_on, advance, first)
    tokens = tokens[:, :count]
    lengths = tf.where(
        finished,
        tf.argmax(tf.pad(tokens, [(0, 0), (0, 1)], constant_values=end) == end, 1, tf.int32) + 1,
        count,
    )
    return Generated(tokens, lengths, total, finished)
