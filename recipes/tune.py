"""What a search does with a recipe: a run of its training for each setting, seed and share."""

import contextlib
import dataclasses
import hashlib
import json
import math
import shutil
import statistics
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes import checkpoint, epochs, training
from recipes.checkpoint import Progression
from recipes.config import configured, write_json
from recipes.language.states import initial_states, inputs_of
from recipes.language.windows import Window
from recipes.precision import in_precision
from recipes.sources.share import share_of
from zoo import durable, memory
from zoo.errors import InputError
from zoo.tuning.records import Run

STRETCH = 4  # a smaller share of the data gets more epochs, at most so many times as many
# what changes nothing in how the data is prepared
TRAINING_OPTIONS = (
    "seed",
    "epochs",
    "minutes",
    "patience",
    "learning_rate",
    "decay",
    "warmup",
    "clip_norm",
    "weight_decay",
    "average",
    "optimizer",
    "architecture",
    "strategy",
    "precision",
    "accumulate",
)
CACHED = 4  # prepared data sets that are kept in memory
PAUSE = 10.0  # seconds of training that a kill may cost
CALLS = 20  # of a model with one example, to time it


class Trainings:
    """Measures runs of a recipe; data is read once for all runs that need the same.

    Args:
        task: The recipe.
        fixed: The options that are given and not searched.
        directory: Where vocabularies go; no other process may use it at the same time.
    """

    def __init__(self, task: ModuleType, fixed: dict[str, Any], directory: Path) -> None:
        self.task, self.fixed, self.directory = task, fixed, directory
        self._splits: dict[str, Any] = {}
        self._prepared: dict[str, Any] = {}

    def config(self, run: Run) -> Any:
        """A run's configuration, as `train --config` takes it."""
        given = {**self.fixed, **run.values, "seed": run.seed, "train_fraction": run.fraction}
        config = configured(self.task, given)
        counts = {name: getattr(config, name) for name in ("epochs", "patience")}
        given = {name: count for name, count in counts.items() if count is not None}
        return dataclasses.replace(
            config, **{name: stretched(count, run.fraction) for name, count in given.items()}
        )

    def __call__(self, run: Run) -> dict[str, Any]:
        """Trains a run, or goes on with it, and gives its figures."""
        if run.epochs is None:  # no later run goes on from an earlier one
            tidy(run.directory.parents[1])
        config = self.config(run)
        durable.make_folder(run.directory)
        log = (run.directory / "log.txt").open("a", encoding="utf-8")
        with log, contextlib.redirect_stdout(log):
            return self._measured(run, config)

    def _measured(self, run: Run, config: Any) -> dict[str, Any]:
        task = self.task
        with memory.for_training():
            task.check(config)
        keras.backend.clear_session()
        keras.utils.set_random_seed(config.seed)
        prepared = self._data(config)
        config = epochs.settled(config, epochs.size_of(prepared.splits.train))
        write_json(
            run.directory / "config.json", {"recipe": task.NAME, **dataclasses.asdict(config)}
        )
        states = run.directory / "checkpoints"
        if run.start and not states.exists():
            part = run.directory / "checkpoints.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(run.start / "checkpoints", part)
            durable.publish(part, states)
        stored = checkpoint.load(states)
        if stored:
            model, progression = stored
        else:
            with in_precision(config.precision), memory.for_training():
                model, progression = task.build(config, prepared), Progression()
            rows, steps = prepared.batches["train"].largest_batch
            memory.check_step(model, -(-rows // config.accumulate), steps)
        last = stretched(run.epochs, run.fraction) if run.epochs else config.epochs
        progression = training.train(
            model,
            task.epochs(model, prepared),
            lambda trained: task.validate(trained, prepared),
            dataclasses.replace(config, epochs=last),
            run.directory,
            progression,
            pause=PAUSE,
        )
        figures = _figures(task.objective(config), progression, model)
        if run.timed:
            figures["latency_ms"] = latency(model, prepared.batches["validation"])
        return figures

    def _data(self, config: Any) -> Any:
        """The data, prepared for a configuration."""
        names = {*TRAINING_OPTIONS, *self.task.MODEL_OPTIONS}
        key = {
            name: value for name, value in dataclasses.asdict(config).items() if name not in names
        }
        place = _hash(key)
        if place not in self._prepared:
            fraction = key.pop("train_fraction")
            source = _hash(key)
            if source not in self._splits:
                self._splits = {source: self.task.load(config)}
            directory = self.directory / place
            durable.make_folder(directory)
            while len(self._prepared) >= CACHED:
                del self._prepared[next(iter(self._prepared))]
            splits = share_of(self._splits[source], fraction, config.split_seed)
            self._prepared[place] = self.task.prepare(config, splits, directory)
        prepared = self._prepared[place]
        if hasattr(prepared, "config"):
            return dataclasses.replace(prepared, config=config)
        return prepared


def tidy(trials: Path) -> None:
    """Takes away the training states of the runs that are finished."""
    for result in trials.glob("*/*/result.json"):
        shutil.rmtree(result.with_name("checkpoints"), ignore_errors=True)


def stretched(count: int, fraction: float) -> int:
    """Epochs for a share of the data: more for less, for an epoch has fewer steps there."""
    return math.ceil(count * min(1 / fraction, STRETCH))


def _hash(key: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]


def _figures(objective: str, progression: Progression, model: keras.Model) -> dict[str, Any]:
    best = progression.history[progression.best_epoch - 1]
    if f"validation_{objective}" not in best:
        found = [name for name in best if name.startswith("validation_")]
        raise InputError(
            f"this data gives no {objective}, but {', '.join(found)}: it cannot be searched by "
            f"{objective}"
        )
    seconds = [row["seconds"] for row in progression.history]
    return {
        objective: best[f"validation_{objective}"],
        "train_loss": best["loss"],
        "validation_loss": best.get("validation_loss"),
        "last_train_loss": progression.history[-1]["loss"],
        "last_validation_loss": progression.history[-1].get("validation_loss"),
        "parameters": model.count_params(),
        "epochs": progression.epoch,
        "best_epoch": progression.best_epoch,
        "seconds": round(progression.seconds, 1),
        "seconds_per_epoch": statistics.median(seconds[1:] or seconds),
    }


def latency(model: keras.Model, batches: Any) -> float:
    """Milliseconds that a model takes for one validation example, the median of 20 calls."""
    first = next(iter(batches()))
    if isinstance(first, Window):
        window = Window(first.token_ids[:1], first.target_ids[:1], True)
        inputs = inputs_of(window, initial_states(model, 1))
        inputs = {name: inputs[name] for name in model.input}
    else:
        inputs = first[0]
    one = tf.nest.map_structure(lambda value: tf.constant(np.asarray(value)[:1]), inputs)
    call = tf.function(lambda given: model(given, training=False), autograph=False)
    call(one)
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call(one)
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds) * 1000, 3)
