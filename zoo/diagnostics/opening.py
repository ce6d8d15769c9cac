"""Opens trained models: a run of a recipe, or a folder that `Pipeline.save` wrote.

The recipes are another package, which the zoo does not import: it is looked up here by its name,
and only for a run.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras

from zoo import pipelines
from zoo.errors import InputError
from zoo.pipelines.pipeline import FILE

RECIPES = "recipes.opening"  # has `pipeline_of` and `batch_of`, both of a run's folder


class LossOnBatch(NamedTuple):
    """A batch and its loss.

    Attributes:
        name: What tables and pictures call it.
        model: The model.
        inputs: What it takes.
        loss: The model's outputs -> a scalar.
    """

    name: str
    model: keras.Model
    inputs: Any
    loss: Callable[[Any], Any]


def pipeline_of(folder: Path) -> pipelines.Pipeline:
    """The pipeline of a folder that `Pipeline.save` wrote, or of a run's best model.

    Raises:
        InputError: The folder is neither.
    """
    if (folder / FILE).is_file():
        return pipelines.load(folder)
    found: pipelines.Pipeline = _recipes(folder).pipeline_of(folder)
    return found


def batch_of(folder: Path) -> LossOnBatch:
    """A batch of a run's validation data with the recipe's loss.

    Raises:
        InputError: The folder is no run.
    """
    found: LossOnBatch = _recipes(folder).batch_of(folder)
    return found


def _recipes(folder: Path) -> Any:
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder} holds no trained model: give the folder of a run, or one that Pipeline.save "
            "wrote"
        )
    try:
        return importlib.import_module(RECIPES)
    except ModuleNotFoundError as error:
        raise InputError(f"{folder} is a run of a recipe: install the recipes ({error})") from error
