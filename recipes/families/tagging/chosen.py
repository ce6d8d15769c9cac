"""Retrains a tagger on train and validation together, with the options and epoch of another run.

Once options, epoch and the score of O have been chosen on validation, its sentences can be trained
on. The final model is then measured on test alone.
"""

import csv
import dataclasses
import math
from pathlib import Path
from typing import Any

from recipes.config import ADVICE, read_json
from recipes.data.items import Sentence
from recipes.data.splits import Splits
from zoo.errors import DamagedFile, InputError
from zoo.system.stored import read_text as stored_text


def options(recipe: str, run: str) -> dict[str, Any]:
    """Returns the options of a finished run, with the epoch and shift that validation chose.

    The run's language model, if it has one, is reused.

    Raises:
        InputError: The folder holds no finished run of this recipe.
    """
    folder = Path(run)
    stored = read_json(folder / "config.json", dict)
    if stored.pop("recipe", recipe) != recipe:
        raise InputError(f"{run} is not a run of {recipe}: give --chosen-by another one")
    metrics = folder / "metrics.json"
    epoch = read_json(metrics, dict).get("best_epoch") if metrics.exists() else None
    if epoch is None:  # `evaluate` writes metrics of an interrupted run as well
        raise InputError(f"{run} is not finished: finish it with --resume first")
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
        raise DamagedFile(f"{metrics} must have an epoch as best_epoch, got {epoch!r}: {ADVICE}")
    stored |= {"keep_epoch": epoch, "minutes": 0.0}
    if stored.get("unlabelled"):
        stored |= {"unlabelled": "", "context": run}
    if "shift" in stored:
        stored |= {"calibrate": False, "shift": _shift(folder / "history.csv", epoch)}
    return stored


def _shift(history: Path, epoch: int) -> float:
    """Returns the nats by which an epoch lowered the score of O; 0 without a tag O."""
    text = stored_text(
        history, missing="give --chosen-by the folder of a finished run", advice=ADVICE
    )
    rows = list(csv.DictReader(text.splitlines()))
    try:
        shift = float(rows[epoch - 1].get("validation_shift", 0.0))
    except (IndexError, TypeError, ValueError) as error:
        raise DamagedFile(f"{history} has no metrics of epoch {epoch}: {ADVICE}") from error
    if not math.isfinite(shift):
        raise DamagedFile(f"{history} has {shift} as the shift of epoch {epoch}: {ADVICE}")
    return shift


def joined(splits: Splits[Sentence], run: str) -> Splits[Sentence]:
    """Adds validation to train if `run` has chosen the options, and prints that."""
    if not run:
        return splits
    print(
        f"training on train and validation up to the epoch that {run} chose; the metrics of "
        "validation are therefore those of training data",
        flush=True,
    )
    return dataclasses.replace(splits, train=[*splits.train, *splits.validation])
