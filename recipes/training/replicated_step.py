"""One step of the optimizer, whose rows are shared among replicas and taken in parts."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.training.replicas import Team, peers

Shard = dict[str, Any]
# a shard -> what is minimised, metrics (both sums over its rows by the whole batch's weight), and
# what the rows carry to their next shard
Compute = Callable[[Shard], tuple[Any, dict[str, Any], Any]]


def row_ranges(rows: int, count: int) -> list[range]:
    """Ranges that hold each row once, in order and of like sizes; with few rows some are empty.

    Example:
        >>> row_ranges(5, 2)
        [range(0, 2), range(2, 5)]
    """
    ends = [rows * number // count for number in range(count + 1)]
    return [range(start, end) for start, end in zip(ends[:-1], ends[1:], strict=True)]


def cut(values: Any, rows: range) -> Any:
    """The rows of each array; of none the first row, which is then to weigh nothing."""
    taken = slice(rows.start, rows.stop) if rows else slice(0, 1)
    return tf.nest.map_structure(lambda array: array[taken], values)


class SharedStep:
    """Steps of a model's optimizer that give what one process gives with the whole batch.

    Each replica adds up, part after part, the gradients of its own rows. Since a part's loss is a
    sum over its rows divided by the weight of the whole batch, their sum over all replicas is
    the gradient of the whole batch; that is clipped once and applied once.

    The variables are ordinary ones: every process has its own and changes them by the same
    gradient; devices of one process read the same ones. So checkpoints, validation and export
    know nothing of strategies. Under `strategy.scope()` Keras 3.15 would clip each replica's
    gradient by itself, before it adds them up, and `predict_on_batch` would answer once a replica.

    Tables of vectors have sparse gradients, the rows of the tokens that occur. These are gathered
    and not added up, as Keras squares the rows of a token that occurs twice each by itself.

    Args:
        team: Whose replicas share the rows.
        parts: Into how many parts, one after the other, each replica's rows are cut.
        model: Compiled and built.
        compute: What is done with a shard; see `Compute`.
        specs: The form of a shard, of any number of rows.
    """

    def __init__(
        self, team: Team, parts: int, model: keras.Model, compute: Compute, specs: Any
    ) -> None:
        self.team, self.parts, self.compute = team, parts, compute
        self.optimizer, self.variables = model.optimizer, model.trainable_variables
        self.optimizer.build(self.variables)
        self.names: list[str] = []  # of the metrics
        self.kinds: list[str] = []  # of the variables' gradients: dense, rows or none
        signature = [[specs] * team.local]
        self._gradients = tf.function(self._on_replicas, input_signature=signature, autograph=False)
        self._apply: Any = None

    def ranges(self, rows: int) -> list[list[range]]:
        """Which rows of a batch are this process': for each part those of each replica here."""
        team = self.team
        every = row_ranges(rows, self.parts * team.replicas)
        starts = range(team.first, len(every), team.replicas)
        return [every[start : start + team.local] for start in starts]

    def __call__(self, shards: Sequence[list[Shard]]) -> tuple[dict[str, float], list[Any]]:
        """Takes one step with shards as `ranges` has them.

        Returns:
            The whole batch's metrics, and what the rows of each shard carry on.
        """
        with peers():
            results = [self._gradients(part) for part in shards]
            local = [_together(parts) for parts in zip(*[r[0] for r in results], strict=True)]
            if self._apply is None:
                specs = tf.nest.map_structure(_of_any_rows, local)
                self._apply = tf.function(self._applied, input_signature=[specs], autograph=False)
            metrics = self._apply(local).numpy().tolist()
        return dict(zip(self.names, metrics, strict=True)), [carried for _, carried in results]

    def _on_replicas(self, shards: list[Shard]) -> tuple[Any, Any]:
        """Each local replica's gradients, as tensors to be joined, and what the next part gets."""
        found = self.team.strategy.run(lambda: self._on_replica(shards[self.team.place()]))
        split = self.team.strategy.experimental_local_results
        columns = [split(value) for value in tf.nest.flatten(found)]
        local = [tf.nest.pack_sequence_as(found, row) for row in zip(*columns, strict=True)]
        return [gradients for gradients, _ in local], [carried for _, carried in local]

    def _on_replica(self, shard: Shard) -> tuple[list[Any], Any]:
        """The dense gradients and the metrics as one vector, then ids and rows of each table."""
        with tf.GradientTape() as tape:
            objective, metrics, carried = self.compute(shard)
        gradients = tape.gradient(objective, [variable.value for variable in self.variables])
        self.names, self.kinds = list(metrics), [_kind(gradient) for gradient in gradients]
        pairs = list(zip(self.kinds, gradients, strict=True))
        dense = [tf.reshape(gradient, [-1]) for kind, gradient in pairs if kind == "dense"]
        values = tf.stack([tf.cast(figure, tf.float32) for figure in metrics.values()])
        sparse = [part for kind, g in pairs if kind == "rows" for part in (g.indices, g.values)]
        return [tf.concat([*dense, values], axis=0), *sparse], carried

    def _applied(self, local: list[list[Any]]) -> Any:
        """Adds up the replicas' gradients, steps, and gives the metrics."""
        vectors = self.team.strategy.run(lambda: local[self.team.place()][0])
        shapes = [variable.shape for variable in self.variables]
        pairs = list(zip(self.kinds, shapes, strict=True))
        sizes = [int(np.prod(shape)) for kind, shape in pairs if kind == "dense"]
        *dense, values = tf.split(self.team.sum(vectors), [*sizes, len(self.names)])
        flat, tables, gradients = iter(dense), iter(range(1, len(local[0]), 2)), []
        for kind, shape in pairs:
            if kind == "dense":
                gradients.append(tf.reshape(next(flat), shape))
            else:
                gradients.append(
                    self._gathered(local, next(tables), shape) if kind == "rows" else None
                )
        self.optimizer.apply(gradients, self.variables)
        return values

    def _gathered(self, local: list[list[Any]], place: int, shape: Any) -> Any:
        """The rows of one table that all replicas found."""

        def own() -> Any:
            ids, rows = local[self.team.place()][place : place + 2]
            return tf.IndexedSlices(rows, ids, tf.constant(list(shape), ids.dtype))

        return self.team.sum(self.team.strategy.run(own))


def _kind(gradient: Any) -> str:
    if gradient is None:
        return "none"
    return "rows" if isinstance(gradient, tf.IndexedSlices) else "dense"


def _together(parts: Sequence[list[Any]]) -> list[Any]:
    """The gradients of a replica's parts: vectors are added up, ids and rows stand together."""
    if len(parts) == 1:
        return parts[0]
    vectors, *others = zip(*parts, strict=True)
    return [tf.add_n(vectors), *(tf.concat(column, axis=0) for column in others)]


def _of_any_rows(tensor: Any) -> tf.TensorSpec:
    return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)
