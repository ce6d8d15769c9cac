"""Trains a recipe for the runs of a study: one per setting, seed and fraction of train."""

import contextlib
import dataclasses
import hashlib
import json
import math
import shutil
import statistics
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from recipes.config import DataOptions, write_json
from recipes.data.splits import share_of
from recipes.recipe import Recipe
from recipes.run import new_model
from recipes.training import checkpoint, epochs, loop
from recipes.training.checkpoint import Progression
from recipes.training.loop import LARGER_IS_BETTER, SMALLER_IS_BETTER
from zoo.errors import InputError
from zoo.system import durable, memory
from zoo.tuning.storage import Run
from zoo.tuning.trials import StudyError

BATCHING = ("batch_size", "buckets")  # data options that do not change the vocabulary
MOST_EPOCHS = 4  # largest factor by which a smaller fraction of the data has more epochs
CACHED = 4  # prepared data sets in memory
SIZES = 1_000  # cached sizes of data sets
PAUSE = 10.0  # seconds between checkpoints
CALLS = 20  # timed calls of a model with one example


class Trainings:
    """Trains and measures runs of a recipe; runs with the same data options share the data.

    Args:
        recipe: The recipe to train.
        fixed: Options with one value.
        directory: Folder for vocabularies; no other process may use it at the same time.
        objective: The validation metric that chooses epochs and settings; by default the recipe's.
    """

    def __init__(
        self, recipe: Recipe, fixed: dict[str, Any], directory: Path, objective: str | None = None
    ) -> None:
        self.recipe, self.fixed, self.directory = recipe, fixed, directory
        self.objective = objective
        self._splits, self._prepared, self._sizes = Recent(1), Recent(CACHED), Recent(SIZES)

    def config(self, run: Run) -> Any:
        """Returns a run's configuration."""
        given = {**self.fixed, **run.values, "seed": run.seed, "train_fraction": run.fraction}
        config = self.recipe.configured(given)
        counts = [(name, getattr(config, name)) for name in ("epochs", "patience")]
        scaled = {name: scaled_epochs(n, run.fraction) for name, n in counts if n is not None}
        return dataclasses.replace(config, **scaled)

    def __call__(self, run: Run) -> dict[str, Any]:
        """Trains or resumes a run and returns its results."""
        if run.epochs is None:  # no later run resumes an earlier one
            tidy(run.directory.parents[1])
        config = self.config(run)
        durable.make_folder(run.directory)
        log = (run.directory / "log.txt").open("a", encoding="utf-8")
        with log, contextlib.redirect_stdout(log):
            return self._measured(run, config)

    @memory.graphs_released()
    def _measured(self, run: Run, config: Any) -> dict[str, Any]:
        recipe = self.recipe
        with memory.for_training():
            recipe.check(config)
        keras.backend.clear_session()
        keras.utils.set_random_seed(config.seed)
        config = self.settled(config, run.values)
        prepared = self.data(config, run.values)
        keras.utils.set_random_seed(config.seed)  # the same whether or not the data was cached
        objective = self.objective or recipe.objective(config)
        write_json(
            run.directory / "config.json", {"recipe": recipe.name, **dataclasses.asdict(config)}
        )
        states = run.directory / "checkpoints"
        if run.start and not states.exists():
            part = run.directory / "checkpoints.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(run.start / "checkpoints", part)
            durable.publish(part, states)
        stored = checkpoint.load(states)
        model, progression = stored or (new_model(recipe, config, prepared), Progression())
        last = scaled_epochs(run.epochs, run.fraction) if run.epochs else config.epochs
        progression = loop.train(
            model,
            recipe.epochs(model, config, prepared),
            lambda trained: _led_by(objective, recipe.validate(trained, config, prepared)),
            dataclasses.replace(config, epochs=last),
            run.directory,
            progression,
            pause=PAUSE,
        )
        results = _results(objective, progression, model)
        if run.timed:
            results["latency_ms"] = latency(model, recipe.one_example(model, config, prepared))
        return results

    def settled(self, config: Any, searched: Collection[str] = ()) -> Any:
        """Completes a run's configuration with the options that follow from the size of train.

        `searched` names the options that differ between the study's settings.
        """
        key = dataclasses.replace(self.recipe.data_of(config), **dict.fromkeys(BATCHING, 1))
        size = self._sizes.get(key, lambda: epochs.size_of(self._part(config, searched).train))
        return epochs.settled(config, size)

    def data(self, config: Any, searched: Collection[str] = ()) -> Any:
        """Returns the data prepared for a run's configuration, which is cached by data options.

        Raises:
            StudyError: The data cannot be read by any run.
            InputError: The data cannot be read with the searched options of this run.
        """
        data = self.recipe.data_of(config)

        def prepare() -> Any:
            part = self._part(config, searched)
            directory = self.directory / _place(data)
            durable.make_folder(directory)
            with self._fatal_unless(searched):
                return self.recipe.prepare(data, part, directory)

        return self._prepared.get(data, prepare)

    def _part(self, config: Any, searched: Collection[str]) -> Any:
        """Returns the splits with a fraction of train."""
        data = self.recipe.data_of(config)
        key = dataclasses.replace(data, train_fraction=1.0, **dict.fromkeys(BATCHING, 1))

        def load() -> Any:
            with self._fatal_unless(searched):
                return self.recipe.load(data)

        splits = self._splits.get(key, load)
        return share_of(splits, data.train_fraction, data.split_seed)

    @contextlib.contextmanager
    def _fatal_unless(self, searched: Collection[str]) -> Iterator[None]:
        """Turns an error of the data into a StudyError, unless a searched option chooses data."""
        try:
            yield
        except InputError as error:
            names = {field.name for field in dataclasses.fields(self.recipe.data_options)}
            if names & set(searched):
                raise
            raise StudyError(str(error)) from error


