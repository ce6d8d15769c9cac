"""Writes functions as a SavedModel, verified in a fresh process before it gets its name."""

import base64
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import tensorflow as tf

from zoo.errors import DamagedFile, Failure, InputError
from zoo.saved_model import sharing, warmup
from zoo.system import checksums, durable

README = "README.md"
ABOUT = Path("assets.extra") / "pipeline.json"
PART = ".part-"  # begins the names of unfinished versions

# difficult strings: empty, unknown words, emoji, right to left, NUL, markup, invalid bytes;
# signatures may add probes of their own
ODD_TEXTS = (
    b"",
    b"qxzzv wvvkq",
    "so good 👍🏽 👩‍🚀".encode(),
    "סרט נהדר, כדאי לראות".encode(),
    b"a\0b",
    b"<p>great<br /><br>film</p>",
    "Cafe\u0301".encode(),
    b"\xff\xfe bad bytes",
)

# runs in a separate process with TensorFlow, but without this project and Keras, which TensorFlow
# would import by itself: a served model must not need them
CHECKER = """
import base64, json, sys
sys.modules["keras"] = None
import tensorflow as tf

def unpacked(packed):
    return tf.io.parse_tensor(base64.b64decode(packed[1]), tf.as_dtype(packed[0]))

def packed(tensor):
    return [tensor.dtype.name, base64.b64encode(tf.io.serialize_tensor(tensor).numpy()).decode()]

job = json.load(sys.stdin)
model = tf.saved_model.load(job["path"])
answers = {}
for signature, inputs in job["probes"].items():
    tensors = {name: unpacked(given) for name, given in inputs.items()}
    outputs = model.signatures[signature](**tensors)
    answers[signature] = {name: packed(tensor) for name, tensor in outputs.items()}
foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("zoo", "recipes"))
json.dump({"answers": answers, "foreign": foreign}, sys.stdout)
"""


class ExportError(Failure):
    """The SavedModel does not load, or its outputs differ from the model in memory."""


