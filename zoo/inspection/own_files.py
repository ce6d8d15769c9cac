"""Reads `.keras` files and folders of saved pipelines."""

from pathlib import Path
from typing import Any

import keras

from zoo.errors import DamagedFile
from zoo.inspection.report import Report, Signature, Tensor, text_path_sizes
from zoo.pipelines.pipeline import FILE, MODEL
from zoo.system import keras_file, stored

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
    content = stored.read_json(folder / FILE, dict, missing=ADVICE, advice=ADVICE)
    if not isinstance(content.get("text_paths"), dict):
        raise DamagedFile(f"{folder / FILE} describes no pipeline: {ADVICE}")
    _add_model(found, keras_file.load(folder / MODEL, compile=False, advice=ADVICE))
    found.vocabularies = text_path_sizes(folder, content["text_paths"])
    found.details = {"pipeline": content.get("pipeline"), **found.details}
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
