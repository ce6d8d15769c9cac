"""The folder of a saved pipeline: its files, and the checks before one is loaded.

- `config.json`: the pipeline's class and options, those of its text paths and of its model, the
  recipe that trained it, what is known about it, and the versions that wrote it.
- `model.weights.h5`: the weights, large arrays in float16. A model that `zoo.build` did not make
  has its layers described by Keras instead, in `model.keras`.
- the text paths' files, `metrics.json`, `card.md`.
- `SHA256SUMS`: a checksum of each file.

All are plain files, and nothing in them is code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile, InputError
from zoo.system import checksums, durable, stored
from zoo.version import VERSION

FORMAT = 1
CONFIG, WEIGHTS, MODEL = "config.json", "model.weights.h5", "model.keras"
METRICS, CARD = "metrics.json", "card.md"
OLD = "pipeline.json"  # the configuration of folders before the format had a number
ADVICE = "save the pipeline again, install its package again, or put back a copy"


def is_artefact(folder: Path) -> bool:
    """Whether a folder has the files of a saved pipeline."""
    path = folder / CONFIG
    if not path.is_file():
        return (folder / OLD).is_file()
    with path.open("rb") as file:  # `finish` writes the number first; a run's file has none
        return b'"format"' in file.read(32)


def finish(
    part: Path, content: dict[str, Any], metrics: Mapping[str, Any] | None, card: str
) -> None:
    """Writes the configuration, the metrics, the card and, last, the checksums of all files."""
    durable.write_json(part / CONFIG, {"format": FORMAT, **content})
    if metrics is not None:
        durable.write_json(part / METRICS, metrics)
    if card:
        durable.write_text(part / CARD, card)
    durable.write_text(part / checksums.NAME, checksums.as_text(checksums.of_tree(part)))


def read_config(folder: Path, verified: bool = True) -> dict[str, Any]:
    """The configuration of a saved pipeline, once all files have been compared with their sums.

    Folders of the old form are read, too. Without `verified` only the configuration is compared.

    Raises:
        InputError: There is no saved pipeline, or a newer version wrote it.
        DamagedFile: A file is missing or damaged.
    """
    path = folder / (CONFIG if (folder / CONFIG).is_file() else OLD)
    if not path.is_file():
        raise InputError(f"no pipeline in {folder}: give a folder that Pipeline.save wrote")
    if path.name == OLD:
        checksums.verify_tree(folder, [OLD, MODEL], ADVICE)
        old: dict[str, Any] = stored.read_json(path, dict, missing=ADVICE, advice=ADVICE)
        return {**old, "model": {"file": MODEL}}
    content: dict[str, Any] = stored.read_json(path, dict, missing=ADVICE, advice=ADVICE)
    if "format" not in content:
        raise InputError(f"no pipeline in {folder}: give a folder that Pipeline.save wrote")
    _check_format(content, path)
    if not (folder / checksums.NAME).is_file():
        raise DamagedFile(f"{folder / checksums.NAME} is missing: {ADVICE}")
    model = content.get("model")
    if verified:
        file = MODEL if isinstance(model, dict) and model.get("file") else WEIGHTS
        checksums.verify_tree(folder, [CONFIG, file], ADVICE)
    return content


def _check_format(content: dict[str, Any], path: Path) -> None:
    number = content["format"]
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise DamagedFile(f"{path} has the format {str(number)[:40]}, expected {FORMAT}: {ADVICE}")
    if number > FORMAT:
        versions = content.get("versions")
        writer = versions.get("rnn-zoo") if isinstance(versions, dict) else None
        raise InputError(
            f"{path} has format {number}, written by rnn-zoo {writer or 'of a newer version'}, but "
            f"rnn-zoo {VERSION} reads formats up to {FORMAT}: upgrade with `pip install -U rnn-zoo`"
        )
