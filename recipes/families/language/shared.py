"""Distributed steps over windows: each row and its state stay on one replica."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.families.language.states import initial_states, signature, states_of
from recipes.families.language.windows import Window
from recipes.training.replicas import Team
from recipes.training.replicated_step import Shard, SharedStep, cut


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
