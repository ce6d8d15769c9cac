"""`rnn-zoo convert`: a trained model as a SavedModel, or in another of `zoo.formats`."""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import formats
from zoo.pretrained.places import find
from zoo.system import durable
from zoo.system.artefact import CARD, METRICS, is_artefact, read_config
from zoo.version import VERSION

EXTRA = Path("assets.extra")  # of an exported version: TensorFlow and its servers leave it alone
PROVENANCE = "provenance.json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", help="what zoo.load takes, such as pos-en")
    formats.add_folder(parser)
    formats.add_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Exports a model and says where to; returns the exit status."""
    options = formats.chosen(vars(parsed))
    path = export(parsed.model, parsed.export_dir, parsed.format, **options)
    print(formats.sentence(path, options))
    return 0


def export(
    model: str | Path,
    root: Path | str = formats.ROOT,
    form: str = "savedmodel",
    **options: Any,
) -> Path:
    """Exports a trained model, with what is known of it, as the next version in `root`.

    Args:
        model: What `zoo.load` takes; a run is exported under the name of its recipe.
        root: The folder of all exported models.
        form: One of `zoo.formats.FORMATS`.
        **options: Those of the format: `int8`, `rows`, `steps`.

    Returns:
        The version's folder, such as `saved_models/pos-en/1`.

    Raises:
        InputError: There is no such model, or the format cannot hold it.
        DamagedFile: A file of it is damaged.
        ExportError: What was written answers otherwise than the model; nothing is left behind.
    """
    # it imports TensorFlow, which help does without
    from zoo.pretrained.loading import open_folder, recipes_of

    folder, root = find(model), Path(root)
    if not is_artefact(folder):
        path: Path = recipes_of(folder).exported(folder, root, form, options)
        return path
    pipeline = open_folder(folder)
    path = formats.exported(pipeline, root, folder.name, form, options)
    _describe(path, folder, read_config(folder, verified=False))
    return path


def _describe(path: Path, folder: Path, content: Mapping[str, Any]) -> None:
    """Writes the provenance, the metrics and the card of a saved pipeline into its export."""
    about = content.get("about") or {}
    durable.make_folder(path / EXTRA)
    known = {
        "model": folder.name,
        "recipe": content.get("recipe"),
        "architecture": (content.get("model") or {}).get("name"),
        "data": ", ".join(about.get("data", ())),
        "licence": about.get("licence"),
        "metric": about.get("metric"),
        "examples": about.get("examples"),
        "exported": time.strftime("%Y-%m-%d %H:%M:%S"),
        "project_version": VERSION,
    }
    known = {name: value for name, value in known.items() if value}
    durable.write_json(path / EXTRA / PROVENANCE, known)
    for name in (METRICS, CARD):
        if (folder / name).is_file():
            text = (folder / name).read_text(encoding="utf-8")
            durable.write_text(path / EXTRA / name, text)
