"""Where an exported model comes from and its metrics: JSON files in its `assets.extra` folder.

TensorFlow and its servers leave that folder alone. An export without the file answers as well.
"""

import hashlib
import time
from pathlib import Path
from typing import Any

from recipes.config import read_json, write_json
from recipes.run_files import started_from
from recipes.training.checkpoint import BEST
from zoo import export
from zoo.errors import InputError
from zoo.pretrained.exporting import EXTRA, PROVENANCE
from zoo.system.artefact import METRICS
from zoo.version import VERSION

FILE = EXTRA / PROVENANCE


def weights_hash(run: Path) -> str:
    """The hash of a run's best model: which weights an export has."""
    return hashlib.sha256((run / "checkpoints" / BEST).read_bytes()).hexdigest()


def write(path: Path, recipe: str, config: Any, run: Path) -> None:
    """Stores in a version's folder which `run`, a folder, its model comes from, and its metrics."""
    (path / FILE).parent.mkdir(exist_ok=True)
    start = started_from(run)
    write_json(
        path / FILE,
        {
            "recipe": recipe,
            "architecture": config.architecture,
            "data": config.data,
            "run": str(run),
            "weights_sha256": weights_hash(run),
            **({"init": start["init"], "init_sha256": start["weights_sha256"]} if start else {}),
            "exported": time.strftime("%Y-%m-%d %H:%M:%S"),
            "project_version": VERSION,
        },
    )
    if (run / METRICS).is_file():
        write_json((path / FILE).with_name(METRICS), read_json(run / METRICS))


def read(path: Path) -> dict[str, str]:
    """What is known of an exported model: names and texts, or nothing."""
    if not (path / FILE).is_file():
        return {}
    try:
        stored = read_json(path / FILE)
    except InputError:  # it says nothing about the model, which answers all the same
        return {}
    return {str(k): str(v) for k, v in stored.items()} if isinstance(stored, dict) else {}


def sentence(path: Path) -> str:
    """Which model answers, on one line."""
    known = read(path)
    about = f"model: {path.parent.name}, version {path.name}, {path}"
    if not known:
        return f"{about}; unknown data and date: it was exported without them"
    names = (
        *(("init", "started from"), ("data", "trained on")),
        *(("run", "run"), ("exported", "exported")),
    )
    parts = [f"{text} {' '.join(known[name].split())}" for name, text in names if name in known]
    return "; ".join([about, *parts])


def of_run(run: Path, directory: Path) -> Path | None:
    """The newest version in `saved_models/NAME` that holds the weights of a run's best model."""
    wanted = weights_hash(run)
    for version in reversed(export.versions(directory)):
        path = directory / str(version)
        if read(path).get("weights_sha256") == wanted:
            return path
    return None