def publish(
    functions: Mapping[str, Any],
    tracked: Sequence[Any],
    probes: Mapping[str, Mapping[str, Any]],
    directory: Path,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the next version of a served model.

    It is written under a temporary name, loaded in a fresh process without this project, compared
    with the functions in memory on the probes, and then renamed. So every version that exists is
    complete.

    Args:
        functions: The function of each signature, by name: a `tf.function` with an input signature
            and without autograph that returns a dict of tensors, or its concrete function.
        tracked: All variables and lookup tables that the functions read, or objects with them.
        probes: The test inputs of each signature: a tensor for each of its inputs.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.
        about: What is known of it besides, for JSON: `assets.extra/pipeline.json`.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or its outputs differ; no files are left.
    """
    durable.make_folder(directory)
    sweep(directory)
    with unfinished(directory) as part:
        _write(functions, tracked, part)
        warmup.write(part, directory.name, probes)
        (part / ABOUT).write_text(json.dumps(dict(about or {}), indent=2) + "\n", encoding="utf-8")
        (part / README).write_text(_described(functions), encoding="utf-8")
        check(part, functions, probes)
        sums = checksums.as_text(checksums.of_tree(part))
        (part / checksums.NAME).write_text(sums, encoding="utf-8")
        return numbered(part, directory)


@contextmanager
def unfinished(directory: Path) -> Iterator[Path]:
    """A folder to write a version into, deleted at the end if it still exists.

    The lock next to it is held while this process lives; `sweep` relies on it.
    """
    part = directory / f"{PART}{secrets.token_hex(4)}"
    place = Path(f"{part}.lock")
    with filelock.FileLock(place):
        part.mkdir()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)
            place.unlink(missing_ok=True)


def sweep(directory: Path) -> None:
    """Deletes the unfinished versions in `saved_models/NAME` whose processes have ended."""
    for place in directory.glob(f"{PART}*.lock"):
        lock = filelock.FileLock(place)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:  # its process is alive
            continue
        shutil.rmtree(place.with_suffix(""), ignore_errors=True)
        place.unlink(missing_ok=True)
        lock.release()


def load(path: Path) -> Any:
    """Loads an exported version from its folder.

    Raises:
        DamagedFile: One of its files is missing or damaged.
    """
    advice = "export again, or give another version"
    checksums.verify_tree(path, advice=advice)
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # of TensorFlow, protobuf or Python, depending on the damage
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DamagedFile(
            f"{path} is damaged or not a SavedModel ({first[:200]}): {advice}"
        ) from error


def _write(functions: Mapping[str, Any], tracked: Sequence[Any], path: Path) -> None:
    module = tf.Module()
    module.tracked = list(tracked)
    traced = {name: _traced(function) for name, function in functions.items()}
    tf.saved_model.save(module, str(path), signatures=traced)
    sharing.share(path)
    path.chmod(0o755)  # whatever the umask: a server may run as another user


def _described(functions: Mapping[str, Any]) -> str:
    """The page in a version's folder: its files, and the signatures with inputs and outputs."""
    lines = [
        "# An exported model",
        "",
        "- `saved_model.pb`, `variables/`, `assets/`: the SavedModel, for",
        "  `tensorflow.saved_model.load` and TensorFlow Serving; it needs TensorFlow alone.",
        "- `assets.extra/pipeline.json`: the kind of pipeline.",
        "- `assets.extra/provenance.json`: the run or the trained model, and its data;",
        "  `assets.extra/metrics.json`: its metrics; `assets.extra/card.md`: its card, if any.",
        "- `assets.extra/tf_serving_warmup_requests`: a request for each signature, which",
        "  TensorFlow Serving answers before it takes others.",
        "- `SHA256SUMS`: checksums of the files.",
        "",
        "Its signatures (`model.signatures[NAME]` in Python), B is the number of rows:",
    ]
    for name, function in functions.items():
        graph = _traced(function)
        lines += ["", f"## `{name}`", ""]
        for title, specs in (
            ("input", graph.structured_input_signature[1] or graph.structured_input_signature[0]),
            ("output", graph.structured_outputs),
        ):
            lines += [f"- {title} {text}" for text in _listed(specs)]
    return "\n".join(lines) + "\n"


def _listed(specs: Any) -> list[str]:
    """Tensors by name with type and shape: `text`: string (B)."""
    named = specs if isinstance(specs, Mapping) else {spec.name: spec for spec in specs}
    found = []
    for name, spec in named.items():
        axes = [
            "B" if size is None and not place else size for place, size in enumerate(spec.shape)
        ]
        shape = ", ".join("?" if size is None else str(size) for size in axes)
        found.append(f"`{name}`: {spec.dtype.name} ({shape})")
    return found


def _traced(function: Any) -> Any:
    """The concrete function, traced once: TensorFlow would trace another one to save it."""
    traced = isinstance(function, tf.types.experimental.ConcreteFunction)
    return function if traced else function.get_concrete_function()


def numbered(part: Path, directory: Path) -> Path:
    """Renames a finished folder to the next version in `directory`, and returns it."""
    version = max(versions(directory), default=0) + 1
    while True:
        target = directory / str(version)
        try:
            durable.publish(part, target)
        except OSError:
            if not target.exists():
                raise
            version += 1  # another export took this number meanwhile
        else:
            return target


def versions(directory: Path) -> list[int]:
    """The exported versions in `saved_models/NAME`, in ascending order."""
    if not directory.is_dir():
        return []
    folders = [path.name for path in directory.iterdir() if path.is_dir()]
    return sorted(int(name) for name in folders if re.fullmatch(r"[1-9][0-9]*", name))


def newest(directory: Path) -> Path:
    """The folder of the newest exported version, or an error with the command that exports one."""
    numbers = versions(directory)
    if not numbers:
        raise InputError(f"no exported model in {directory}: run the recipe's export first")
    return directory / str(numbers[-1])


def check(
    path: Path, functions: Mapping[str, Any], probes: Mapping[str, Mapping[str, Any]]
) -> None:
    """Compares the SavedModel, loaded in a fresh process, with the functions in memory.

    Floats may differ by 1e-5, absolute or relative; all other outputs must be equal. Functions and
    probes are those of `publish`.

    Raises:
        ExportError: It does not load, it needs this project, or an output differs.
    """
    if set(functions) != set(probes):
        raise InputError(
            f"each signature needs its probes: got those of {sorted(probes)} for the signatures "
            f"{sorted(functions)}"
        )
    tensors = {
        signature: {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
        for signature, inputs in probes.items()
    }
    with ThreadPoolExecutor(max_workers=1) as other:  # both processes at once
        future = other.submit(_ask_fresh_process, path, tensors)
        expected = {name: functions[name](**inputs) for name, inputs in tensors.items()}
        served = future.result()
    if served["foreign"]:
        raise ExportError(f"the exported model imports {', '.join(served['foreign'])}")
    for signature in tensors:
        answer = {name: _unpacked(value) for name, value in served["answers"][signature].items()}
        if not _same(expected[signature], answer):
            raise ExportError(
                f"the exported model in {path} answers differently from the one in memory "
                f"({signature})"
            )


def _same(expected: Mapping[str, Any], served: Mapping[str, Any]) -> bool:
    return set(expected) == set(served) and all(
        _same_tensor(tensor, served[name]) for name, tensor in expected.items()
    )


def _same_tensor(expected: Any, served: Any) -> bool:
    if (expected.dtype, expected.shape) != (served.dtype, served.shape):
        return False
    if expected.dtype.is_floating:  # NaN is unequal to itself: a model with NaN outputs fails
        return np.allclose(served.numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)
    return np.array_equal(served.numpy(), expected.numpy())


def _packed(tensor: Any) -> list[str]:
    raw = tf.io.serialize_tensor(tensor).numpy()
    return [tensor.dtype.name, base64.b64encode(raw).decode()]


def _unpacked(packed: Sequence[str]) -> Any:
    return tf.io.parse_tensor(base64.b64decode(packed[1]), tf.as_dtype(packed[0]))


def _ask_fresh_process(path: Path, probes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    packed = {
        signature: {name: _packed(tensor) for name, tensor in inputs.items()}
        for signature, inputs in probes.items()
    }
    result = run_isolated(CHECKER, json.dumps({"path": str(path.resolve()), "probes": packed}))
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise ExportError(f"the exported model in {path} does not load: {last}")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def run_isolated(code: str, text: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a new Python process that cannot import this project, with text as its input."""
    with tempfile.TemporaryDirectory() as empty:
        return subprocess.run(
            [sys.executable, "-I", "-c", code],
            input=text,
            capture_output=True,
            text=True,
            cwd=empty,
            check=False,
        )
