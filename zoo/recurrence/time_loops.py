"""The two XLA loops over time, forward and backward, with all their products."""

from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

from zoo.recurrence.cell_step import forward_step, reads_inputs


class Given(NamedTuple):
    """Inputs of both loops; a list is empty if the cell has no such weight."""

    inputs: Any  # (B, T, E), or (B, T, G K) if x W is computed or looked up beforehand
    input_kernel: list[Any]  # W
    kernel: list[Any]  # U
    recurrent_bias: list[Any]
    input_bias: list[Any]
    vectors: list[Any]
    initial: list[Any]  # the states, (B, K) each
    mask: list[Any]  # (B, K)
    lengths: Any
    found: list[Any]  # int (B, T), ids whose products were looked up, and their number V


def forward(cell: Any, given: Given) -> Any:
    """The outputs, the final states, the states before each step, the cell's saved values.

    The states before each step lack the first one, which is the output of the previous step.
    """
    transposed = [tf.transpose(kernel) for kernel in given.kernel]

    def step(active: Any, slices: list[Any], states: list[Any]) -> Any:
        x = _biased(slices[0], given.input_bias)
        r = _product(states[0], transposed, given)
        new, kept = forward_step(cell, x, r, states, given.vectors)
        new = [tf.where(active, a, b) for a, b in zip(new, states, strict=True)]
        return new, [new[0], *states[1:], *kept]

    xs = given.inputs
    if given.input_kernel:
        xs = _rows(tf.matmul(_flat(xs), given.input_kernel[0]), given)
    states = _shaped(given.initial, given)
    final, written = _walk(given, step, states, [xs])
    kept = written[len(states) :] + ([xs] if reads_inputs(cell) else [])
    return written[0], final, written[1 : len(states)], kept


def backward(cell: Any, given: Given, results: Any, d_outputs: Any, d_final: Any) -> Any:
    """The gradients of the inputs, group by group, from the results of `forward`."""
    outputs, final, previous, kept = results
    start = _shaped(given.initial[:1], given)[0][:, None]
    previous = [tf.concat([start, outputs[:, :-1]], axis=1), *previous]
    sources = [d_outputs, *kept, *previous]

    def step(active: Any, slices: list[Any], carry: Any) -> Any:
        d_states, d_vectors, now = carry
        d_output, *slices = slices
        now_kept, before = slices[: len(kept)], slices[len(kept) :]
        if reads_inputs(cell):
            now_kept[-1] = _biased(now_kept[-1], given.input_bias)
        d_states = [d_states[0] + d_output, *d_states[1:]]
        masked = [tf.where(active, d_state, 0) for d_state in d_states]
        d_x, d_r, d_previous, d_new = _backward_step(
            cell, now_kept, before, now, given.vectors, masked
        )
        d_x = tf.where(active, d_x, 0)
        d_r = d_x if cell.additive else tf.where(active, d_r, 0)
        if given.kernel:
            d_h = _turned_product(given.kernel[0], d_r)
            d_previous[0] += d_h * given.mask[0] if given.mask else d_h
        d_states = [tf.where(active, a, b) for a, b in zip(d_previous, d_states, strict=True)]
        d_vectors = [a + b for a, b in zip(d_vectors, d_new, strict=True)]
        return (d_states, d_vectors, before), [d_x] if cell.additive else [d_x, d_r]

    d_vectors = [tf.zeros_like(vector) for vector in given.vectors]
    carry = (_shaped(d_final, given), d_vectors, _shaped(final, given))
    (d_initial, d_vectors, _), written = _walk(given, step, carry, sources, backwards=True)
    d_x, d_r = written[0], written[-1]
    return [*_product_gradients(given, previous[0], d_x, d_r), *d_vectors, *d_initial]


def _walk(given: Given, step: Any, carry: Any, sources: Any, backwards: bool = False) -> Any:
    """Steps through time; returns the last carry and the results of all steps, (B, T, ...) each.

    It ends with the longest row; the results after that are zeros.

    The slices of a step are read one step ahead and carried: XLA turns the elementwise part into
    vector instructions only if no index is looked up inside it, which halves the time of the loop.
    """
    batch, time = tf.unstack(tf.shape(given.inputs)[:2])
    steps = tf.reduce_max(given.lengths)
    sources = [tf.ensure_shape(values, (*given.inputs.shape[:2], None)) for values in sources]

    def at(count: Any) -> Any:
        return tf.maximum(steps - 1 - count, 0) if backwards else count

    def read(count: Any) -> list[Any]:
        active = (at(count) < given.lengths)[:, None]
        return [active, *[_slice(values, at(count)) for values in sources]]

    def body(count: Any, slices: Any, carry: Any, arrays: Any) -> Any:
        active, *values = slices
        carry, written = step(active, values, carry)
        arrays = [
            xla.dynamic_update_slice(array, value[:, None], [0, at(count), 0])
            for array, value in zip(arrays, written, strict=True)
        ]
        return count + 1, read(tf.minimum(count + 1, time - 1)), carry, arrays

    start = tf.constant(0)
    first = read(start)
    widths = [value.shape[-1] for value in step(first[0], first[1:], carry)[1]]
    arrays = [tf.zeros((batch, time, width)) for width in widths]
    _, _, carry, arrays = tf.while_loop(
        lambda count, *_: count < steps,
        body,
        (start, first, carry, arrays),
        maximum_iterations=time,
    )
    return carry, arrays


