"""Linear recurrences by a parallel scan instead of a loop over single steps."""

from typing import Any

from keras import ops

from zoo.recurrence.tracing import on_tensorflow

BLOCK = 8
MOST_DOUBLINGS = 31  # the largest int32; without a bound XLA has no gradient of the loop


def linear_scan(a: Any, b: Any, initial: Any) -> Any:
    """The states of h_t = a_t * h_(t-1) + b_t at all steps.

    Time is cut into blocks of eight. Within the blocks, eight steps run in all blocks at once;
    from block to block the states follow by doubling, in log2(T / 8) steps (Hillis and Steele,
    1986). That is about twice the work of stepping, in far fewer operations.

    Args:
        a: (B, T, K).
        b: (B, T, K).
        initial: h_0, (B, K).

    Returns:
        (B, T, K), equal to stepping up to rounding. The coefficients a should not exceed 1 in
        size: products of several of them are taken.

    Example:
        >>> import numpy as np
        >>> a, b = np.full((1, 3, 1), 0.5), np.ones((1, 3, 1))
        >>> linear_scan(a, b, np.full((1, 1), 2.0)).numpy().ravel().tolist()
        [2.0, 2.0, 2.0]
    """
    time, units = ops.shape(a)[1], a.shape[-1]
    missing = -time % BLOCK
    a = ops.pad(a, ((0, 0), (0, missing), (0, 0)))
    b = ops.pad(b, ((0, 0), (0, missing), (0, 0)))
    a = ops.reshape(a, (-1, (time + missing) // BLOCK, BLOCK, units))
    b = ops.reshape(b, (-1, (time + missing) // BLOCK, BLOCK, units))
    decay, within = [a[:, :, 0]], [b[:, :, 0]]
    for number in range(1, BLOCK):
        decay.append(a[:, :, number] * decay[-1])
        within.append(a[:, :, number] * within[-1] + b[:, :, number])
    start = _between_blocks(decay[-1], within[-1], initial)
    states = ops.stack([d * start + w for d, w in zip(decay, within, strict=True)], axis=2)
    return ops.reshape(states, (-1, time + missing, units))[:, :time]


def _between_blocks(decay: Any, within: Any, initial: Any) -> Any:
    """The state before each block: decay and within (B, N, K), initial (B, K) -> (B, N, K)."""
    decay = ops.concatenate([ops.zeros_like(decay[:, :1]), decay[:, :-1]], axis=1)
    value = ops.concatenate([initial[:, None], within[:, :-1]], axis=1)
    count = ops.shape(value)[1]

    def double(reach: Any, decay: Any, value: Any) -> Any:
        number = ops.arange(count)
        before = ops.maximum(number - reach, 0)
        inside = (number >= reach)[None, :, None]
        earlier_decay = ops.where(inside, ops.take(decay, before, axis=1), 1.0)
        earlier_value = ops.where(inside, ops.take(value, before, axis=1), 0.0)
        return reach * 2, decay * earlier_decay, decay * earlier_value + value

    def unfinished(reach: Any, *_: Any) -> Any:
        return reach < count

    if not on_tensorflow():  # sizes are known, and JAX has no gradient of loops of any length
        state = (1, decay, value)
        while unfinished(*state):
            state = double(*state)
        return state[2]
    _, _, value = ops.while_loop(
        unfinished, double, (1, decay, value), maximum_iterations=MOST_DOUBLINGS
    )
    return value
