"""What a search does with a recipe: a run of its training for each setting, seed and share."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import math
import shutil
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.config import configured, write_json
from recipes.data.share import share_of
from recipes.families.language.states import initial_states, inputs_of
from recipes.families.language.windows import Window
from recipes.training import checkpoint, epochs, loop
from recipes.training.checkpoint import Progression
from recipes.training.loop import LARGER_IS_BETTER, SMALLER_IS_BETTER
from recipes.training.precision import in_precision
from recipes.tuning.option_reads import Memory, watched
from zoo.errors import InputError
from zoo.system import durable, memory
from zoo.tuning.storage import Run
from zoo.tuning.trials import StudyError

STRETCH = 4  # a smaller share of the data gets more epochs, at most so many times as many
# what changes nothing in the files that preparing the data leaves: vocabularies and the like
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
# what shapes a language model that is learned from --unlabelled, which is such a file
LANGUAGE_MODEL_OPTIONS = ("seed", "clip_norm", "weight_decay")
CACHED = 4  # prepared data sets that are kept in memory
SIZES = 1_000  # sizes of data sets that are remembered
PAUSE = 10.0  # seconds of training that a kill may cost
CALLS = 20  # of a model with one example, to time it


class Trainings:
    """Measures runs of a recipe; data is read once for all runs that need the same.

    Args:
        task: The recipe.
        fixed: The options that are given and not searched.
        directory: Where vocabularies go; no other process may use it at the same time.
        objective: The validation metric that chooses epochs and settings; by default the recipe's.
    """

    def __init__(
        self, task: ModuleType, fixed: dict[str, Any], directory: Path, objective: str | None = None
    ) -> None:
        self.task, self.fixed, self.directory = task, fixed, directory
        self.objective = objective
        self._splits, self._prepared, self._sizes = Memory(1), Memory(CACHED), Memory(SIZES)

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
        config = self.settled(config, run.values)
        prepared = self.data(config, run.values)
        keras.utils.set_random_seed(config.seed)  # data that is at hand draws nothing
        objective = self.objective or task.objective(config)
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
        progression = loop.train(
            model,
            task.epochs(model, prepared),
            lambda trained: _led_by(objective, task.validate(trained, prepared)),
            dataclasses.replace(config, epochs=last),
            run.directory,
            progression,
            pause=PAUSE,
        )
        figures = _figures(objective, progression, model)
        if run.timed:
            figures["latency_ms"] = latency(model, prepared.batches["validation"])
        return figures

    def settled(self, config: Any, searched: Collection[str] = ()) -> Any:
        """A configuration with the options that follow from the size of its share of train.

        Args:
            config: A run's configuration.
            searched: The options that are searched.
        """
        known = self._sizes.find(config)
        if known is None:
            reads, part = self._part(config, searched)
            known = reads, epochs.size_of(part.train)
            self._sizes.add(*known)
        return epochs.settled(config, known[1])

    def data(self, config: Any, searched: Collection[str] = ()) -> Any:
        """The data, prepared for a configuration.

        What was loaded or prepared before is used again where all options that were read then have
        the same values now, whatever kind of options these are.

        Args:
            config: A run's configuration.
            searched: The options that are searched.

        Raises:
            StudyError: It cannot be read, and no option that is searched would change that.
            InputError: It cannot be read as this run has it.
        """
        known = self._prepared.find(config)
        if known is None:
            reads, part = self._part(config, searched)
            directory = self.directory / self._place(config)
            durable.make_folder(directory)
            self._prepared.make_room()
            prepare = functools.partial(self.task.prepare, splits=part, directory=directory)
            prepared = _read_by(prepare, config, reads, searched)
            self._prepared.add(reads, prepared)
        else:
            prepared = known[1]
        if hasattr(prepared, "config"):
            return dataclasses.replace(prepared, config=config)
        return prepared

    def _part(self, config: Any, searched: Collection[str]) -> tuple[dict[str, Any], Any]:
        """The options by which a share of train is read, and the splits with that share."""
        reads, splits = self._loaded(config, searched)
        reads = {**reads, **_options_of(config, ("train_fraction", "split_seed"))}
        return reads, share_of(splits, config.train_fraction, config.split_seed)

    def _loaded(self, config: Any, searched: Collection[str]) -> tuple[dict[str, Any], Any]:
        """The options that loading read, and the splits."""
        known = self._splits.find(config)
        if known is None:
            self._splits.make_room()
            reads: dict[str, Any] = {}
            self._splits.add(reads, _read_by(self.task.load, config, reads, searched))
            known = self._splits.find(config)
        assert known is not None
        return dict(known[0]), known[1]

    def _place(self, config: Any) -> str:
        """A name for the folder of vocabularies: the same for the same data and text options."""
        names = {*TRAINING_OPTIONS, *self.task.MODEL_OPTIONS}
        if getattr(config, "unlabelled", ""):
            names -= set(LANGUAGE_MODEL_OPTIONS)
        key = {
            name: value for name, value in dataclasses.asdict(config).items() if name not in names
        }
        return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]


def _read_by(
    step: Callable[[Any], Any], config: Any, reads: dict[str, Any], searched: Collection[str]
) -> Any:
    """The result of a step; which options it reads is noted in `reads`."""
    try:
        return step(watched(config, reads))
    except InputError as error:
        if set(searched) & set(reads):
            raise
        raise StudyError(str(error)) from error


def _options_of(config: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}


def _led_by(objective: str, figures: dict[str, Any]) -> dict[str, Any]:
    """The validation's metrics, the objective first: it chooses the best epoch.

    Raises:
        StudyError: This data has no such metric.
    """
    if objective not in figures:
        names = [name for name in figures if name in (*SMALLER_IS_BETTER, *LARGER_IS_BETTER)]
        raise StudyError(
            f"validation has no {objective}, but {', '.join(names)}: give --objective one of them"
        )
    return {objective: figures[objective], **figures}


def tidy(trials: Path) -> None:
    """Takes away the training states of the runs that are finished."""
    for result in trials.glob("*/*/result.json"):
        shutil.rmtree(result.with_name("checkpoints"), ignore_errors=True)


def stretched(count: int, fraction: float) -> int:
    """Epochs for a share of the data: more for less, for an epoch has fewer steps there."""
    return math.ceil(count * min(1 / fraction, STRETCH))


def _figures(objective: str, progression: Progression, model: keras.Model) -> dict[str, Any]:
    best = progression.history[progression.best_epoch - 1]
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
