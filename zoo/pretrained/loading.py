"""`zoo.load`: a trained pipeline from wherever it is."""

import importlib
import os
from pathlib import Path
from typing import Any

from zoo import pipelines
from zoo.errors import InputError
from zoo.pretrained.places import find
from zoo.system.artefact import is_artefact

RECIPES = "recipes.opening"  # has `pipeline_of`, `exported`, `batch_of`, of a run's folder


def load(name_or_path: str | os.PathLike[str]) -> pipelines.Pipeline:
    """Loads a trained pipeline: text path, model and decoding; it answers when it is called.

    Args:
        name_or_path: A name that `zoo.pretrained()` lists; or the folder of a run of a recipe, such
            as `runs/ner/20260102-030405`, whose best model is loaded; or a folder that
            `Pipeline.save` wrote; or `hf://USER/NAME` or `hf://USER/NAME@REVISION`, a repository
            of the Hugging Face Hub with the files of such a folder (extra `hub`).

    Returns:
        A `Classifier`, `Tagger`, `Writer`, ... of `zoo.pipelines`.

    Raises:
        InputError: There is no such model, or a newer version wrote it.
        DamagedFile: A file of it is missing or damaged.
    """
    return open_folder(find(name_or_path))


def open_folder(folder: Path) -> pipelines.Pipeline:
    """The pipeline of a folder that `Pipeline.save` wrote, or of a run's best model.

    Raises:
        InputError: The folder is neither.
    """
    if is_artefact(folder):
        return pipelines.load(folder)
    found: pipelines.Pipeline = recipes_of(folder).pipeline_of(folder)
    return found


def recipes_of(folder: Path) -> Any:
    """The module of the recipes that opens runs; the zoo does not import it otherwise.

    Raises:
        InputError: The folder is no run, or the recipes are not installed.
    """
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder} holds no trained model: give the folder of a run, or one that Pipeline.save "
            "wrote"
        )
    try:
        return importlib.import_module(RECIPES)
    except ModuleNotFoundError as error:
        raise InputError(f"{folder} is a run of a recipe: install the recipes ({error})") from error
