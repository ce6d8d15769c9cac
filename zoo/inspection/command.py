"""The command `inspect`: finds out what a path is, and prints what it has."""

import argparse
import importlib
import json
import re
from pathlib import Path
from typing import Any

from zoo.errors import InputError
from zoo.system import startup

KNOWN = (
    "a SavedModel's folder, an ONNX or LiteRT bundle, a folder that Pipeline.save wrote, or a file "
    ".onnx, .tflite or .keras"
)
# what a folder has -> module and function that read it
FOLDERS = {
    "saved_model.pb": ("saved_model", "inspect"),
    "runtime.json": ("onnx_file", "inspect_bundle"),
    "litert.json": ("litert_file", "inspect_bundle"),
    **dict.fromkeys(
        ("pipeline.json", "model.weights.h5", "model.keras"), ("own_files", "inspect_pipeline")
    ),
}
FILES = {
    ".onnx": ("onnx_file", "inspect"),
    ".tflite": ("litert_file", "inspect"),
    ".keras": ("own_files", "inspect"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("path", metavar="PATH", type=Path, help=KNOWN)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(parsed: argparse.Namespace) -> int:
    """Prints what a path has; returns the exit status.

    Raises:
        InputError: The path is none of `KNOWN`, or it needs a package that is not installed.
        DamagedFile: It is damaged, or a file differs from its checksum.
    """
    found = inspect(parsed.path)
    print(json.dumps(found.as_json(), indent=2) if parsed.json else found)
    return 0


def inspect(path: Path) -> Any:
    """The `Report` of a path; of a folder of versions, that of the newest one.

    Raises:
        InputError: The path is none of `KNOWN`, or it needs a package that is not installed.
        DamagedFile: It is damaged, or a file differs from its checksum.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist: give {KNOWN}")
    place = _newest(path)
    module, function = _reader(place)
    with startup.importing():
        importlib.import_module("zoo").import_models()
        read = getattr(importlib.import_module(f"zoo.inspection.{module}"), function)
    return read(place)


def _newest(path: Path) -> Path:
    """The newest version in a folder of versions, or the path itself."""
    if not path.is_dir() or any((path / name).is_file() for name in FOLDERS):
        return path
    numbers = [int(each.name) for each in path.iterdir() if re.fullmatch(r"[1-9]\d*", each.name)]
    return path / str(max(numbers)) if numbers else path


def _reader(path: Path) -> tuple[str, str]:
    if path.is_dir():
        for name, reader in FOLDERS.items():
            if (path / name).is_file():
                return reader
    elif path.suffix in FILES:
        return FILES[path.suffix]
    raise InputError(f"{path} is no saved or exported model: give {KNOWN}")
