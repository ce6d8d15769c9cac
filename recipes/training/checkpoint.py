"""Where an interrupted run goes on: the whole training state after each epoch, or none of it.

`checkpoints/epoch-0003` holds the model with its optimizer, the random numbers, the progression,
the best model so far and the checksums of all of them. The folder gets its name once all of it is
on the disk. The one before is kept too, for the case that the newest is damaged later.
"""

import json
import math
import shutil
import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import keras

from recipes.config import read_json
from zoo.errors import DamagedFile
from zoo.system import checksums, durable, keras_file

BEST = "best.keras"
MODEL = "model.keras"
SEEDS = "seeds.json"
PROGRESSION = "progression.json"
KEPT = 2  # whole states


@dataclass
class Progression:
    """How far training has come.

    Attributes:
        epoch: Epochs that are finished.
        seconds: Time spent in them.
        best_epoch: The epoch of the best validation score, from 1 up; 0 = none yet.
        best_score: That score; larger is better.
        history: A row of metrics for each finished epoch.
    """

    epoch: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: float = float("-inf")
    history: list[dict[str, Any]] = field(default_factory=list)


def save(directory: Path, model: keras.Model, progression: Progression) -> None:
    """Writes model, optimizer, progression and the best model as one folder that appears whole.

    Of the earlier states in the run's `checkpoints` folder the last one is kept. States of later
    epochs are deleted: training went on from an earlier one, because they were damaged. The
    optimizer of the compiled model and the state of its dropout are kept too.
    """
    durable.make_folder(directory)
    part = directory / ".part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    model.save(part / MODEL)
    _write(part / SEEDS, [seed.numpy().tolist() for seed in _seeds(model)])
    state = asdict(progression)
    state["best_score"] = state["best_score"] if progression.best_epoch else None
    _write(part / PROGRESSION, state)
    if (directory / BEST).exists():
        shutil.copyfile(directory / BEST, part / BEST)
    sums = checksums.as_text(checksums.of_tree(part))
    (part / checksums.NAME).write_text(sums, encoding="utf-8")
    target = _folder(directory, progression.epoch)
    shutil.rmtree(target, ignore_errors=True)
    durable.publish(part, target)
    states = _states(directory)
    place = states.index(target)
    for other in [*states[: max(0, place + 1 - KEPT)], *states[place + 1 :]]:
        shutil.rmtree(other)


def _write(path: Path, content: Any) -> None:
    """Writes JSON into a folder that is synced as a whole."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def save_best(directory: Path, model: keras.Model) -> None:
    """Writes the model that validates best so far: `best.keras`."""
    durable.make_folder(directory)
    with durable.replacing(directory / BEST, checked=True) as part:
        model.save(part, include_optimizer=False)


def restore_best(directory: Path, epoch: int) -> None:
    """Makes `best.keras` the best model as of the state that training goes on from.

    That is the state of `epoch`, 0 = none. A run that was cut off after it wrote a better model,
    but before it wrote the state of that epoch, would otherwise end with a model that its history
    does not know.
    """
    stored, best = _folder(directory, epoch) / BEST, directory / BEST
    if stored.exists() and not (best.exists() and _same(stored, best)):
        with durable.replacing(best, checked=True) as part:
            shutil.copyfile(stored, part)


def _same(one: Path, other: Path) -> bool:
    same_size = one.stat().st_size == other.stat().st_size
    return same_size and checksums.digest(one) == checksums.digest(other)


def load_best(directory: Path) -> keras.Model:
    """The model that validated best, not compiled.

    If `best.keras` is damaged, the copy in the newest state is read instead, and a line says so.

    Raises:
        InputError: There is none, or none that is whole.
    """
    path = directory / BEST
    try:
        return keras_file.load(path, compile=False)
    except DamagedFile as error:
        fault = error
    for state in reversed(_states(directory)):
        copy = state / BEST
        if copy.exists() and checksums.digest(copy) in checksums.recorded(state).get(BEST, []):
            print(f"{fault}; {copy} is used instead", file=sys.stderr, flush=True)
            return keras_file.load(copy, compile=False)
    raise fault


def load(directory: Path) -> tuple[keras.Model, Progression] | None:
    """Reads the newest state that is whole, if there is one; a line says what is wrong with others.

    Raises:
        InputError: There are states and all of them are damaged, or the newest whole one holds a
            model that cannot be built here.
    """
    faults: list[DamagedFile] = []
    for folder in reversed(_states(directory)):
        try:
            found = _read(folder)
        except DamagedFile as error:
            faults.append(error)
            continue
        for fault in faults:
            print(f"{fault}: going on from {folder}", file=sys.stderr, flush=True)
        return found
    if faults:
        raise DamagedFile(
            f"no state in {directory} is whole ({faults[0]}): put back a copy, or train again with "
            "another --run-dir"
        )
    return None


def _read(folder: Path) -> tuple[keras.Model, Progression]:
    checksums.verify_tree(folder, (MODEL, SEEDS, PROGRESSION))
    progression = _progression(folder / PROGRESSION)
    seeds = _numbers(folder / SEEDS)
    model = keras_file.load(folder / MODEL, advice="the state cannot be used")
    variables = _seeds(model)
    if [len(seed) for seed in seeds] != [variable.shape[0] for variable in variables]:
        raise DamagedFile(
            f"{folder / SEEDS} does not fit the model's {len(variables)} random generators"
        )
    for variable, value in zip(variables, seeds, strict=True):
        variable.assign(value)
    return model, progression


def _numbers(path: Path) -> list[list[int]]:
    """The states of random generators: two ints each."""
    found = read_json(path, list, "it is damaged")
    for state in found:
        if not isinstance(state, list) or not all(_is_int(n) and 0 <= n < 2**32 for n in state):
            raise DamagedFile(f"{path} is damaged: {str(state)[:40]} is no state of a generator")
    return list(found)


def _progression(path: Path) -> Progression:
    stored = read_json(path, dict, "it is damaged")
    names = [entry.name for entry in fields(Progression)]
    if sorted(stored) != sorted(names):
        raise DamagedFile(f"{path} is damaged: it needs {', '.join(names)}, got {list(stored)}")
    epoch, best, history = stored["epoch"], stored["best_epoch"], stored["history"]
    rows = isinstance(history, list) and all(isinstance(row, dict) for row in history)
    score = -math.inf if stored["best_score"] is None else stored["best_score"]
    numbers = all(
        isinstance(n, int | float) and not isinstance(n, bool) for n in (score, stored["seconds"])
    )
    if (
        not (rows and numbers and _is_int(epoch) and _is_int(best) and 0 <= best <= epoch)
        or len(history) not in (0, epoch)
        or [row.get("epoch") for row in history] != list(range(1, len(history) + 1))
        or math.isnan(score)
        or not 0 <= stored["seconds"] < math.inf
    ):
        raise DamagedFile(f"{path} is damaged: its entries do not fit each other")
    return Progression(**{**stored, "best_score": score})


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seeds(model: keras.Model) -> list[keras.Variable]:
    """The states of the dropout layers' random numbers, which a `.keras` file leaves out."""
    return [variable for variable in model.variables if "seed_generator" in variable.path]


def _folder(directory: Path, epoch: int) -> Path:
    return directory / f"epoch-{epoch:04d}"


def _states(directory: Path) -> list[Path]:
    """The folders of states, in the order of their epochs."""
    found = [path for path in directory.glob("epoch-*") if path.name[6:].isdecimal()]
    return sorted(found, key=lambda path: int(path.name[6:]))
