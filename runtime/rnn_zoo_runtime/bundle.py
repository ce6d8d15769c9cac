"""Reads the folder that `pipeline.export_onnx` wrote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_zoo_runtime import files
from rnn_zoo_runtime.errors import DamagedFile, InputError
from rnn_zoo_runtime.graph import Graph
from rnn_zoo_runtime.pipelines import PIPELINES
from rnn_zoo_runtime.pipelines.pipeline import Pipeline
from rnn_zoo_runtime.text import (
    NgramVectorizer,
    SubwordCodec,
    TextCodec,
    TokenVectorizer,
    Vectorizer,
)

FILE = "runtime.json"
FORMAT = 1  # the newest that is read
KEYS = ("pipeline", "options", "text_paths", "graphs")
NUMBERS = "numbers"  # what is known of the numbers that a model reads, where it reads some
TEXT_PATHS: dict[str, Any] = {
    each.__name__: each
    for each in (NgramVectorizer, SubwordCodec, TextCodec, TokenVectorizer, Vectorizer)
}


def load(folder: Path | str, threads: int = 1) -> Any:
    """Loads an exported pipeline: a `Classifier`, `Tagger`, `Writer` or another of this package.

    Args:
        folder: What `export_onnx` returned, or the folder in which it wrote versions `1`, `2`, ...;
            the last one is loaded then.
        threads: Threads of an operation; one is the fastest with small models, two with
            weights of some MB, while a second core is free.

    Raises:
        InputError: There is no bundle, or it is of a newer format.
        DamagedFile: A file is missing or damaged.
    """
    folder = version_of(Path(folder))
    files.verify(folder)
    path = folder / FILE
    content = files.read_json(path)
    found = content.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise InputError(
            f"{path} has the format {found}, this version reads up to {FORMAT}: update "
            "rnn-zoo-runtime"
        )
    missing = [key for key in ("format", *KEYS) if key not in content]
    if missing:
        raise DamagedFile(f"{path} lacks {missing[0]!r}: {files.ADVICE}")
    try:
        return _made(folder, content, threads)
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(f"{path} describes no pipeline ({error!r}): {files.ADVICE}") from error


def version_of(folder: Path) -> Path:
    """The folder of the bundle itself: `folder`, or its newest version.

    Raises:
        InputError: There is neither.
    """
    if (folder / FILE).is_file():
        return folder
    versions = [each for each in folder.glob("*") if each.name.isdecimal()]
    versions = [each for each in versions if (each / FILE).is_file()]
    if not versions:
        raise InputError(f"no {FILE} in {folder}: give a folder that export_onnx wrote")
    return max(versions, key=lambda each: int(each.name))


def _made(folder: Path, content: Mapping[str, Any], threads: int) -> Pipeline:
    """The pipeline that `runtime.json` describes."""
    wrong = [file for file in content["graphs"].values() if Path(file).name != file]
    if wrong:
        raise DamagedFile(f"{folder / FILE} names {wrong[0]!r}, no file of the folder")
    graphs = {name: Graph(folder / file, threads) for name, file in content["graphs"].items()}
    unicode = {"unicode": content["unicode"]} if "unicode" in content else {}
    paths = {
        name: TEXT_PATHS[one["class"]].load(folder, name, **one["options"], **unicode)
        for name, one in content["text_paths"].items()
    }
    options = {**content["options"], **{key: content[key] for key in [NUMBERS] if key in content}}
    made: Pipeline = PIPELINES[content["pipeline"]](graphs, **paths, **options)
    return made
