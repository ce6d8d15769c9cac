"""The one flow that all recipes share: data -> train -> evaluate -> export -> predictions."""

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf

from recipes import checkpoint, figures, metrics, training
from recipes.checkpoint import Progression
from recipes.config import (
    TrainingConfig,
    configured,
    differences,
    from_mapping,
    read_json,
    write_json,
)
from recipes.precision import in_precision
from recipes.sources.share import share_of
from recipes.team import team_of
from zoo.errors import InputError

RUNS = Path("runs")
# what may change when a run is resumed: it does not change what the finished epochs gave
FREE_ON_RESUME = ("epochs", "minutes", "patience", "download", "strategy", "accumulate")


def new_directory(name: str) -> Path:
    """A folder for a new run: `runs/NAME/` and the time."""
    stem = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
        directory = RUNS / name / (stem + suffix)
        if not directory.exists():
            return directory
    raise InputError(f"{RUNS / name} is full of runs of this second: give --run-dir")


def latest_directory(name: str) -> Path:
    """The run that was begun last, or an error that says how to begin one."""
    found = sorted((RUNS / name).glob("*/config.json"))
    if not found:
        raise InputError(f"no run in {RUNS / name}: train first, or give --run-dir")
    return found[-1].parent


def load_config(task: ModuleType, directory: Path) -> TrainingConfig:
    """The configuration of a run."""
    stored = read_json(directory / "config.json")
    if stored.pop("recipe", task.NAME) != task.NAME:
        raise InputError(f"{directory} is not a run of {task.NAME}: give another --run-dir")
    config: TrainingConfig = from_mapping(task.Config, stored)
    return config


def options_of(task: ModuleType, path: Path) -> dict[str, Any]:
    """The options that a JSON file gives: `best.json` of a study, `config.json` of a run.

    Raises:
        InputError: It is no such file, or one of another recipe.
    """
    stored = read_json(path)
    if not isinstance(stored, dict):
        raise InputError(f'{path} holds no options: give JSON such as {{"units": 64}}')
    if stored.pop("recipe", task.NAME) != task.NAME:
        raise InputError(f"{path} is not of the recipe {task.NAME}: give another --config")
    return stored


def begin(task: ModuleType, given: dict[str, Any], directory: Path | None) -> tuple[Any, Path]:
    """The configuration and the folder of a new run."""
    config = configured(task, given)
    team = team_of(config.strategy)
    task.check(config)
    if config.strategy == "multiworker" and not directory:
        raise InputError("--strategy multiworker needs a --run-dir that all processes see")
    directory = directory or new_directory(task.NAME)
    if team.is_chief and (directory / "config.json").exists():
        raise InputError(
            f"{directory} holds a run already: go on with it by --resume, or give another --run-dir"
        )
    return config, directory


def resume(task: ModuleType, given: dict[str, Any], directory: Path | None) -> tuple[Any, Path]:
    """Takes up an interrupted run; what shaped its finished epochs cannot change."""
    directory = directory or latest_directory(task.NAME)
    config = load_config(task, directory)
    # a rate that falls over all epochs is another one where there are more of them
    names = [name for name in FREE_ON_RESUME if name != "epochs" or config.decay == "none"]
    changed = differences(config, given, names)
    if changed:
        raise InputError(f"a resumed run keeps its options; without {', '.join(changed)}, please")
    free = {name: value for name, value in given.items() if name in names}
    return dataclasses.replace(config, **free), directory


