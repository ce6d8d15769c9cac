"""Complex diagonal recurrences on real numbers, by blocks of steps instead of single ones."""

from typing import Any

from keras import ops

from zoo.recurrence import stepwise

BLOCK = 8

Pair = tuple[Any, Any]  # a real and an imaginary part


def complex_scan(a: Pair, b: Pair, initial: Any) -> Pair:
    """The states of h_t = a * h_(t-1) + b_t at all steps, where a is the same at all steps.

    Time is cut into blocks of eight. Within the blocks, eight steps run in all blocks at once; a
    loop over the blocks carries the state on by a^8.

    Args:
        a: (K,) each; |a| should not exceed 1, since its powers are taken.
        b: (B, T, K) each.
        initial: h_0, (B, K) each.

    Returns:
        (B, T, K) each, equal to stepping up to rounding.

    Example:
        >>> import numpy as np
        >>> zeros, ones = np.zeros((1, 3, 1)), np.ones((1, 1))
        >>> turn = (np.zeros(1), np.ones(1))  # i: a quarter turn at each step
        >>> real, _ = complex_scan(turn, (zeros, zeros), (ones, 0 * ones))
        >>> real.numpy().ravel().tolist()
        [0.0, -1.0, 0.0]
    """
    time, units = ops.shape(b[0])[1], b[0].shape[-1]
    known = b[0].shape[1]
    missing = -time % BLOCK
    count = (time + missing) // BLOCK
    blocks = []
    for part in b:
        padded = ops.pad(part, ((0, 0), (0, missing), (0, 0)))
        blocks.append(ops.reshape(padded, (-1, count, BLOCK, units)))
    powers, within = [a], [(blocks[0][:, :, 0], blocks[1][:, :, 0])]
    for number in range(1, BLOCK):
        powers.append(_times(a, powers[-1]))
        turned = _times(a, within[-1])
        within.append((turned[0] + blocks[0][:, :, number], turned[1] + blocks[1][:, :, number]))
    start = _between_blocks(powers[-1], within[-1], initial, known)
    states = []
    for power, value in zip(powers, within, strict=True):
        carried = _times(power, start)
        states.append((carried[0] + value[0], carried[1] + value[1]))
    parts = [ops.stack(part, axis=2) for part in zip(*states, strict=True)]
    real, imaginary = (ops.reshape(part, (-1, time + missing, units))[:, :time] for part in parts)
    return real, imaginary


def _times(a: Pair, b: Pair) -> Pair:
    """A product of complex numbers."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _between_blocks(decay: Pair, within: Pair, initial: Any, time: int | None) -> Pair:
    """The state before each block: decay (K,), within (B, N, K), initial (B, K) -> (B, N, K)."""
    if time is not None and time <= BLOCK:
        return initial[0][:, None], initial[1][:, None]

    def advance(states: list[Any], slices: list[Any]) -> list[Any]:
        turned = _times(decay, (states[0], states[1]))
        return [turned[0] + slices[0], turned[1] + slices[1]]

    sources = [ops.moveaxis(part, 1, 0) for part in within]
    reached = stepwise.scan(advance, list(initial), sources)
    parts = []
    for first, later in zip(initial, reached, strict=True):
        after = ops.moveaxis(later, 0, 1)
        parts.append(ops.concatenate([first[:, None], after[:, :-1]], axis=1))
    return parts[0], parts[1]
