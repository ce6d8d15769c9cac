"""Runs large batches in shards that work in parallel; what a traced graph allows."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.ops import control_flow_util

LARGE = 16  # rows from which the work of a step outweighs its overhead

Way = Callable[[Any, Any, list[Any]], tuple[Any, list[Any]]]


def in_xla() -> bool:
    """Whether the graph that is being traced is for XLA, which must know every size."""
    graph = tf.compat.v1.get_default_graph()
    return bool(control_flow_util.GraphOrParentsInXlaContext(graph))


_fixed_sizes = contextvars.ContextVar("fixed_sizes", default=False)


@contextlib.contextmanager
def fixed_sizes() -> Iterator[None]:
    """Traces graphs whose sizes do not depend on the data, as LiteRT needs them."""
    token = _fixed_sizes.set(True)
    try:
        yield
    finally:
        _fixed_sizes.reset(token)


_lean = contextvars.ContextVar("lean", default=False)


@contextlib.contextmanager
def lean() -> Iterator[None]:
    """Traces small graphs: one method for all batches, one step in each turn of a loop.

    The graph of a gradient is many times that of the loops and branches that it goes through.
    """
    token = _lean.set(True)
    try:
        yield
    finally:
        _lean.reset(token)


def is_lean() -> bool:
    """Whether `lean` holds."""
    return _lean.get()


def may_gather() -> bool:
    """Whether sizes may depend on the data: on TensorFlow, outside of XLA and `fixed_sizes`."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return on_tensorflow and not in_xla() and not _fixed_sizes.get()


def run(
    small: Way, large: Way, inputs: Any, lengths: Any, initial_state: list[Any], shards: int
) -> tuple[Any, list[Any]]:
    """Chooses a method by the size of the batch, which may be unknown when the graph is built.

    Both methods are `inputs, lengths, initial_state -> outputs, final states`. The one for many
    rows runs in shards in parallel.
    """

    def few() -> list[Any]:
        outputs, final = small(inputs, lengths, initial_state)
        return [outputs, *final]

    def many() -> list[Any]:
        sizes = [(rows + number) // shards for number in range(shards)]
        cut = [tf.split(v, sizes, num=shards) for v in (inputs, lengths, *initial_state)]
        results = [large(x, n, list(states)) for x, n, *states in zip(*cut, strict=True)]
        parts = zip(*[[outputs, *final] for outputs, final in results], strict=True)
        return [tf.concat(values, axis=0) for values in parts]

    rows = inputs.shape[0]
    if rows is not None:
        outputs, *final = few() if rows < LARGE else many()
        return outputs, final
    if in_xla() or is_lean():  # XLA cannot take the gradient of loops in a branch
        outputs, *final = few()
        return outputs, final
    rows = tf.shape(inputs)[0]
    outputs, *final = tf.cond(rows < LARGE, few, many)
    return outputs, final
