"""The visible surface: comparison of what is there now with what `surface.json` recorded.

In a golden value a dict may gain keys but not lose any; everything else must stay equal.
`python -m tests.test_surface` records what is new and never changes what was recorded.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.artefacts import assert_stored

GOLDEN = Path(__file__).with_name("surface.json")
PROVENANCE = "assets.extra/provenance.json"
RECORD = "RECORD_SURFACE"  # the environment variable that makes the tests record what is new


def recording() -> bool:
    """Whether the tests record what is new."""
    return RECORD in os.environ


def read() -> dict[str, Any]:
    """Returns the recorded surface: section -> name -> value."""
    if recording() and not GOLDEN.exists():
        return {}
    content: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return content


def names(section: str, current: Any) -> list[str]:
    """Returns the names of a section to test: the recorded ones; when recording, new ones too."""
    known = list(read().get(section, {}))
    return known + [name for name in current if recording() and name not in known]


def assert_kept(section: str, name: str, found: Any) -> None:
    """Asserts that nothing recorded under a section and a name is lost or different."""
    found = json.loads(json.dumps(found, default=str))
    golden = read()
    if recording():
        part = golden.setdefault(section, {})
        part[name] = merged(part[name], found) if name in part else found
        GOLDEN.write_text(printed(golden) + "\n", encoding="utf-8")
    changes = differences(golden[section][name], found, f"{section}: {name}")
    assert not changes, "\n".join(changes)


def differences(golden: Any, found: Any, place: str) -> list[str]:
    """Returns a sentence for each recorded value that is lost or different."""
    if not isinstance(golden, dict) or not isinstance(found, dict):
        same = golden == found or _need_not_be_given_any_more(golden, found)
        return [] if same else [f"{place} was {golden!r} and is {found!r}"]
    changes = []
    for key, value in golden.items():
        if key in found:
            changes += differences(value, found[key], f"{place} > {key}")
        else:
            changes.append(f"{place} > {key} is lost")
    return changes


def _need_not_be_given_any_more(golden: Any, found: Any) -> bool:
    """Whether an option that was required may now be left out: every call still works."""
    is_required = isinstance(golden, list) and golden[1:] == ["required"]
    return is_required and found == [f"{golden[0]} | None", "None"]


def merged(golden: Any, found: Any) -> Any:
    """Returns the recorded value with the keys that are new in `found`."""
    if not isinstance(golden, dict) or not isinstance(found, dict):
        return golden
    whole = {key: merged(value, found.get(key, value)) for key, value in golden.items()}
    whole |= {key: value for key, value in found.items() if key not in golden}
    if [key for key in found if key in golden] == list(golden):  # the order is kept, too
        return {key: whole[key] for key in found}
    return whole


def printed(value: Any, levels: int = 3, indent: str = "") -> str:
    """Returns JSON with a line for each entry of the upper levels, for readable diffs."""
    if levels == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    rows = [
        f"{indent} {json.dumps(key)}: {printed(each, levels - 1, indent + ' ')}"
        for key, each in value.items()
    ]
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"


def kinds(value: Any) -> Any:
    """Returns the keys of a JSON value, nested, each with its value's type."""
    if isinstance(value, dict):
        return {key: kinds(each) for key, each in value.items()}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def files(folder: Path) -> dict[str, str]:
    """Returns the files below a folder, without epochs' numbers and TensorBoard's event files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = re.sub(r"epoch-\d+", "epoch-N", path.relative_to(folder).as_posix())
        if "/tensorboard/" not in f"/{name}":
            found[name] = "folder" if path.is_dir() else "file"
    return found


def values(content: dict[str, Any]) -> dict[str, Any]:
    """Returns a configuration without the paths, which differ from run to run."""
    return {
        key: "a path" if isinstance(value, str) and "/" in value else value
        for key, value in content.items()
    }


def assert_run_kept(recipe: str, run: Path, exports: Path, name: str = "") -> None:
    """Asserts that a run and its export have what they had: files, keys, signatures.

    Its pipeline can be saved and loaded, too.

    Args:
        recipe: The recipe's name.
        run: The run's folder.
        exports: The folder that has the exported versions in a folder of the recipe's name.
        name: The run's name in the record; by default the recipe's.
    """
    config, metrics = (
        json.loads((run / file).read_text(encoding="utf-8"))
        for file in ("config.json", "metrics.json")
    )
    columns = (run / "history.csv").read_text(encoding="utf-8").partition("\n")[0]
    exported = exports / recipe / "1"
    found = {
        "config.json": values(config),
        "metrics.json": kinds(metrics),
        "history.csv": dict.fromkeys(columns.split(","), "column"),
        "provenance.json": kinds(json.loads((exported / PROVENANCE).read_text(encoding="utf-8"))),
        "files of the run": files(run),
        "files of the export": files(exported),
        "signatures": signatures(exported),
    }
    assert_kept("runs", name or recipe, found)
    assert_stored(run)


def signatures(exported: Path) -> dict[str, Any]:
    """Returns the signatures of a SavedModel: names, dtypes and ranks of inputs and outputs."""
    model = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    return {
        name: {"inputs": _tensors(each.inputs), "outputs": _tensors(each.outputs)}
        for name, each in sorted(model.meta_graphs[0].signature_def.items())
        if not name.startswith("__")
    }


def _tensors(infos: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"{tf.as_dtype(info.dtype).name}, rank {tf.TensorShape(info.tensor_shape).rank}"
        for name, info in sorted(infos.items())
    }


def signature(function: Any) -> dict[str, dict[str, str]]:
    """Returns a function's inputs and outputs, each with dtype and rank.

    Args:
        function: A `tf.function` with an input signature, or a concrete function.
    """
    concrete = function if hasattr(function, "structured_outputs") else None
    graph = concrete or function.get_concrete_function()
    positional, named = graph.structured_input_signature
    inputs = {spec.name: spec for spec in [*positional, *named.values()]}
    return {"inputs": _specs(inputs), "outputs": _specs(graph.structured_outputs)}


def _specs(tensors: Mapping[str, Any]) -> dict[str, str]:
    ordered = sorted(tensors.items())
    return {name: f"{spec.dtype.name}, rank {spec.shape.rank}" for name, spec in ordered}
