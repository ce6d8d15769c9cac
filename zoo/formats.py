"""The formats of `export --format`: for each a folder's ending, its options and what writes it.

Help needs no TensorFlow.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import InputError

if TYPE_CHECKING:
    from zoo.pipelines import Pipeline


@dataclass(frozen=True)
class Format:
    """A format of exported models.

    Attributes:
        ending: What the folder's name has after the model's.
        summary: What it is, for `--help`.
        write: The pipeline, the folder of the versions, the model's name, the options -> the
            version's folder.
        options: The options of `export` that it takes.
    """

    ending: str
    summary: str
    write: Callable[..., Path]
    options: tuple[str, ...] = ()


def _savedmodel(pipeline: "Pipeline", folder: Path, name: str) -> Path:
    return pipeline.export(folder)


def _onnx(pipeline: "Pipeline", folder: Path, name: str, **options: Any) -> Path:
    return pipeline.export_onnx(folder, **options)


def _triton(pipeline: "Pipeline", folder: Path, name: str, **options: Any) -> Path:
    return pipeline.export_triton(folder, name, **options)


def _litert(pipeline: "Pipeline", folder: Path, name: str, **options: Any) -> Path:
    return pipeline.export_litert(folder, **options)


FORMATS = {
    "savedmodel": Format("", "for TensorFlow and its server, in NAME", _savedmodel),
    "onnx": Format("-onnx", "graphs for ONNX Runtime, in NAME-onnx", _onnx, ("int8",)),
    "triton": Format("-triton", "a model repository of them, in NAME-triton", _triton, ("int8",)),
    "litert": Format(
        "-litert",
        "graphs of fixed sizes for small devices, in NAME-litert",
        _litert,
        ("int8", "rows", "steps"),
    ),
}
OPTIONS = ("int8", "rows", "steps")
ROOT = Path("saved_models")
LITERT_SIZES = {"rows": ("rows of a batch", 1), "steps": ("tokens or values of a row", 64)}


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Adds the option of the folder of all exported models."""
    parser.add_argument("--export-dir", type=Path, default=ROOT, help="folder of NAME/VERSION")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--format` and the options of the formats."""
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        default="savedmodel",
        help="; ".join(f"{name}: {each.summary}" for name, each in FORMATS.items()),
    )
    parser.add_argument(
        "--int8", action="store_true", help="weights of eight bits, of onnx, triton and litert"
    )
    for name, (text, default) in LITERT_SIZES.items():
        text = f"{text}, of litert (default: {default})"
        parser.add_argument(f"--{name}", type=int, metavar="N", help=text)


def chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `OPTIONS` among parsed options."""
    return {name: options[name] for name in OPTIONS}


def exported(
    pipeline: "Pipeline", root: Path, name: str, form: str, options: Mapping[str, Any]
) -> Path:
    """Writes a pipeline in one of `FORMATS` and returns the version's folder.

    Args:
        pipeline: The pipeline.
        root: The folder of all exported models.
        name: The model's name, such as that of its recipe.
        form: The format's name.
        options: Those of `OPTIONS` that are given; None and False count as not given.

    Raises:
        InputError: The format does not take an option.
    """
    given = {key: value for key, value in options.items() if value not in (None, False)}
    for key in given:
        if key not in FORMATS[form].options:
            others = [other for other, each in FORMATS.items() if key in each.options]
            *most, last = others
            listed = f"{', '.join(most)} and {last}" if most else last
            raise InputError(f"--{key} is for --format {listed}: leave it out, or give one")
    return FORMATS[form].write(pipeline, root / f"{name}{FORMATS[form].ending}", name, **given)


def sentence(path: Path, options: Mapping[str, Any]) -> str:
    """What is printed of an exported version."""
    same = "int8: other answers by rounding" if options.get("int8") else "same answers"
    return f"exported: {path} (loaded in a fresh process, {same})"