def _slice(values: Any, token: Any) -> Any:
    """`values[:, token]`; XLA would compile that again for each length of a longest row."""
    batch, width = tf.shape(values)[0], values.shape[-1]
    return xla.dynamic_slice(values, [0, token, 0], [batch, 1, width])[:, 0]


def _biased(values: Any, bias: list[Any]) -> Any:
    return values + bias[0] if bias else values


def _product(h: Any, transposed: list[Any], given: Given) -> Any:
    """The recurrent product h U + c, or 0 for a cell without one."""
    if not given.kernel:
        return 0.0
    seen = h * given.mask[0] if given.mask else h
    return _biased(_turned_product(transposed[0], seen), given.recurrent_bias)


def _turned_product(matrix: Any, rows: Any) -> Any:
    """The product rows matrix', (B, N), computed as (matrix rows')'.

    That is up to a third faster on a CPU for few rows and a large matrix. The barrier keeps XLA
    from undoing it.
    """
    product = tf.matmul(matrix, rows, transpose_b=True)
    return tf.transpose(xla.optimization_barrier(product)[0])


def _product_gradients(given: Given, h: Any, d_x: Any, d_r: Any) -> list[Any]:
    """The gradients of inputs, W, U and both biases: one product or one sum over all steps each.

    If products were looked up, their gradient replaces that of the inputs.
    """
    h = _flat(h * given.mask[0][:, None] if given.mask else h)
    same = d_x is d_r
    d_x = _flat(d_x)
    d_r = d_x if same else _flat(d_r)
    if given.found:
        ids, size = given.found
        rows = tf.one_hot(tf.reshape(ids, (-1,)), size)
        d_first = _kernel_gradients(given, rows, h, d_x, d_r)
    elif given.input_kernel:
        d_inputs = tf.matmul(d_x, given.input_kernel[0], transpose_b=True)
        rows = _flat(given.inputs)
        d_first = [_rows(d_inputs, given), *_kernel_gradients(given, rows, h, d_x, d_r)]
    else:
        d_first = [_rows(d_x, given), *[tf.matmul(h, d_r, transpose_a=True) for _ in given.kernel]]
    return [
        *d_first,
        *[tf.reduce_sum(d_r, 0) for _ in given.recurrent_bias],
        *[tf.reduce_sum(d_x, 0) for _ in given.input_bias],
    ]


def _kernel_gradients(given: Given, rows: Any, h: Any, d_x: Any, d_r: Any) -> list[Any]:
    """The gradients of W and U; one product if both share their sums."""
    if given.kernel and d_x is d_r:
        both = tf.matmul(tf.concat([rows, h], axis=1), d_x, transpose_a=True)
        return tf.split(both, [rows.shape[1], h.shape[1]])
    return [
        tf.matmul(rows, d_x, transpose_a=True),
        *[tf.matmul(h, d_r, transpose_a=True) for _ in given.kernel],
    ]


def _flat(values: Any) -> Any:
    return tf.reshape(values, (-1, values.shape[-1]))


def _rows(values: Any, given: Given) -> Any:
    return tf.reshape(values, (*tf.unstack(tf.shape(given.inputs)[:2]), values.shape[-1]))


def _backward_step(
    cell: Any, kept: Any, previous: Any, now: Any, vectors: Any, d_states: Any
) -> Any:
    """One backward step: by the cell's own gradient, or that of `combine`."""
    if getattr(cell, "backward", None):
        d_x, d_r, d_previous = cell.backward(kept, previous, now, d_states)
        return d_x, d_r, d_previous, []
    r, x = (tf.zeros_like(kept[0]), kept[0]) if cell.additive else kept
    with tf.GradientTape() as tape:
        tape.watch([x, r, previous, vectors])
        new = cell.combine(x, r, previous, vectors)
    d_x, d_r, d_previous, d_vectors = tape.gradient(
        new, [x, r, previous, vectors], d_states, unconnected_gradients="zero"
    )
    return d_x, d_r, d_previous, d_vectors


def _shaped(states: list[Any], given: Given) -> list[Any]:
    """The states with the batch size of the inputs, for a loop whose shapes must not change."""
    return [tf.reshape(state, (tf.shape(given.inputs)[0], state.shape[-1])) for state in states]
