"""`GET /zoo/models`: what the page shows of each model; TensorFlow Serving has no such list."""

from pathlib import Path, PurePath
from typing import Any

from zoo.errors import InputError
from zoo.saved_model.session import Spec
from zoo.serving.repository import Repository
from zoo.serving.served import Version
from zoo.system import stored

EXTRA = "assets.extra"
# the files of EXTRA that are shown -> key
JSON_FILES = {"provenance.json": "provenance", "metrics.json": "metrics"}
PRIVATE = ("run",)  # of the provenance: a path of the machine that exported
# signatures and inputs by which an export's pipeline is known, where it does not name it
KNOWN = (
    ("Tagger", "tag_tokens", "tokens"),
    ("Translator", "translate", "text"),
    ("ConditionalWriter", "generate", "label"),
    ("Writer", "generate", "prompt"),
    ("Transcriber", "greedy", "values"),
    ("SeriesForecaster", "description", "streams"),
    ("SignalClassifier", "serving_default", "values"),
    ("Classifier", "serving_default", "text"),
)


def listing(repository: Repository) -> Any:
    """All models, in the order of their names."""
    models = [model for _, model in sorted(repository.models.items()) if model.newest]
    return {
        "models": [
            {
                "name": model.name,
                "version": str(newest.number),
                "versions": [str(number) for number in sorted(model.versions)],
                "labels": {label: str(number) for label, number in model.labels.items()},
                "pipeline": pipeline(newest),
                "signatures": {
                    name: {
                        "inputs": [_described(spec) for spec in function.inputs.values()],
                        "outputs": [_described(spec) for spec in function.outputs.values()],
                    }
                    for name, function in newest.functions.items()
                },
                "bytes": size(newest.path),
                **extra(newest.path / EXTRA),
            }
            for model in models
            if (newest := model.newest)
        ]
    }


def pipeline(version: Version) -> str | None:
    """The class of the pipeline that was exported; None if it is not known."""
    named = _json(version.path / EXTRA / "pipeline.json").get("pipeline")
    if isinstance(named, str):
        return named
    for name, signature, given in KNOWN:
        function = version.functions.get(signature)
        if function and given in function.inputs:
            return name
    return None


def size(folder: Path) -> int:
    """The bytes of a version's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def extra(folder: Path) -> dict[str, Any]:
    """Provenance, metrics and card, as far as the export has them; empty otherwise."""
    found: dict[str, Any] = {key: _json(folder / name) for name, key in JSON_FILES.items()}
    known = found["provenance"]
    found["provenance"] = {key: value for key, value in known.items() if key not in PRIVATE}
    if "data" in known:  # a path of the user's machine, or builtin, or tfds:NAME/CONFIG
        data = str(known["data"])
        found["provenance"]["data"] = data if data.startswith("tfds:") else PurePath(data).name
    card = folder / "card.md"
    found["card"] = card.read_text("utf-8", "replace") if card.is_file() else ""
    return found


def _json(path: Path) -> dict[str, Any]:
    """A file's object; empty if it is missing or damaged: the model answers all the same."""
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = stored.read_json(path, dict, missing="")
    except InputError:
        return {}
    return found


def _described(spec: Spec) -> Any:
    axes = None if spec.shape is None else [-1 if size is None else size for size in spec.shape]
    return {"name": spec.name, "dtype": spec.type, "shape": axes}
