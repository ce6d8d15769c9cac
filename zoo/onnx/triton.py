"""A Triton model repository: a model and its `config.pbtxt` for each graph of a bundle.

A graph of steps whose states do not depend on an input becomes a model whose states the server
keeps for each sequence (`sequence_batching { state { ... } }`); the states of the others are inputs
and outputs like any other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo import export
from zoo.errors import require_package
from zoo.onnx import bundle
from zoo.onnx.graph import onnx_package
from zoo.onnx.int8 import quantized
from zoo.onnx.models import NEXT, STREAMS
from zoo.onnx.served import Arrays, Served
from zoo.system import durable

MOST_ROWS = 64  # of a batch
IDLE = 600_000_000  # microseconds after which the server forgets a sequence
INITIAL = "initial_state"  # the folder of a model's states before the first step
TYPES = {"bool": "TYPE_BOOL", "float32": "TYPE_FP32", "int32": "TYPE_INT32"}


def publish(graphs: Mapping[str, Served], directory: Path, name: str, int8: bool = False) -> Path:
    """Writes the next version of a model repository, checked as `zoo.onnx.bundle.publish` does.

    Raises:
        ExportError: A graph answers otherwise than the model in memory; nothing is left behind.
        InputError: The packages `onnx` and `onnxruntime` are not installed.
    """
    require_package("onnxruntime", "onnx", "checking ONNX files")
    durable.make_folder(directory)
    export.sweep(directory)
    with export.unfinished(directory) as part:
        places = write(part, name, graphs)
        bundle.check(places, graphs)
        if int8:
            for graph, each in quantized(graphs).items():
                onnx_package().save_model(each.file, str(places[graph]))
            bundle.answers_of(places, graphs)
        return bundle.finished(part, directory)


def write(folder: Path, name: str, graphs: Mapping[str, Served]) -> dict[str, Path]:
    """Writes a model for each graph into a folder: the path of each graph's file, by name."""
    paths = {}
    for graph, each in graphs.items():
        model = f"{name}_{graph}"
        states = first_states(graphs) if graph == "step" else {}
        (folder / model / "1").mkdir(parents=True)
        paths[graph] = folder / model / "1" / "model.onnx"
        onnx_package().save_model(each.file, str(paths[graph]))
        durable.write_text(folder / model / "config.pbtxt", config(model, each, states))
        for state, value in states.items():
            (folder / model / INITIAL).mkdir(exist_ok=True)
            (folder / model / INITIAL / state).write_bytes(value.tobytes())
    return paths


def first_states(graphs: Mapping[str, Served]) -> Arrays:
    """The states before the first step where they are always the same; none otherwise."""
    start = graphs.get("start")
    if start is None or list(start.probe) != [STREAMS]:
        return {}
    names = bundle.states_of(graphs["step"].file)
    return {name: np.ascontiguousarray(start.expected[name][0]) for name in names}


def config(model: str, served: Served, states: Arrays) -> str:
    """The text of `config.pbtxt`.

    Args:
        model: The model's name.
        served: Its graph.
        states: The states that the server keeps, before the first step: (K,) each.
    """
    graph = served.file.graph
    kept = {*states, *(f"{NEXT}{name}" for name in states)}
    lines = [f'name: "{model}"', 'backend: "onnxruntime"', f"max_batch_size: {MOST_ROWS}"]
    for kind, values in (("input", graph.input), ("output", graph.output)):
        for value in values:
            if value.name not in kept:
                lines.append(f"{kind} {{ {_tensor(value)} }}")
    if states:
        lines += ["sequence_batching {", f"  max_sequence_idle_microseconds: {IDLE}"]
        lines += [f"  oldest {{ max_candidate_sequences: {MOST_ROWS} }}"]
        for name, value in states.items():
            lines += _state(name, value)
        lines.append("}")
    else:
        lines.append("dynamic_batching { }")
    return "\n".join(lines) + "\n"


def _tensor(value: Any) -> str:
    """Name, type and sizes behind the batch of an input or output."""
    kind = value.type.tensor_type
    dtype = onnx_package().helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    sizes = [axis.dim_value or -1 for axis in kind.shape.dim][1:]
    shape = f"dims: [ {', '.join(map(str, sizes))} ]"
    if not sizes:  # one number a row: the server wants an axis of its own
        shape = "dims: [ 1 ] reshape { shape: [ ] }"
    return f'name: "{value.name}" data_type: {TYPES[dtype]} {shape}'


def _state(name: str, value: np.ndarray) -> list[str]:
    """A state that the server keeps."""
    about = f"data_type: {TYPES[value.dtype.name]} dims: [ {', '.join(map(str, value.shape))} ]"
    return [
        "  state {",
        f'    input_name: "{name}" output_name: "{NEXT}{name}" {about}',
        f'    initial_state {{ name: "{name}" {about} data_file: "{name}" }}',
        "  }",
    ]
