"""Trained runs for `zoo.load`, `rnn-zoo convert` and the diagnostics, which import this late."""

import io
from pathlib import Path
from typing import Any

from recipes import registry
from recipes.config import read_json
from recipes.run import CONFIG, Run
from zoo.diagnostics.opening import LossOnBatch
from zoo.errors import DamagedFile
from zoo.pipelines import Pipeline


def run_of(folder: Path) -> Run:
    """The run in a folder, of whichever recipe.

    Raises:
        InputError: There is none, or its recipe is not known.
    """
    stored: dict[str, Any] = read_json(folder / CONFIG, dict)
    name = stored.get("recipe")
    if not isinstance(name, str):
        raise DamagedFile(f"{folder / CONFIG} names no recipe: give the folder of a run")
    return Run.open(registry.find(name), folder)


def pipeline_of(folder: Path) -> Pipeline:
    """The pipeline of a run's best model."""
    run = run_of(folder)
    return run.recipe.pipeline(run.best_model(), run.config, folder)


def exported(folder: Path, root: Path, form: str, options: dict[str, Any]) -> Path:
    """Exports a run's best model, as `export` of its recipe does; returns the version's folder."""
    return run_of(folder).export(root, form=form, file=io.StringIO(), **options)


def batch_of(folder: Path) -> LossOnBatch:
    """The recipe's loss on the first batch of a run's validation data."""
    run = run_of(folder)
    model = run.best_model()
    with run.alone():
        prepared = run.load_data()
    return LossOnBatch(str(folder), *run.recipe.batch_loss(model, run.config, prepared))
