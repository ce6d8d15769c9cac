"""Matrix-valued states over time, by chunks of steps: matrix products instead of single steps.

The equations, and one step of them, are in `zoo.cells.matrix`.
"""

from typing import Any

from keras import ops

from zoo.cells.matrix import Writes, normalized
from zoo.recurrence import stepwise

CHUNK = 16
LONG_CHUNK = 32  # of large states, which are read and written once for each chunk
LARGE = 128  # d_k from which a state is large
BLOCK = 8  # steps that are taken in turn, for all blocks at once, where each key has its own decay
EMPTY = -(2.0**100)  # a log weight of nothing


def chunked(
    writes: Writes, states: list[Any], lengths: Any = None, size: int | None = None
) -> tuple[Any, list[Any]]:
    """All steps of the recurrence, equal to stepping up to rounding.

    Time is cut into chunks. Within them a step's output is a sum over the steps before it, for all
    chunks at once; the states go from chunk to chunk by a loop. With the delta correction the
    values that are written depend on each other, which is a triangular system for each chunk (the
    UT transform of Yang et al., arXiv:2406.06484). The factor between two steps is the product of
    those between them, never a quotient, so that one near 0 costs no precision elsewhere.

    Args:
        writes: Of all steps, (B, T, H, ...) each.
        states: The states before the first step, as `zoo.cells.matrix.advance` takes them.
        lengths: int (B,), real tokens of each row; after them its states stay constant. None for T.
        size: C, steps in a chunk; by default what suits the size of the states. With a decay for
            each key more than 8 are rounded up to a multiple of 8.

    Returns:
        What the queries read, (B, T, H, d_v), undefined in the padding, and the final states.
    """
    heads, d_k, d_v = writes.sizes
    rows, time = ops.shape(writes.keys)[:2]
    known = writes.keys.shape[1]
    if size is None:
        size = LONG_CHUNK if d_k >= LARGE else CHUNK
    size = size if known is None else min(size, known)
    if size > BLOCK and writes.log_decay.shape[-1] > 1:
        size += -size % BLOCK
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
    size, d_v = k.shape[-2], start.shape[-1]
    weigh = _weights if logs.shape[-1] == 1 else _weights_by_key
    decay, leaving, read = weigh(q, k, logs)
    sources = [decay, ops.swapaxes(leaving, -1, -2), *read]
    if beta is None:
        sources.append(v)
    else:
        products, entering = weigh(k, k, logs)[2]
        system = beta * ops.where(_lower(size, strict=True), products, 0)
        right = ops.concatenate([beta * v, beta * entering], axis=-1)
        solved = ops.solve_triangular(system + ops.eye(size, dtype=k.dtype), right, lower=True)
        sources += ops.split(solved, [d_v], axis=-1)

    def step(matrix: Any, slices: list[Any]) -> tuple[Any, Any]:
        decay, leaving, within, queries, values, *known = slices
        if known:  # the delta correction: what the state has for the keys already
            values = values - ops.matmul(known[0], matrix)
        read = ops.matmul(within, values) + ops.matmul(queries, matrix)
        return decay * matrix + ops.matmul(leaving, values), read

    return stepwise.scan_outputs(step, start, sources)


Weighted = tuple[Any, Any, list[Any]]


def _weights(left: Any, right: Any, logs: Any) -> Weighted:
    """Decays within chunks, of one factor a head.

    Returns:
        The factor of whole chunks, (N, B, H, 1, 1); the right vectors times that from their step to
        the end of the chunk, (N, B, H, C, d_k); and in a list the products left_i . right_j times
        the factor after j up to i, (N, B, H, C, C), 0 for j > i, and the left vectors times that
        from the start of the chunk to their step, (N, B, H, C, d_k).
    """
    reach, pairs = ops.exp(ops.cumsum(logs, axis=-2)), ops.exp(_pair_sums(logs))
    products = ops.matmul(left, ops.swapaxes(right, -1, -2)) * pairs[..., 0]
    products = ops.where(_lower(logs.shape[-2]), products, 0)
    return reach[..., -1:, :], pairs[..., -1, :, :] * right, [products, reach * left]


def _weights_by_key(left: Any, right: Any, logs: Any) -> Weighted:
    """The same for a factor of each key; that of whole chunks is (N, B, H, d_k, 1).

    The right vectors are carried from step to step, multiplied by each step's factor, first within
    blocks of steps, for all blocks at once, then from block to block.
    """
    size, width = logs.shape[-2:]
    steps = min(size, BLOCK)
    count = size // steps
    lead = ops.shape(logs)[:-2]

    def cut(values: Any) -> list[Any]:
        shape = (*lead, count, steps, width)
        return ops.split(ops.reshape(values, shape), steps, axis=-2)  # (N, B, H, count, 1, d_k)

    lefts, rights, factors = cut(left), cut(right), cut(ops.exp(logs))
    sent, reach = rights[0], factors[0]
    products = ops.matmul(lefts[0], ops.swapaxes(sent, -1, -2))
    rows, arriving = [_filled(products, steps)], [reach * lefts[0]]
    for now, new, factor in zip(lefts[1:], rights[1:], factors[1:], strict=True):
        sent = ops.concatenate([factor * sent, new], axis=-2)  # (N, B, H, count, i, d_k)
        rows.append(_filled(ops.matmul(now, ops.swapaxes(sent, -1, -2)), steps))
        reach = factor * reach
        arriving.append(reach * now)
    parts = [ops.concatenate(each, axis=-2) for each in (rows, arriving)]
    within, arriving, sent, reach = (
        [ops.squeeze(block, axis=-3) for block in ops.split(each, count, axis=-3)]
        for each in (*parts, sent, reach)
    )
    carried, total = sent[0], reach[0]
    rows, entering = [_filled(within[0], size)], [arriving[0]]
    for near, now, new, factor in zip(within[1:], arriving[1:], sent[1:], reach[1:], strict=True):
        far = ops.matmul(now, ops.swapaxes(carried, -1, -2))
        rows.append(_filled(ops.concatenate([far, near], axis=-1), size))
        entering.append(total * now)
        carried = ops.concatenate([factor * carried, new], axis=-2)
        total = factor * total
    read = [ops.concatenate(each, axis=-2) for each in (rows, entering)]
    return ops.swapaxes(total, -1, -2), carried, read


def _filled(values: Any, size: int) -> Any:
    """(..., n) -> (..., size), with zeros after the last."""
    missing = size - values.shape[-1]
    return ops.pad(values, [(0, 0)] * (len(values.shape) - 1) + [(0, missing)])
