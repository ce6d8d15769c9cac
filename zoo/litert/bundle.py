"""Writes a pipeline as a folder of LiteRT files, with words and options beside them.

    litert.json       the pipeline's class, its options, its text paths, its graphs, their sizes
    NAME.tflite       each graph
    NAME.txt ...      the text paths' files
    README.md         the graphs' inputs and outputs, and how to carry states
    SHA256SUMS        checksums of the files

It is written under a temporary name, run in a fresh process that has numpy and LiteRT alone,
compared with the model in memory, and then renamed: a version that exists is complete.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo import export
from zoo.errors import require_package
from zoo.export import ExportError
from zoo.litert.conversion import converted, quantized
from zoo.litert.graphs import NEXT, Graph, Sizes
from zoo.onnx.bundle import differing
from zoo.onnx.served import Arrays
from zoo.system import checksums, durable

FORMAT = 1
FILE = "litert.json"

# runs in a separate process, which has neither this project nor TensorFlow
CHECKER = """
import json, sys
for name in ("tensorflow", "keras"):
    sys.modules[name] = None
import numpy as np
from ai_edge_litert.interpreter import Interpreter

for name, path, given, answer in json.load(sys.stdin):
    run = Interpreter(path).get_signature_runner(name)
    np.savez(answer, **run(**np.load(given)))
"""

CLIENT = """
import json, numpy
from ai_edge_litert.interpreter import Interpreter

step = Interpreter("step.tflite").get_signature_runner("step")
start = Interpreter("start.tflite").get_signature_runner("start")
states = start(streams=numpy.zeros(1, "int32"))
for token in (2, 5, 7):
    after = step(token_ids=numpy.array([token], "int32"), **states)
    for name in states:             # without this the model forgets what it read
        states[name] = after["next_" + name]
    print(after["logits"].argmax(axis=-1))
"""


def publish(
    content: Mapping[str, Any],
    text_paths: Mapping[str, Any],
    graphs: Mapping[str, Graph],
    sizes: Sizes,
    directory: Path,
    int8: bool = False,
) -> Path:
    """Writes the next version of a bundle and returns its folder, `1`, `2`, ... in `directory`.

    Args:
        content: What `litert.json` says of the pipeline, for JSON.
        text_paths: Its text paths by the names of its arguments.
        graphs: Its graphs by name.
        sizes: The fixed sizes of the graphs.
        directory: A folder of such bundles.
        int8: Store the weights in int8.

    Raises:
        ExportError: A graph answers otherwise than the model in memory, or with int8 weights not at
            all; nothing is left behind.
        InputError: LiteRT lacks an op, or a package is not installed.
    """
    require_package("ai_edge_litert.interpreter", "litert", "checking LiteRT files")
    durable.make_folder(directory)
    export.sweep(directory)
    with export.unfinished(directory) as part:
        described = {}
        for name, path in text_paths.items():
            path.save(part, name)
            described[name] = {"class": type(path).__name__, "options": path.get_config()}
        for name, graph in graphs.items():
            file = converted(name, graph)
            (part / f"{name}.tflite").write_bytes(quantized(file) if int8 else file)
        listed = {
            **content,
            "format": FORMAT,
            "text_paths": described,
            "graphs": {name: f"{name}.tflite" for name in graphs},
            "states": states_of(graphs),
            **sizes._asdict(),
            "weights": "int8" if int8 else "float32",
        }
        durable.write_json(part / FILE, listed)
        check(part, graphs, exactly=not int8)
        durable.write_text(part / export.README, page(str(content["pipeline"]), graphs))
        sums = checksums.as_text(checksums.of_tree(part))
        (part / checksums.NAME).write_text(sums, encoding="utf-8")
        part.chmod(0o755)
        return export.numbered(part, directory)


def states_of(graphs: Mapping[str, Graph]) -> list[str]:
    """The names of the states of the graph `step`."""
    found = graphs["step"].expected() if "step" in graphs else {}
    return [name.removeprefix(NEXT) for name in found if name.startswith(NEXT)]


def check(folder: Path, graphs: Mapping[str, Graph], exactly: bool = True) -> None:
    """Compares the graphs in a folder, run in a fresh process, with the model in memory.

    Raises:
        ExportError: One does not run, an output differs by more than 1e-4 if `exactly`, or is not
            finite or of another shape.
    """
    answers = run(folder, {name: graph.probe for name, graph in graphs.items()})
    for name, graph in graphs.items():
        expected, found = graph.expected(), answers[name]
        wrong = differing(expected, found) if exactly else _broken(expected, found)
        if wrong:
            raise ExportError(
                f"the exported graph {name!r} in {folder} answers differently from the model in "
                f"memory ({', '.join(wrong)})"
            )


def run(folder: Path, inputs: Mapping[str, Arrays]) -> dict[str, Arrays]:
    """The answers of the graphs in a folder to their inputs, from a fresh process."""
    with tempfile.TemporaryDirectory() as place:
        job = []
        for name, values in inputs.items():
            given, answer = (str(Path(place, f"{name}.{kind}.npz")) for kind in ("in", "out"))
            np.savez(given, **values)  # type: ignore[arg-type]
            job.append([name, str((folder / f"{name}.tflite").resolve()), given, answer])
        result = export.run_isolated(CHECKER, json.dumps(job))
        if result.returncode:
            last = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(f"an exported graph in {folder} does not run: {last}")
        return {name: dict(np.load(answer)) for name, _, _, answer in job}


def _broken(expected: Arrays, found: Arrays) -> list[str]:
    """The names of the outputs that are missing, of another shape or not finite."""
    wrong = set(expected) ^ set(found)
    for name in set(expected) & set(found):
        if expected[name].shape != found[name].shape or not np.isfinite(found[name]).all():
            wrong.add(name)
    return sorted(wrong)


def page(pipeline: str, graphs: Mapping[str, Graph]) -> str:
    """The page in a bundle's folder."""
    lines = [
        f"# An exported {pipeline}",
        "",
        "- `*.tflite`: the graphs, for LiteRT (`ai-edge-litert`); ids in, numbers out.",
        f"- `{FILE}` and the other files: the words, the options and the sizes.",
        "- `SHA256SUMS`: checksums of the files.",
        "",
        "All sizes are fixed: shorter sequences are padded with 0 on the right.",
    ]
    for name, graph in graphs.items():
        lines += ["", f"## `{name}.tflite`", ""]
        for title, values in (("input", graph.probe), ("output", graph.expected())):
            lines += [
                f"- {title} `{key}`: {each.dtype.name} ({', '.join(map(str, each.shape))})"
                for key, each in values.items()
            ]
    if {"step", "start"} <= set(graphs):
        lines += [
            "",
            "## States",
            "",
            "A step takes each state as `NAME` and gives it back as `next_NAME`; the caller passes",
            "it to the next step.",
            "",
            "```python",
            CLIENT.strip(),
            "```",
        ]
    return "\n".join(lines) + "\n"
