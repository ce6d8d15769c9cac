"""Matrix-valued states over time, by chunks of steps: matrix products instead of single steps.

The equations, and one step of them, are in `zoo.cells.matrix`.
"""

from typing import Any

from keras import ops

from zoo.cells.matrix import Writes, normalized
from zoo.recurrence import stepwise

CHUNK = 16
EMPTY = -(2.0**100)  # a log weight of nothing


def chunked(
    writes: Writes, states: list[Any], lengths: Any = None, size: int = CHUNK
) -> tuple[Any, list[Any]]:
    """All steps of the recurrence, equal to stepping up to rounding.

    Time is cut into chunks. Within them a step's output is a sum over the steps before it, for all
    chunks at once; the states go from chunk to chunk by a loop. With the delta correction the
    values that are written depend on each other, which is a triangular system for each chunk (the
    UT transform of Yang et al., arXiv:2406.06484). Sums of logarithms are taken for each pair of
    steps, so that a factor near 0 costs no precision elsewhere.

    Args:
        writes: Of all steps, (B, T, H, ...) each.
        states: The states before the first step, as `zoo.cells.matrix.advance` takes them.
        lengths: int (B,), real tokens of each row; after them its states stay constant. None for T.
        size: C, steps in a chunk.

    Returns:
        What the queries read, (B, T, H, d_v), undefined in the padding, and the final states.
    """
    heads, d_k, d_v = writes.sizes
    rows, time = ops.shape(writes.keys)[:2]
    known = writes.keys.shape[1]
    size = size if known is None else min(size, known)
    if lengths is not None:
        writes = _without_padding(writes, lengths)
    fills = Writes(0.0, 0.0, 0.0, 0.0, 0.0, EMPTY)
    in_chunks = Writes(
        *(None if p is None else _chunks(p, size, f) for p, f in zip(writes, fills, strict=True))
    )
    matrix = ops.reshape(states[0], (-1, heads, d_k, d_v))
    m = None
    if writes.log_input is not None:
        n = ops.reshape(states[1], (-1, heads, d_k, 1))
        matrix = ops.concatenate([matrix, n], axis=-1)
        in_chunks, m, last = _stabilised(in_chunks, states[2])
    found, matrix = _walk(in_chunks, matrix)
    if m is None:
        return _unchunked(found, rows, time), [ops.reshape(matrix, (-1, heads * d_k * d_v))]
    found = normalized(found[..., :d_v], found[..., d_v:], m)
    final = [
        ops.reshape(matrix[..., :d_v], (-1, heads * d_k * d_v)),
        ops.reshape(matrix[..., d_v], (-1, heads * d_k)),
        last,
    ]
    return _unchunked(found, rows, time), final


def _without_padding(writes: Writes, lengths: Any) -> Writes:
    """Writes that leave the states as they are in the padding."""
    steps = ops.arange(ops.shape(writes.keys)[1], dtype="int32")
    real = (steps[None] < lengths[:, None])[:, :, None, None]
    log_input = writes.log_input
    return writes._replace(
        keys=ops.where(real, writes.keys, 0),
        log_decay=ops.where(real, writes.log_decay, 0),
        log_input=None if log_input is None else ops.where(real, log_input, EMPTY),
    )


