"""Runs large batches in shards that work in parallel, on TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.recurrence.tracing import in_xla, is_lean

LARGE = 16  # rows from which the work of a step outweighs its overhead

Way = Callable[[Any, Any, list[Any]], tuple[Any, list[Any]]]


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
