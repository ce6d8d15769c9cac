"""Training and scoring steps of a language model over windows."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.config import TrainingConfig
from recipes.families.language.shared import SharedWindows
from recipes.families.language.states import initial_states, inputs_of, signature, states_of
from recipes.families.language.windows import Documents, Streams, Window
from recipes.training.loop import TrainingError, Watch, mean_metrics
from recipes.training.progress import Progress
from recipes.training.replicas import team_of
from zoo.architectures.language_model import LanguageModel

Split = Streams | Documents
EXPLODED = 4.0  # a loss above this multiple of log V, the uniform distribution's, is an error


class Trainer:
    """Trains a compiled language model window after window.

    Args:
        model: Compiled, with explicit states.
        windows: The training split.
    """

    def __init__(self, model: keras.Model, windows: Split) -> None:
        self.model, self.windows = model, windows
        self.losses = LanguageModel.of(model).with_losses()
        model.optimizer.build(
            model.trainable_variables
        )  # built in the graph, it would be traced twice
        # streams have windows of one shape; a graph of a fixed shape is a tenth faster
        alike = isinstance(windows, Streams)
        specs = None if alike else [signature(self.losses)]
        self.step = tf.function(self._step, input_signature=specs, autograph=False)
        self.states: dict[str, Any] = {}
        self.shared: SharedWindows | None = None
        self.compiled = False

    def _take(self, window: Window, config: TrainingConfig) -> float:
        """Trains one step on a window from the previous window's states; returns the loss."""
        if config.strategy != "none" or config.accumulate > 1:
            if self.shared is None:
                team = team_of(config.strategy)
                self.shared = SharedWindows(self.model, self.losses, team, config.accumulate)
            return self.shared(window)
        if window.first:
            self.states = initial_states(self.model, len(window.token_ids))
        loss, self.states = self.step(inputs_of(window, self.states))
        return float(loss)

    def _step(self, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        variables = self.model.trainable_variables
        count = tf.reduce_sum(tf.cast(inputs["token_ids"] != 0, tf.float32))
        with tf.GradientTape() as tape:
            outputs = self.losses(inputs, training=True)
            loss = tf.reduce_sum(outputs["losses"]) / tf.maximum(count, 1.0)
            whole = tf.add_n([loss, *self.losses.losses])
        gradients = tape.gradient(whole, [variable.value for variable in variables])
        self.model.optimizer.apply(gradients, variables)
        return loss, states_of(outputs)

    def epoch(
        self, config: TrainingConfig, epoch: int, watch: Watch | None = None
    ) -> dict[str, float]:
        """Trains one epoch and returns its mean loss and speed, measured while it trains.

        Args:
            config: The seed, the strategy, and the options that messages name.
            epoch: The epoch's number, from 0.
            watch: Called with each step's loss.

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
        check = partial(_check, config, epoch, worst)
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


class Scorer:
    """Computes a language model's exact loss on text, with the whole vocabulary.

    Args:
        model: With explicit states.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        losses = LanguageModel.of(model).with_losses()

        @tf.function(input_signature=[signature(losses)], autograph=False)
        def step(inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            outputs = losses(inputs, training=False)
            return outputs["losses"], states_of(outputs)

        self.step: Callable[..., Any] = step

    def losses(self, windows: Iterable[Window]) -> Iterable[tuple[Window, np.ndarray]]:
        """Yields each window with its targets' losses, float32 (B, T), in nats, 0 in padding."""
        states: dict[str, Any] = {}
        for window in windows:
            if window.first:
                states = initial_states(self.model, len(window.token_ids))
            losses, states = self.step(inputs_of(window, states))
            yield window, losses.numpy()

    def total(self, windows: Iterable[Window]) -> tuple[float, int]:
        """Returns the sum of all targets' losses, in nats, and the number of targets."""
        total, count = 0.0, 0
        for window, losses in self.losses(windows):
            total += float(losses.sum(dtype=np.float64))
            count += window.num_tokens
        return total, count