def train(task: ModuleType, config: Any, directory: Path) -> Any:
    """Trains a run from its beginning or from its last finished epoch.

    Returns:
        What the task prepared, for the verbs that follow.
    """
    team = team_of(config.strategy)
    keras.utils.set_random_seed(config.seed)
    with team.chief_first():
        try:
            prepared = load_data(task, config, directory)
        except KeyboardInterrupt:
            if team.is_chief and directory.exists():  # what was prepared so far can be taken up
                _write_config(task, config, directory)
            raise
    if team.is_chief:
        _write_config(task, config, directory)
    states = directory / "checkpoints"
    stored = checkpoint.load(states)
    if stored:
        model, progression = stored
        print(f"resumed after epoch {progression.epoch}")
    else:
        with in_precision(config.precision):
            model, progression = task.build(config, prepared), Progression()
    print(f"model: {config.architecture}, {model.count_params():,} parameters", flush=True)
    progression = training.train(
        model,
        task.epochs(model, prepared),
        lambda trained: task.validate(trained, prepared),
        config,
        directory,
        progression,
    )
    if team.is_chief:
        curves = directory / "curves.png"
        figures.learning_curves(progression.history, progression.best_epoch, curves)
        metrics.write(directory, metrics.of_training(model, prepared, progression))
    return prepared


def _write_config(task: ModuleType, config: Any, directory: Path) -> None:
    write_json(directory / "config.json", {"recipe": task.NAME, **dataclasses.asdict(config)})


def load_data(task: ModuleType, config: Any, directory: Path) -> Any:
    """Loads and prepares the data, and tells what it is; the run's folder is made only then."""
    start = time.monotonic()
    splits = share_of(task.load(config), config.train_fraction, config.split_seed)
    directory.mkdir(parents=True, exist_ok=True)
    prepared = task.prepare(config, splits, directory)
    sizes = {name: len(batches.encoded) for name, batches in prepared.batches.items()}
    counts = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    print(f"data: {config.data}: {counts}; ready in {time.monotonic() - start:.0f} s", flush=True)
    print(prepared.summary, flush=True)
    return prepared


def evaluate(task: ModuleType, config: Any, directory: Path, prepared: Any = None) -> None:
    """Measures the best model of a run on validation and test."""
    model = best_model(directory)
    prepared = prepared or load_data(task, config, directory)
    scores = task.evaluate(model, prepared, directory)
    metrics.write(directory, scores)
    for split, values in scores.items():
        print(f"{split}: {metrics.told(values)}")


def best_model(directory: Path) -> keras.Model:
    """The model of a run that validated best."""
    path = directory / "checkpoints" / "best.keras"
    if not path.exists():
        raise InputError(f"{directory} holds no trained model: train first, or give --run-dir")
    return keras.models.load_model(path, compile=False)


def export_run(task: ModuleType, config: Any, directory: Path, export_root: Path) -> Path:
    """Exports the best model of a run as the next version."""
    model = best_model(directory)
    path: Path = task.export(model, config, directory, export_root / task.NAME)
    print(f"exported: {path} (loaded in a fresh process, same answers)")
    return path


def predict(
    task: ModuleType,
    texts: Sequence[str],
    path: Path,
    as_json: bool = False,
    how: dict[str, Any] | None = None,
) -> None:
    """Answers with an exported model; `how` are the options that the recipe's answers have."""
    served = tf.saved_model.load(str(path))
    for row in task.answer(served.signatures, texts, task.Answering(**how or {})):
        if as_json:
            print(json.dumps(row, ensure_ascii=False), flush=True)
        else:
            print(task.line(row), flush=True)


def _pictured(directory: Path) -> list[str]:
    """The files of a run that are for people."""
    names = ("config.json", "metrics.json", "history.csv", "curves.png", "confusion.png")
    return [name for name in names if (directory / name).exists()]


def run(task: ModuleType, config: Any, directory: Path, export_root: Path) -> None:
    """The whole job: train, evaluate, export, a few predictions; tells where everything lies."""
    prepared = train(task, config, directory)
    if not team_of(config.strategy).is_chief:
        return
    evaluate(task, config, directory, prepared)
    path = export_run(task, config, directory, export_root)
    print("predictions of the exported model:")
    predict(task, task.examples(config, prepared), path)
    print(f"run: {directory} ({', '.join(_pictured(directory))})")
    print(f'model: {path}; ask it with: python -m recipes {task.NAME} predict "your text"')
