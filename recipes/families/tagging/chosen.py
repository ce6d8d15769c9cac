"""Training once more on train and validation together, with what a run chose by validation.

Once validation has chosen the options, the epoch and the score of O, its sentences are of more use
as sentences to learn from. Nothing is chosen any more: test alone tells what the result is worth.
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
    """The options of a finished run, and what validation chose in it.

    Args:
        recipe: The name of the recipe that asks.
        run: The run's folder.

    Returns:
        Values for the recipe's options. A language model that the run learned is taken over.

    Raises:
        InputError: It is no finished run of this recipe.
    """
    folder = Path(run)
    stored = read_json(folder / "config.json", dict)
    if stored.pop("recipe", recipe) != recipe:
        raise InputError(f"{run} is not a run of {recipe}: give --chosen-by another one")
    metrics = folder / "metrics.json"
    epoch = read_json(metrics, dict).get("best_epoch") if metrics.exists() else None
    if epoch is None:  # `evaluate` writes metrics of an interrupted run as well
        raise InputError(f"{run} is not finished: go on with it by --resume first")
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
        raise DamagedFile(f"{metrics} has no epoch as its best_epoch, but {epoch!r}: {ADVICE}")
    stored |= {"keep_epoch": epoch, "minutes": 0.0}
    if stored.get("unlabelled"):
        stored |= {"unlabelled": "", "context": run}
    if "shift" in stored:
        stored |= {"calibrate": False, "shift": _shift(folder / "history.csv", epoch)}
    return stored


def _shift(history: Path, epoch: int) -> float:
    """What was taken off the score of O in an epoch; 0 where there is no O."""
    text = stored_text(history, missing="give --chosen-by a whole run", advice=ADVICE)
    rows = list(csv.DictReader(text.splitlines()))
    try:
        shift = float(rows[epoch - 1].get("validation_shift", 0.0))
    except (IndexError, TypeError, ValueError) as error:
        raise DamagedFile(f"{history} has no figures of epoch {epoch}: {ADVICE}") from error
    if not math.isfinite(shift):
        raise DamagedFile(f"{history} has {shift} as the shift of epoch {epoch}: {ADVICE}")
    return shift


def joined(splits: Splits[Sentence], run: str) -> Splits[Sentence]:
    """The splits, with validation among train, too, if a run has chosen everything; says so."""
    if not run:
        return splits
    print(
        f"the epoch that {run} chose is kept; validation is trained on, too, so that its metrics "
        "say nothing about new text",
        flush=True,
    )
    return dataclasses.replace(splits, train=[*splits.train, *splits.validation])
