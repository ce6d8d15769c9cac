"""The steps over batches of examples: one graph for all sizes, in one process or shared."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.training.backends import require_plain
from recipes.training.batches import LabelledBatches
from recipes.training.replicas import Team, team_of
from recipes.training.replicated_step import Shard, SharedStep, cut
from zoo.recurrence.tracing import on_tensorflow

Step = Callable[[Any, Any], dict[str, float]]  # inputs, labels -> the batch's loss and metrics


def batch_step(model: keras.Model, batches: LabelledBatches, strategy: str, parts: int) -> Step:
    """What takes one step over a batch, with the options `strategy` and `accumulate` (`parts`)."""
    require_plain(strategy, parts)
    if strategy == "none" and parts == 1:
        return functools.partial(_alone, model)
    return SharedBatchStep(model, batches, team_of(strategy), parts)


def _alone(model: keras.Model, inputs: Any, labels: Any) -> dict[str, float]:
    if model.train_function is None and on_tensorflow():
        _trace_once(model, inputs, labels)
    metrics: dict[str, float] = model.train_on_batch(inputs, labels, return_dict=True)
    return metrics


def _trace_once(model: keras.Model, inputs: Any, labels: Any) -> None:
    """Gives the model one graph for batches of all sizes, whichever of them comes first.

    Keras traces the first size by itself and then each other size, so that a resumed run may round
    a batch otherwise than an uninterrupted one; and each trace takes seconds. Variables that are
    made in the graph would have it traced twice.
    """
    _make_variables(model, inputs, labels)

    @tf.function(
        input_signature=[_specs(inputs), _specs(labels)],
        autograph=False,
        jit_compile=model.jit_compile,
    )
    def step(inputs: Any, labels: Any) -> Any:
        return model.train_step((inputs, labels))

    def function(iterator: Any) -> Any:
        inputs, labels, _ = next(iterator)
        return step(inputs, labels)

    model.train_function = function  # what `train_on_batch` calls


def _make_variables(model: keras.Model, inputs: Any, labels: Any) -> None:
    """Makes the variables of the optimizer and the metrics."""
    model.optimizer.build(model.trainable_variables)
    one = cut((inputs, labels), range(0, 1))
    model.compute_metrics(*one, model(one[0]))
    model.reset_metrics()


def _specs(values: Any) -> Any:
    """The form of arrays of any sizes; of floats the last axis is fixed, it holds columns."""

    def spec(array: Any) -> Any:
        sizes = [None] * array.ndim
        if array.dtype.kind == "f" and array.ndim > 1:
            sizes[-1] = array.shape[-1]
        return tf.TensorSpec(sizes, array.dtype)

    return tf.nest.map_structure(spec, values)


class SharedBatchStep:
    """A step over a batch whose rows are shared.

    Args:
        model: Compiled with losses that are means over what `batches.weight` counts.
        batches: Whose batches they are.
        team: Who shares the rows.
        parts: Into how many parts, one after the other, each replica's rows are cut.
    """

    def __init__(
        self, model: keras.Model, batches: LabelledBatches, team: Team, parts: int
    ) -> None:
        self.model, self.weight, self.team, self.parts = model, batches.weight, team, parts
        one = not isinstance(model.loss, dict)
        losses = {"": model.loss} if one else model.loss
        self.losses = {name: summed(loss) for name, loss in losses.items()}
        self.weights = model.get_compile_config()["loss_weights"] or dict.fromkeys(losses, 1.0)
        self.step: SharedStep | None = None

    def __call__(self, inputs: Any, labels: Any) -> dict[str, float]:
        """Takes the step; gives the whole batch's loss and metrics."""
        if self.step is None:
            self.step = self._traced(inputs, labels)
        whole = np.float32(max(self.weight(labels), 1))
        rows = len(tf.nest.flatten(labels)[0])
        shards = [
            [self._shard(inputs, labels, own, whole) for own in part]
            for part in self.step.ranges(rows)
        ]
        return self.step(shards)[0]

    def _shard(self, inputs: Any, labels: Any, rows: range, whole: np.float32) -> Shard:
        own = cut(labels, rows)
        weight = np.float32(self.weight(own) if rows else 0)
        return {"inputs": cut(inputs, rows), "labels": own, "weight": weight, "whole": whole}

    def _traced(self, inputs: Any, labels: Any) -> SharedStep:
        _make_variables(self.model, inputs, labels)
        specs = {"inputs": _specs(inputs), "labels": _specs(labels)}
        specs |= dict.fromkeys(("weight", "whole"), tf.TensorSpec([], tf.float32))
        return SharedStep(self.team, self.parts, self.model, self._compute, specs)

    def _compute(self, shard: Shard) -> tuple[Any, dict[str, Any], tuple[()]]:
        labels, outputs = shard["labels"], self.model(shard["inputs"], training=True)
        share = shard["weight"] / shard["whole"]
        scale = tf.where(share > 0, 1 / shard["whole"], 0.0)
        metrics = self._metrics(shard, outputs, share)
        losses = {}
        for name, loss in self.losses.items():
            pair = (labels[name], outputs[name]) if name else (labels, outputs)
            losses[name] = scale * tf.cast(loss(*pair), tf.float32)
        terms = [self.weights[name] * loss for name, loss in losses.items()]
        terms += [share * tf.cast(penalty, tf.float32) for penalty in self.model.losses]
        metrics |= {f"{name}_loss": loss for name, loss in losses.items() if name}
        objective = tf.add_n(terms)
        return objective, {**metrics, "loss": objective}, ()

    def _metrics(self, shard: Shard, outputs: Any, share: Any) -> dict[str, Any]:
        """The metrics' means over the shard, times its share of the batch."""
        zeros = [(v, tf.zeros(v.shape, v.dtype)) for v in self.model.metrics_variables]
        with keras.StatelessScope(state_mapping=zeros):
            found = self.model.compute_metrics(shard["inputs"], shard["labels"], outputs)
        return {name: share * value for name, value in found.items() if "loss" not in name}


def summed(loss: keras.losses.Loss) -> keras.losses.Loss:
    """The same loss as a sum; a mean Keras would divide by the number of replicas once more."""
    return type(loss).from_config({**loss.get_config(), "reduction": "sum"})
