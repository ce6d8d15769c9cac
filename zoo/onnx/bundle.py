"""Writes a pipeline as a folder that `rnn_zoo_runtime` reads: ONNX graphs, words, options.

    runtime.json      the pipeline's class, its options, its text paths, its graphs
    NAME.onnx         each graph
    NAME.txt ...      the text paths' files
    README.md         the graphs' inputs and outputs, and how to carry states
    SHA256SUMS        checksums of the files

It is written under a temporary name, tried in a fresh process that has numpy and onnxruntime
alone, compared with the model in memory, and then renamed: a version that exists is complete.
"""

import base64
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo import export
from zoo.errors import require_package
from zoo.export import ExportError
from zoo.onnx.graph import OPSET, onnx_package
from zoo.onnx.int8 import quantized
from zoo.onnx.served import Arrays, Served
from zoo.system import checksums, durable

FORMAT = 1
FILE = "runtime.json"
CLOSE = 1e-4  # of an output to that of the model in memory, absolute or relative

# runs in a separate process, which has neither this project nor TensorFlow
CHECKER = """
import base64, json, sys
for name in ("tensorflow", "keras", "onnx"):
    sys.modules[name] = None
import numpy as np
import onnxruntime

def unpacked(given):
    return np.frombuffer(base64.b64decode(given[2]), given[0]).reshape(given[1])

def packed(array):
    return [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]

job = json.load(sys.stdin)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
answers = {}
for path, inputs in job.items():
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    found = session.run(names, {name: unpacked(each) for name, each in inputs.items()})
    answers[path] = {name: packed(each) for name, each in zip(names, found)}
json.dump(answers, sys.stdout)
"""

CLIENT = """
import json, numpy, onnxruntime

def session(name):
    return onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])

start, step = session("start.onnx"), session("step.onnx")
names = json.loads(step.get_modelmeta().custom_metadata_map["states"])
first = {each.name: each for each in start.get_inputs()}
given = {"streams": numpy.zeros(1, "int32")}    # one text; or the start's own inputs
found = start.run(None, {name: given[name] for name in first})
states = dict(zip([each.name for each in start.get_outputs()], found))
outputs = [each.name for each in step.get_outputs()]
for token in (2, 5, 7):
    inputs = {"token_ids": numpy.array([token], "int32"), **states}
    after = dict(zip(outputs, step.run(None, inputs)))
    for name in names:                          # without this the model forgets what it read
        states[name] = after["next_" + name]
    print(after["logits"].argmax(axis=-1))
"""


def publish(
    about: Mapping[str, Any],
    text_paths: Mapping[str, Any],
    graphs: Mapping[str, Served],
    directory: Path,
    int8: bool = False,
) -> Path:
    """Writes the next version of a bundle and returns its folder, `1`, `2`, ... in `directory`.

    Args:
        about: `pipeline`, the class name of the pipeline, its `options`, and what else
            `runtime.json` is to have.
        text_paths: Its text paths by the names of its arguments.
        graphs: Its graphs by name.
        directory: `saved_models/NAME-onnx` or another folder.
        int8: Write the weights in eight bits; `runtime.json` then has the largest difference of
            each graph's outputs, as `int8`.

    Raises:
        ExportError: A graph answers otherwise than the model in memory; nothing is left behind.
        InputError: The packages `onnx` and `onnxruntime` are not installed.
    """
    require_package("onnxruntime", "onnx", "checking ONNX files")
    durable.make_folder(directory)
    export.sweep(directory)
    with export.unfinished(directory) as part:
        paths = {name: _saved(path, part, name) for name, path in text_paths.items()}
        places = save(part, graphs)
        found = check(places, graphs)
        content = {
            "format": FORMAT,
            **about,
            "text_paths": paths,
            "graphs": {name: place.name for name, place in places.items()},
            "states": states_of(graphs["step"].file) if "step" in graphs else [],
            "opset": OPSET,
            # by which texts are normalised, on both sides
            "unicode": unicodedata.unidata_version,
        }
        if int8:
            save(part, quantized(graphs))
            content["int8"] = largest(found, answers_of(places, graphs))
        durable.write_json(part / FILE, content)
        durable.write_text(part / export.README, described(about["pipeline"], graphs))
        return finished(part, directory)


def finished(part: Path, directory: Path) -> Path:
    """Adds the checksums to a written folder, and renames it to the next version."""
    sums = checksums.as_text(checksums.of_tree(part))
    (part / checksums.NAME).write_text(sums, encoding="utf-8")
    part.chmod(0o755)
    return export.numbered(part, directory)


