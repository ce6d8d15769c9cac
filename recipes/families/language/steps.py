"""Training and scoring steps of a language model over windows, and the states between them."""

import functools
import math
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.config import TrainingConfig
from recipes.families.language.windows import Documents, Streams, Window
from recipes.training.backends import graph, require_plain
from recipes.training.gradient_step import gradient_step
from recipes.training.loop import TrainingError, Watch, mean_metrics
from recipes.training.replicas import Team, team_of
from recipes.training.replicated_step import Shard, SharedStep, cut
from zoo.architectures.language_model import LanguageModel
from zoo.recurrence.tracing import on_tensorflow
from zoo.system.progress import Progress
from zoo.text import PAD

Split = Streams | Documents
EXPLODED = 4.0  # a loss above this multiple of log V, the uniform distribution's, is an error


def initial_states(model: keras.Model, rows: int) -> dict[str, Any]:
    """Returns the initial states by name."""
    states = LanguageModel.of(model).initial_states(rows)
    return {name: keras.ops.cast(state, "float32") for name, state in states.items()}


def signature(losses: keras.Model) -> dict[str, tf.TensorSpec]:
    """Returns the input signature of `with_losses` for any sizes: one graph for all windows."""
    return {
        name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in losses.input.items()
    }


def inputs_of(window: Window, states: dict[str, Any]) -> dict[str, Any]:
    """Returns the inputs of `with_losses`: a window's ids and the states before it."""
    ids = {"token_ids": window.token_ids, "target_ids": window.target_ids}
    tensor = keras.ops.convert_to_tensor
    return {**{name: tensor(value, dtype="int32") for name, value in ids.items()}, **states}


def states_of(outputs: dict[str, Any]) -> dict[str, Any]:
    """Returns the states among a language model's outputs, in float32."""
    names = [name for name in outputs if name.startswith("state_")]
    return {name: keras.ops.cast(outputs[name], "float32") for name in names}


