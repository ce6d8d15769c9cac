"""Where an interrupted run goes on: the whole training state after each epoch, or none of it."""

import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras

from recipes.config import read_json, write_json


@dataclass
class Progression:
    """How far training has come.

    Attributes:
        epoch: Epochs that are finished.
        seconds: Time spent in them.
        best_epoch: The epoch of the best validation score, from 1 up; 0 = none yet.
        best_score: That score; larger is better.
        history: A row of figures for each finished epoch.
    """

    epoch: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: float = float("-inf")
    history: list[dict[str, Any]] = field(default_factory=list)


def save(directory: Path, model: keras.Model, progression: Progression) -> None:
    """Writes model, optimizer and progression as one folder that appears whole.

    The earlier state is taken away only after the new one has its name.

    Args:
        directory: The run's `checkpoints` folder.
        model: A compiled model; its optimizer and the state of its dropout are kept too.
        progression: How far training has come.
    """
    part = directory / ".part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model.save(part / "model.keras")
    write_json(part / "seeds.json", [seed.numpy().tolist() for seed in _seeds(model)])
    state = asdict(progression)
    state["best_score"] = state["best_score"] if progression.best_epoch else None
    write_json(part / "progression.json", state)
    target = directory / f"epoch-{progression.epoch:04d}"
    shutil.rmtree(target, ignore_errors=True)
    os.rename(part, target)
    for other in _states(directory):
        if other != target:
            shutil.rmtree(other)


def save_best(directory: Path, model: keras.Model) -> None:
    """Writes the model that validates best so far: `best.keras`."""
    directory.mkdir(parents=True, exist_ok=True)
    part = directory / "best.part.keras"
    model.save(part, include_optimizer=False)
    os.replace(part, directory / "best.keras")


def load(directory: Path) -> tuple[keras.Model, Progression] | None:
    """Reads the newest state, or gives None where there is none yet."""
    states = _states(directory)
    if not states:
        return None
    stored = read_json(states[-1] / "progression.json")
    if stored["best_score"] is None:
        stored["best_score"] = float("-inf")
    model = keras.models.load_model(states[-1] / "model.keras")
    for seed, value in zip(_seeds(model), read_json(states[-1] / "seeds.json"), strict=True):
        seed.assign(value)
    return model, Progression(**stored)


def _seeds(model: keras.Model) -> list[keras.Variable]:
    """The states of the dropout layers' random numbers, which a `.keras` file leaves out."""
    return [variable for variable in model.variables if "seed_generator" in variable.path]


def _states(directory: Path) -> list[Path]:
    return sorted(directory.glob("epoch-[0-9]*"))