def save(folder: Path, graphs: Mapping[str, Served]) -> dict[str, Path]:
    """Writes the file of each graph: their paths by name."""
    for name, each in graphs.items():
        onnx_package().save_model(each.file, str(folder / f"{name}.onnx"))
    return {name: folder / f"{name}.onnx" for name in graphs}


def _saved(path: Any, folder: Path, name: str) -> dict[str, Any]:
    """Saves a text path, and describes it for `runtime.json`."""
    before = set(folder.iterdir())
    path.save(folder, name)
    files = sorted(each.name for each in set(folder.iterdir()) - before)
    return {"class": type(path).__name__, "options": path.get_config(), "files": files}


def states_of(file: Any) -> list[str]:
    """The names of the states of a graph, from its metadata."""
    found = {each.key: each.value for each in file.metadata_props}
    return list(json.loads(found.get("states", "[]")))


def check(places: Mapping[str, Path], graphs: Mapping[str, Served]) -> dict[str, Arrays]:
    """Compares written graphs, run in a fresh process, with the model in memory.

    Returns their outputs by graph and name.

    Raises:
        ExportError: One does not load, or an output differs by more than 1e-4.
    """
    answers = answers_of(places, graphs)
    for name, each in graphs.items():
        wrong = differing(each.expected, answers[name])
        if wrong:
            raise ExportError(
                f"the exported graph {name!r} answers differently from the model in memory "
                f"({', '.join(wrong)})"
            )
    return answers


def answers_of(places: Mapping[str, Path], graphs: Mapping[str, Served]) -> dict[str, Arrays]:
    """The outputs of written graphs for their probes, from a fresh process.

    Raises:
        ExportError: One does not run.
    """
    job = {
        str(places[name].resolve()): {key: _packed(value) for key, value in each.probe.items()}
        for name, each in graphs.items()
    }
    result = export.run_isolated(CHECKER, json.dumps(job))
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise ExportError(f"an exported graph does not run: {last}")
    answers = dict(zip(graphs, json.loads(result.stdout).values(), strict=True))
    return {
        name: {key: _unpacked(value) for key, value in found.items()}
        for name, found in answers.items()
    }


def largest(expected: Mapping[str, Arrays], found: Mapping[str, Arrays]) -> dict[str, float]:
    """The largest difference between the outputs of each graph, finite where they are numbers."""
    return {
        name: max(
            float(np.max(np.abs(each.astype(np.float64) - found[name][key]), initial=0.0))
            for key, each in outputs.items()
        )
        for name, outputs in expected.items()
    }


def differing(expected: Arrays, found: Arrays) -> list[str]:
    """The names of the outputs that differ, or that one side lacks."""
    wrong = set(expected) ^ set(found)
    for name in set(expected) & set(found):
        a, b = expected[name], found[name]
        same = a.shape == b.shape and a.dtype == b.dtype
        if same and a.dtype.kind == "f":
            same = bool(np.allclose(b, a, rtol=CLOSE, atol=CLOSE))
        elif same:
            same = bool(np.array_equal(a, b))
        wrong |= set() if same else {name}
    return sorted(wrong)


def _packed(array: np.ndarray) -> list[Any]:
    content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return [array.dtype.str, list(array.shape), content]


def _unpacked(given: list[Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(given[2]), given[0]).reshape(given[1])


def described(pipeline: str, graphs: Mapping[str, Served]) -> str:
    """The page in a bundle's folder."""
    lines = [
        f"# An exported {pipeline}",
        "",
        "- `*.onnx`: the graphs, for ONNX Runtime and other runtimes of "
        f"opset {OPSET}; ids in, numbers out.",
        f"- `{FILE}` and the other files: what `rnn_zoo_runtime` needs to take and give strings.",
        "- `SHA256SUMS`: checksums of the files.",
    ]
    for name, each in graphs.items():
        lines += ["", f"## `{name}.onnx`", ""]
        graph = each.file.graph
        lines += [f"- input {_shown(value)}" for value in graph.input]
        lines += [f"- output {_shown(value)}" for value in graph.output]
    if "step" in graphs:
        lines += [
            "",
            "## States",
            "",
            "A step takes each state as `NAME` and gives it back as `next_NAME`; the caller passes",
            "it to the next step. The names are in the file's metadata, `states`.",
            "",
            "```python",
            CLIENT.strip(),
            "```",
        ]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    """A value with its type and shape: `token_ids`: int32 (batch, time)."""
    kind = value.type.tensor_type
    axes = [axis.dim_param or str(axis.dim_value) for axis in kind.shape.dim]
    dtype = onnx_package().helper.tensor_dtype_to_np_dtype(kind.elem_type)
    return f"`{value.name}`: {dtype.name} ({', '.join(axes)})"
