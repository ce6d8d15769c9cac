"""Reads `.keras` files and folders of saved pipelines."""

from pathlib import Path
from typing import Any

import keras

from zoo.errors import DamagedFile
from zoo.inspection.report import Report, Signature, Tensor, text_path_sizes
from zoo.pipelines import artefact
from zoo.system import keras_file
from zoo.system.artefact import read_config

ADVICE = "save it again, or put back a copy"


def inspect(path: Path) -> Report:
    """Reports what a `.keras` file has; it is loaded without running code from it.

    Raises:
        InputError: Its model cannot be built here.
        DamagedFile: It is damaged, or has content that Keras does not write.
    """
    found = Report("Keras file", path)
    _add_model(found, keras_file.load(path, compile=False, advice=ADVICE))
    return found


def inspect_pipeline(folder: Path) -> Report:
    """Reports what a folder that `Pipeline.save` wrote has.

    Raises:
        InputError: Its model cannot be built here.
        DamagedFile: A file is missing, damaged or differs from its checksum.
    """
    found = Report("saved pipeline", folder)
    content = read_config(folder)
    if not all(isinstance(content.get(key), dict) for key in ("text_paths", "model")):
        raise DamagedFile(f"{folder} describes no pipeline: {ADVICE}")
    _add_model(found, artefact.read_model(folder, content))
    found.vocabularies = text_path_sizes(folder, content["text_paths"])
    known = {key: content[key] for key in ("pipeline", "recipe") if content.get(key)}
    found.details = {**known, **found.details}
    return found


def _add_model(found: Report, model: keras.Model) -> None:
    found.signatures = {"model": Signature(_tensors(model.input), _tensors(model.output))}
    found.parameters = model.count_params()
    found.details = {"class": type(model).__name__, "name": model.name}
    found.vocabularies = {
        f"vocabulary of {layer.name}": layer.vocabulary_size
        for layer in model.layers
        if isinstance(getattr(layer, "vocabulary_size", None), int)
    }


def _tensors(nest: Any) -> list[Tensor]:
    named = (
        nest if isinstance(nest, dict) else {each.name: each for each in keras.tree.flatten(nest)}
    )
    return [
        Tensor(name, keras.backend.standardize_dtype(each.dtype), list(each.shape))
        for name, each in named.items()
    ]
