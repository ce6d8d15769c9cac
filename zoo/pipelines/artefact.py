"""Writes and reads the model of a saved pipeline; `zoo.system.artefact` describes the folder."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo import blueprint
from zoo.architectures.rebuilding import copied, rebuilt
from zoo.blueprint import Blueprint
from zoo.errors import DamagedFile, InputError
from zoo.system import keras_file, memory, weights_file
from zoo.system.artefact import ADVICE, CONFIG, MODEL, WEIGHTS
from zoo.version import VERSION


def write(part: Path, pipeline: Any) -> dict[str, Any]:
    """Writes a pipeline's model and text paths into a folder; returns its configuration."""
    described = {}
    for name, path in pipeline.text_paths.items():
        path.save(part, name)
        described[name] = {"class": type(path).__name__, "options": path.get_config()}
    versions = {"rnn-zoo": VERSION, "keras": keras.__version__, "tensorflow": tf.__version__}
    return {
        "pipeline": type(pipeline).__name__,
        "options": pipeline.options,
        "text_paths": described,
        "model": _write_model(part, pipeline.model),
        "versions": versions,
    }


def _write_model(part: Path, model: keras.Model) -> dict[str, Any]:
    """Writes a model's weights, or all of it; returns its entry in the configuration."""
    plan = blueprint.of(model)
    made = copied(model, plan) if plan else None
    if plan is None or made is None:
        model.save(part / MODEL, include_optimizer=False)
        return {"file": MODEL}
    weights_file.save(made, part / WEIGHTS)
    return plan.as_json()


def read_model(folder: Path, content: dict[str, Any]) -> keras.Model:
    """The model of a saved pipeline whose configuration is `content`.

    Raises:
        InputError: The model cannot be built here.
        DamagedFile: A file is damaged, or has content that the project does not write.
    """
    described = content["model"]
    if described.get("file"):
        return keras_file.load(folder / MODEL, compile=False, advice=ADVICE)
    plan, path = Blueprint(described["name"], dict(described["options"])), folder / WEIGHTS
    parameters = weights_file.size(path, ADVICE)
    try:
        with memory.counting((parameters + keras_file.SLACK) * memory.ITEM, blank=True):
            model = rebuilt(plan)
    except InputError as error:
        raise InputError(
            f"{folder / CONFIG} describes a model that cannot be built here ({error}): register "
            "its cells and its architecture, or use the version of rnn-zoo that wrote it"
        ) from error
    except (TypeError, ValueError) as error:
        raise DamagedFile(
            f"{folder / CONFIG} describes no model ({keras_file.first_line(error)}): {ADVICE}"
        ) from error
    weights_file.load(model, path, ADVICE)
    return model