class Recent:
    """A cache of the `size` values created last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """Returns the value of a key, which `make` creates if it is missing."""
        if key not in self._values:
            while len(self._values) >= self._size:  # before the new one needs memory
                del self._values[next(iter(self._values))]
            self._values[key] = make()
        return self._values[key]


def _place(data: DataOptions) -> str:
    """Returns the name of the folder of vocabularies for some data options."""
    options = dataclasses.asdict(data)
    key = {name: value for name, value in options.items() if name not in BATCHING}
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]


def _led_by(objective: str, results: dict[str, Any]) -> dict[str, Any]:
    """Returns the metrics of validation, the objective first: it chooses the best epoch.

    Raises:
        StudyError: The data has no such metric.
    """
    if objective not in results:
        names = [name for name in results if name in (*SMALLER_IS_BETTER, *LARGER_IS_BETTER)]
        raise StudyError(
            f"validation has no {objective}, but {', '.join(names)}: give --objective one of them"
        )
    return {objective: results[objective], **results}


def tidy(trials: Path) -> None:
    """Deletes the checkpoints of finished runs."""
    for result in trials.glob("*/*/result.json"):
        shutil.rmtree(result.with_name("checkpoints"), ignore_errors=True)


def scaled_epochs(count: int, fraction: float) -> int:
    """Returns the epochs for a fraction of train: more for less, as its epochs have fewer steps."""
    return math.ceil(count * min(1 / fraction, MOST_EPOCHS))


def _results(objective: str, progression: Progression, model: keras.Model) -> dict[str, Any]:
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


def latency(model: keras.Model, inputs: Any) -> float:
    """Returns the median time of 20 calls with one example, in milliseconds."""
    one = tf.nest.map_structure(tf.convert_to_tensor, inputs)
    call = tf.function(lambda batch: model(batch, training=False), autograph=False)
    call(one)
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call(one)
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds) * 1000, 3)
