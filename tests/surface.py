"""The visible surface: comparison of what is there now with what `surface.json` recorded.

In a golden value a dict may gain keys but not lose any; everything else must stay equal.
`python -m tests.test_surface` records what is new and never changes what was recorded.
"""

import json
import os
from pathlib import Path
from typing import Any

import tensorflow as tf

GOLDEN = Path(__file__).with_name("surface.json")
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
        return [] if golden == found else [f"{place} was {golden!r} and is {found!r}"]
    changes = []
    for key, value in golden.items():
        if key in found:
            changes += differences(value, found[key], f"{place} > {key}")
        else:
            changes.append(f"{place} > {key} is lost")
    return changes


def merged(golden: Any, found: Any) -> Any:
    """Returns the recorded value with the keys that are new in `found`."""
    if not isinstance(golden, dict) or not isinstance(found, dict):
        return golden
    new = {key: value for key, value in found.items() if key not in golden}
    return {key: merged(value, found.get(key, value)) for key, value in golden.items()} | new


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
    """Returns the files below a folder, those aside that TensorBoard names by time and host."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    kept = [name for name in found if not name.startswith("tensorboard/")]
    return {name: "folder" if (folder / name).is_dir() else "file" for name in kept}


def assert_run_kept(recipe: str, run: Path, exports: Path) -> None:
    """Asserts that a run and its export have the files, and its JSON files the keys, they had.

    Args:
        recipe: The recipe's name.
        run: The run's folder.
        exports: The folder that has the exported versions in a folder of the recipe's name.
    """
    for name in ("config.json", "metrics.json"):
        found = kinds(json.loads((run / name).read_text(encoding="utf-8")))
        assert_kept(f"keys of {name}", recipe, found)
    assert_kept("files of a run", recipe, files(run))
    assert_kept("files of an export", recipe, files(exports / recipe / "1"))


def assert_signatures_kept(name: str, functions: dict[str, Any]) -> None:
    """Asserts that each signature has the inputs and outputs it had: names, dtypes, ranks.

    Args:
        name: The recipe, or what else is exported.
        functions: Signature -> a `tf.function` of one trace, or its concrete function.
    """
    assert_kept("signatures", name, {key: signature(each) for key, each in functions.items()})


def signature(function: Any) -> dict[str, dict[str, str]]:
    """Returns a function's inputs and outputs, each with dtype and rank."""
    traced = hasattr(function, "structured_outputs")
    graph = function if traced else function.get_concrete_function()
    positional, named = graph.structured_input_signature
    inputs = {spec.name: spec for spec in [*positional, *named.values()]}
    return {"inputs": specs(inputs), "outputs": specs(graph.structured_outputs)}


def specs(tensors: dict[str, tf.TensorSpec]) -> dict[str, str]:
    """Returns name -> dtype and rank of tensors' specs, in alphabetical order."""
    ordered = sorted(tensors.items())
    return {name: f"{spec.dtype.name}, rank {spec.shape.rank}" for name, spec in ordered}