def mean_loss(inputs: dict[str, Any], outputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Returns the mean of `with_losses`' losses over the real tokens, and the states after them."""
    count = keras.ops.sum(keras.ops.cast(inputs["token_ids"] != PAD, "float32"))
    loss = keras.ops.sum(outputs["losses"]) / keras.ops.maximum(count, 1.0)
    return loss, states_of(outputs)


def loss_function(losses: keras.Model) -> Callable[[dict[str, Any]], Any]:
    """Returns a compiled function of `with_losses`' inputs that gives its outputs, untrained."""
    if not on_tensorflow():
        predict: Callable[[dict[str, Any]], Any] = losses.predict_on_batch
        return predict
    return graph(functools.partial(losses, training=False), [signature(losses)])


class Trainer:
    """Trains a compiled language model with explicit states window after window."""

    def __init__(self, model: keras.Model, windows: Split) -> None:
        self.model, self.windows = model, windows
        self.losses = LanguageModel.of(model).with_losses()
        # streams have windows of one shape; a graph of a fixed shape is a tenth faster
        alike = isinstance(windows, Streams)
        specs = None if alike else signature(self.losses)
        self.step = gradient_step(model, self.losses, mean_loss, specs)
        self.states: dict[str, Any] = {}
        self.shared: SharedWindows | None = None
        self.compiled = False

    def _take(self, window: Window, config: TrainingConfig) -> float:
        """Trains one step on a window from the previous window's states; returns the loss."""
        require_plain(config.strategy, config.accumulate)
        if config.strategy != "none" or config.accumulate > 1:
            if self.shared is None:
                team = team_of(config.strategy)
                self.shared = SharedWindows(self.model, self.losses, team, config.accumulate)
            return self.shared(window)
        if window.first:
            self.states = initial_states(self.model, len(window.token_ids))
        loss, self.states = self.step(inputs_of(window, self.states))
        return float(loss)

    def epoch(
        self, config: TrainingConfig, epoch: int, watch: Watch | None = None
    ) -> dict[str, float]:
        """Trains an epoch, from 0 up; returns its mean loss and speed, measured while it trains.

        Raises:
            TrainingError: The loss is not finite, or far worse than chance.
        """
        title = f"epoch {epoch + 1}/{config.epochs}"
        progress = Progress(title, len(self.windows), compiling=not self.compiled)
        self.compiled = True
        worst = EXPLODED * math.log(LanguageModel.of(self.model).vocabulary_size)
        steps = (
            ({"loss": self._take(window, config)}, window.num_tokens)
            for window in self.windows((config.seed, epoch))
        )
        check = functools.partial(_check, config, epoch, worst)
        return mean_metrics(steps, check, progress, watch, unit="tokens")


def _check(config: TrainingConfig, epoch: int, worst: float, loss: float, step: int) -> None:
    if loss < worst:  # False for NaN, too
        return
    clipped = (
        f"now {config.clip_norm:g}" if config.clip_norm else "now 0: gradients are not clipped"
    )
    raise TrainingError(
        f"the loss is {loss:.4g} nats in epoch {epoch + 1}, step {step}, worse than chance: "
        f"training has exploded; set --clip-norm ({clipped}) or lower --learning-rate (now "
        f"{config.learning_rate:g})"
    )


class SharedWindows:
    """Trains one step per window on several replicas or in several parts.

    Args:
        model: Compiled, with explicit states.
        losses: The model with losses as outputs, from `with_losses`.
        team: The replicas.
        parts: Number of parts, one after the other, into which each replica's rows are divided.
    """

    def __init__(self, model: keras.Model, losses: keras.Model, team: Team, parts: int) -> None:
        self.model, self.losses = model, losses
        specs = signature(losses)
        specs |= {name: tf.TensorSpec([], tf.float32) for name in ("weight", "whole")}
        self.step = SharedStep(team, parts, model, self._compute, specs)
        self.states: list[Any] = []  # for each part those of each local replica

    def __call__(self, window: Window) -> float:
        """Trains one step; returns the whole window's loss, in nats per token."""
        rows = self.step.ranges(len(window.token_ids))
        if window.first:
            self.states = [[initial_states(self.model, len(own) or 1) for own in p] for p in rows]
        whole = np.float32(max(window.num_tokens, 1))
        shards = [
            [self._shard(window, own, whole) | before for own, before in zip(*pair, strict=True)]
            for pair in zip(rows, self.states, strict=True)
        ]
        metrics, self.states = self.step(shards)
        return metrics["loss"]

    def _shard(self, window: Window, rows: range, whole: np.float32) -> Shard:
        ids = {"token_ids": window.token_ids, "target_ids": window.target_ids}
        own = {name: tf.constant(cut(values, rows), tf.int32) for name, values in ids.items()}
        weight = np.count_nonzero(cut(window.token_ids, rows)) if rows else 0
        return {**own, "weight": np.float32(weight), "whole": whole}

    def _compute(self, shard: Shard) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        inputs = {name: shard[name] for name in self.losses.input}
        outputs = self.losses(inputs, training=True)
        share = shard["weight"] / shard["whole"]
        scale = tf.where(share > 0, 1 / shard["whole"], 0.0)
        loss = scale * tf.reduce_sum(tf.cast(outputs["losses"], tf.float32))
        penalties = [share * tf.cast(penalty, tf.float32) for penalty in self.losses.losses]
        return tf.add_n([loss, *penalties]), {"loss": loss}, states_of(outputs)


class Scorer:
    """Computes the exact loss of a language model with explicit states on text."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.step = loss_function(LanguageModel.of(model).with_losses())

    def losses(self, windows: Iterable[Window]) -> Iterable[tuple[Window, np.ndarray]]:
        """Yields each window with its targets' losses, float32 (B, T), in nats, 0 in padding."""
        states: dict[str, Any] = {}
        for window in windows:
            if window.first:
                states = initial_states(self.model, len(window.token_ids))
            outputs = self.step(inputs_of(window, states))
            states = states_of(outputs)
            yield window, keras.ops.convert_to_numpy(outputs["losses"])

    def total(self, windows: Iterable[Window], skipped: int = 0) -> tuple[float, int]:
        """Returns the sum of the targets' losses, in nats, and the number of targets.

        The first `skipped` windows, which warm up, do not count.
        """
        total, count = 0.0, 0
        for window, losses in islice(self.losses(windows), skipped, None):
            total += float(losses.sum(dtype=np.float64))
            count += window.num_tokens
        return total, count
