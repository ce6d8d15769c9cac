"""Fast training on TensorFlow: XLA loops over time with an explicit gradient.

The forward loop contains only what must be sequential: h U and the cell's elementwise part. The
backward loop goes from the last step to the first over the saved values and writes the gradients of
x W and h U; the gradient of U is then one product over all steps.
"""

import dataclasses
import functools
import itertools
import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.recurrence import time_loops
from zoo.recurrence.time_loops import Given


class Loops(NamedTuple):
    """Both loops of one kind of cell; XLA compiles each once for each shape."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


def available(cell: Any) -> bool:
    """Whether the loops can run this cell: `separable`, in float32, on TensorFlow."""
    return (
        keras.backend.backend() == "tensorflow"
        and getattr(cell, "separable", False)
        and cell.compute_dtype == "float32"
    )


def run_sharded(
    cell: Any,
    inputs: Any,
    initial_state: list[Any],
    lengths: Any,
    recurrent_kernel: Any = None,
    recurrent_mask: Any = None,
    shards: int = 1,
    products: Any = None,
) -> tuple[Any, list[Any]]:
    """`run` with the batch cut into shards that run in parallel, one per processor core.

    A single loop hardly uses a second core: its products are small. XLA compiles once for each pair
    of rows and steps, so all shards have one size, and sizes that the graph does not know are
    rounded up, rows to a multiple of 8 and steps to one of 16 or a smaller power of two (coarser
    beyond 64 rows and 256 steps), so that batches of any size need few programs. Padding steps are
    not computed.
    """
    batch, time = _sizes(inputs, shards)
    masks = _tensors([recurrent_mask])
    rows = [_padded(inputs, batch, time), lengths, *initial_state, *masks]
    parts = zip(*[tf.split(_padded(values, batch), shards) for values in rows], strict=True)
    count = 2 + len(initial_state)
    results = [
        run(
            cell,
            part[0],
            list(part[2:count]),
            part[1],
            recurrent_kernel,
            part[-1] if masks else None,
            products,
        )
        for part in parts
    ]
    outputs = tf.concat([outputs for outputs, _ in results], axis=0)
    final = [tf.concat(s, axis=0) for s in zip(*[s for _, s in results], strict=True)]
    if (batch, time) == tuple(inputs.shape[:2]):
        return outputs, final
    rows, steps = tf.unstack(tf.shape(inputs)[:2])
    return outputs[:rows, :steps], [states[:rows] for states in final]


def _sizes(inputs: Any, shards: int) -> tuple[Any, Any]:
    """The rows, a multiple of the shards, and the steps that inputs (B, T, E) are padded to."""
    rows, steps = inputs.shape[:2]
    known = tf.shape(inputs)
    if rows is None:
        rows = _rounded_up(-(-known[0] // shards), _ROWS) * shards
    else:
        rows = -(-rows // shards) * shards
    return rows, _rounded_up(known[1], _STEPS) if steps is None else steps


def _grid(finest: int, per_octave: int) -> list[int]:
    """Sizes in steps of `finest`, and of the last power of two over `per_octave` beyond."""
    sizes = [finest]
    while sizes[-1] < 2**20:
        sizes.append(sizes[-1] + max(finest, 2 ** (sizes[-1].bit_length() - 1) // per_octave))
    return sizes


_ROWS = _grid(8, 4)
_STEPS = [1, 2, 4, 8, *_grid(16, 8)]  # the products of x W are made for padding, too


def _rounded_up(size: Any, grid: list[int]) -> Any:
    """The next size of the grid, in the graph."""
    return tf.constant(grid)[tf.searchsorted(grid, size[None])[0]]


def _padded(values: Any, batch: Any, time: Any = None) -> Any:
    """Pads values with zeros to a number of rows and steps."""
    sizes = [batch] if time is None else [batch, time]
    if sizes == list(values.shape[: len(sizes)]):
        return values
    shape = tf.shape(values)
    added = [(0, size - shape[axis]) for axis, size in enumerate(sizes)]
    rest = values.shape[len(sizes) :]
    padded = tf.pad(values, [*added, *[(0, 0)] * len(rest)])
    return tf.ensure_shape(padded, [*[s if isinstance(s, int) else None for s in sizes], *rest])


def cores() -> int:
    """The number of processor cores for parallel loops, at most four."""
    if tf.config.list_physical_devices("GPU"):
        return 1
    allowed = getattr(os, "sched_getaffinity", None)  # not available on every system
    present = len(allowed(0)) if allowed else os.cpu_count() or 1
    return min(tf.config.threading.get_intra_op_parallelism_threads() or present, 4)


def run(
    cell: Any,
    inputs: Any,
    initial_state: list[Any],
    lengths: Any,
    recurrent_kernel: Any = None,
    recurrent_mask: Any = None,
    products: Any = None,
) -> tuple[Any, list[Any]]:
    """Runs a cell over all steps.

    Args:
        cell: A built cell with `combine`.
        inputs: (B, T, E); int (B, T) where they are looked up in `products`.
        initial_state: The states before the first step, (B, K) each.
        lengths: int32 (B,), real tokens of each row; after them its states stay constant.
        recurrent_kernel: U, if it is not the cell's own (weight drop).
        recurrent_mask: (B, K), multiplied into h before the product, or None.
        products: x W of each possible input, (V, num_gates K), or None.

    Returns:
        The outputs (B, T, K), and the final states, (B, K) each.
    """
    loops = loops_of(cell)
    found = [] if products is None else [inputs, products.shape[0]]
    kernel = cell.recurrent_kernel if recurrent_kernel is None else recurrent_kernel
    weights = [
        _tensors([None if found else cell.input_kernel]),
        _tensors([kernel]),
        _tensors([cell.recurrent_bias]),
        _tensors([cell.input_bias]),
        _tensors(cell.vectors()),
        list(initial_state),
    ]
    ends = list(itertools.accumulate(len(group) for group in weights))
    mask = _tensors([recurrent_mask])

    @tf.custom_gradient
    def through_time(*values: Any) -> Any:
        # cut off: in eager mode the tape would trace into the compiled loops
        xs, *cut = [tf.stop_gradient(value) for value in values]
        groups: Any = [cut[start:end] for start, end in itertools.pairwise([0, *ends])]
        xs = tf.gather(xs, inputs) if found else xs
        given = Given(*[xs, *groups, mask, lengths, found])
        results = loops.forward(given)

        def gradient(d_outputs: Any, *d_final: Any) -> list[Any]:
            d_given = loops.backward(given, results, d_outputs, list(d_final))
            return tf.nest.flatten(d_given)

        return (results[0], *results[1]), gradient

    values = [value for group in weights for value in group]
    first = products if found else inputs if weights[0] else cell.input_product(inputs)
    outputs, *final = through_time(first, *values)
    return outputs, final


def loops_of(cell: Any) -> Loops:
    """The compiled loops of a cell, shared by all cells of its class and configuration."""
    return _loops(_kind(cell))


def combination(cell: Any, combine: Callable[..., Any]) -> Any:
    """`combine(cell, ...)` as one compiled function of tensors, shared as `loops_of` is."""
    return _combination(_kind(cell), combine)


def _kind(cell: Any) -> "_Kind":
    config = {key: value for key, value in cell.get_config().items() if key != "name"}
    return _Kind(type(cell), json.dumps(config, sort_keys=True, default=str), config)


@dataclasses.dataclass(frozen=True)
class _Kind:
    cell_class: Any
    key: str
    config: dict[str, Any] = dataclasses.field(compare=False)


@functools.cache
def _combination(kind: _Kind, combine: Callable[..., Any]) -> Any:
    cell = kind.cell_class.from_config(kind.config)  # never built: it has no weights
    return tf.function(functools.partial(combine, cell), jit_compile=True, autograph=False)


@functools.cache
def _loops(kind: _Kind) -> Loops:
    cell = kind.cell_class.from_config(kind.config)  # never built: it has no weights
    compiled = functools.partial(tf.function, jit_compile=True, autograph=False)
    return Loops(
        compiled(functools.partial(time_loops.forward, cell)),
        compiled(functools.partial(time_loops.backward, cell)),
    )


def _tensors(values: list[Any]) -> list[Any]:
    return [tf.convert_to_tensor(value) for value in values if value is not None]
