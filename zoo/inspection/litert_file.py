"""Reads LiteRT files (`.tflite`) and bundles of them; needs the package `ai-edge-litert`."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import DamagedFile, require_package
from zoo.inspection.report import ADVICE, Report, Signature, Tensor, text_path_sizes
from zoo.system import stored

BUNDLE = "litert.json"


def inspect(path: Path) -> Report:
    """Reports what a LiteRT file has.

    Raises:
        InputError: The package `ai-edge-litert` is not installed.
        DamagedFile: It is no LiteRT file, or differs from its checksum.
    """
    found, interpreter = Report("LiteRT file", path), _interpreter(path)
    found.signatures = _signatures(interpreter)
    found.details = {"ops": sorted({each["op_name"] for each in interpreter._get_ops_details()})}
    return found


def inspect_bundle(folder: Path) -> Report:
    """Reports what a folder that `export_litert` wrote has.

    Raises:
        InputError: The package `ai-edge-litert` is not installed.
        DamagedFile: A file is missing, damaged or differs from its checksum.
    """
    found = Report("LiteRT bundle", folder)
    content = stored.read_json(folder / BUNDLE, dict, missing=ADVICE, advice=ADVICE)
    for name, file in content.get("graphs", {}).items():
        for signature in _signatures(_interpreter(folder / file)).values():
            found.signatures[name] = signature
    found.vocabularies = text_path_sizes(folder, content.get("text_paths", {}))
    found.details = {
        key: content[key] for key in ("pipeline", "rows", "steps", "states") if key in content
    }
    return found


def _interpreter(path: Path) -> Any:
    litert = require_package("ai_edge_litert.interpreter", "litert", "reading LiteRT files")
    try:
        return litert.Interpreter(str(path))
    except (ValueError, RuntimeError) as error:
        raise DamagedFile(f"{path} is damaged or not a LiteRT file: {ADVICE}") from error


def _signatures(interpreter: Any) -> dict[str, Signature]:
    found = {}
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        sides = (runner.get_input_details(), runner.get_output_details())
        found[name] = Signature(*([_tensor(*item) for item in side.items()] for side in sides))
    if not found:  # written without signatures
        lists = (interpreter.get_input_details(), interpreter.get_output_details())
        own = ([_tensor(each["name"], each) for each in side] for side in lists)
        found["model"] = Signature(*own)
    return found


def _tensor(name: str, details: dict[str, Any]) -> Tensor:
    shape = [None if size < 0 else int(size) for size in details["shape_signature"]]
    return Tensor(name, np.dtype(details["dtype"]).name, shape)