def _chunks(values: Any, size: int, fill: float) -> Any:
    """(B, T, H, D) -> (N, B, H, C, D), with `fill` after the last step."""
    time: Any = ops.shape(values)[1]
    heads, width = values.shape[2:]
    missing = -time % size
    widths = ((0, 0), (0, missing), (0, 0), (0, 0))
    values = ops.pad(values, widths, constant_values=ops.cast(fill, values.dtype))
    values = ops.reshape(values, (-1, (time + missing) // size, size, heads, width))
    return ops.transpose(values, (1, 0, 3, 2, 4))


def _unchunked(values: Any, rows: Any, time: Any) -> Any:
    """(N, B, H, C, D) -> (B, T, H, D)."""
    heads, _, width = values.shape[2:]
    values = ops.transpose(values, (1, 0, 3, 2, 4))
    return ops.reshape(values, (rows, -1, heads, width))[:, :time]


def _pair_sums(logs: Any) -> Any:
    """Sums of the steps after j up to i, 0 for j >= i: (..., C, D) -> (..., C, C, D), i then j."""
    size = logs.shape[-2]
    number = ops.arange(size)
    later = (number[:, None] > number[None])[:, :, None]
    return ops.cumsum(ops.where(later, logs[..., :, None, :], 0), axis=-3)


def _lower(size: int, strict: bool = False) -> Any:
    """Bool (C, C): whether j <= i, or j < i."""
    number = ops.arange(size)
    return number[:, None] > number[None] if strict else number[:, None] >= number[None]


def _stabilised(writes: Writes, start: Any) -> tuple[Writes, Any, Any]:
    """Writes whose exponential gate is taken in: the decays of the stabilised sums, and m.

    Keys are multiplied by exp(log_input - m), and a value of 1 beside the others makes n a column
    of the matrix. m is (N, B, H, C, 1), the last one (B, H).
    """
    decay, enter = writes.log_decay, writes.log_input
    size = decay.shape[-2]
    pairs = _pair_sums(decay)[..., 0] + ops.swapaxes(enter, -1, -2)
    within = ops.max(ops.where(_lower(size), pairs, 2 * EMPTY), axis=-1)  # (N, B, H, C)
    total = ops.cumsum(decay[..., 0], axis=-1)

    def step(before: list[Any], slices: list[Any]) -> list[Any]:
        return [ops.maximum(before[0] + slices[0], slices[1])]

    (ends,) = stepwise.scan(step, [start], [total[..., -1], within[..., -1]])
    starts = ops.concatenate([start[None], ends[:-1]], axis=0)[..., None]
    m = ops.maximum(starts + total, within)
    before = ops.concatenate([starts, m[..., :-1]], axis=-1)
    m, before = m[..., None], before[..., None]
    values = ops.concatenate([writes.values, ops.ones_like(writes.values[..., :1])], axis=-1)
    changed = writes._replace(
        keys=ops.exp(enter - m) * writes.keys,
        values=values,
        log_decay=decay + before - m,
        log_input=None,
    )
    return changed, m, ends[-1]


def _walk(writes: Writes, start: Any) -> tuple[Any, Any]:
    """What is read in all chunks, (N, B, H, C, d_v), and the last state (B, H, d_k, d_v)."""
    q, k, v, logs, beta, _ = writes
    size, (heads, d_k, d_v) = k.shape[-2], start.shape[1:]
    pairs = _pair_sums(logs)
    total = ops.cumsum(logs, axis=-2)
    reach = ops.exp(total)  # from the start of the chunk to each step
    last = pairs[..., -1, :, :]  # from each step to the end of the chunk
    leaving = ops.swapaxes(ops.exp(last) * k, -1, -2)  # (N, B, H, d_k, C)
    decay = ops.exp(total[..., -1, :])[..., None]  # (N, B, H, d_k or 1, 1)
    flat = heads * d_k * d_v
    shape = (-1, heads, d_k, d_v)
    corrected: Any = None
    sources = [decay, leaving]
    if beta is None:
        sources = [decay, ops.matmul(leaving, v)]
    else:
        system = beta * _weighted(k, k, pairs, _lower(size, strict=True))
        right = ops.concatenate([beta * v, beta * reach * k], axis=-1)
        solved = ops.solve_triangular(system + ops.eye(size, dtype=k.dtype), right, lower=True)
        corrected = ops.split(solved, [d_v], axis=-1)
        sources += corrected

    def step(before: list[Any], slices: list[Any]) -> list[Any]:
        matrix, decay = ops.reshape(before[0], shape), slices[0]
        if beta is None:
            entered = slices[1]
        else:
            entered = ops.matmul(slices[1], slices[2] - ops.matmul(slices[3], matrix))
        return [ops.reshape(decay * matrix + entered, (-1, flat))]

    (after,) = stepwise.scan(step, [ops.reshape(start, (-1, flat))], sources)
    after = ops.reshape(after, (ops.shape(after)[0], *shape))
    before = ops.concatenate([start[None], after[:-1]], axis=0)
    if corrected is not None:
        v = corrected[0] - ops.matmul(corrected[1], before)
    within = ops.matmul(_weighted(q, k, pairs, _lower(size)), v)
    return within + ops.matmul(reach * q, before), after[-1]


def _weighted(left: Any, right: Any, pairs: Any, seen: Any) -> Any:
    """The products left_i . exp(pairs_ij) right_j where a pair is seen: (N, B, H, C, C)."""
    if pairs.shape[-1] == 1:
        products = ops.matmul(left, ops.swapaxes(right, -1, -2)) * ops.exp(pairs[..., 0])
    else:
        both = left[..., :, None, :] * right[..., None, :, :]
        products = ops.sum(both * ops.exp(pairs), axis=-1)
    return ops.where(seen, products, 0)
