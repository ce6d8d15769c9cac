"""Reads a SavedModel without running it."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from zoo.errors import DamagedFile
from zoo.inspection.report import ADVICE, SPECIAL, Report, Signature, Tensor

GRAPH = "saved_model.pb"
WARMUP = "assets.extra/tf_serving_warmup_requests"


def inspect(folder: Path) -> Report:
    """Reports what a SavedModel's folder has.

    Raises:
        DamagedFile: It is no SavedModel, or a file differs from its checksum.
    """
    found = Report("SavedModel", folder)
    try:
        model = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
        graph = model.meta_graphs[0]
        variables = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        shapes = variables.get_variable_to_shape_map()
        types = variables.get_variable_to_dtype_map()
    except Exception as error:  # of protobuf or TensorFlow, depending on the damage
        raise DamagedFile(f"{folder} is damaged or not a SavedModel: {ADVICE}") from error
    found.signatures = {
        name: Signature(_tensors(each.inputs), _tensors(each.outputs))
        for name, each in sorted(graph.signature_def.items())
        if not name.startswith("__")
    }
    found.parameters = sum(
        tf.TensorShape(shape).num_elements()
        for name, shape in shapes.items()
        if types[name].is_floating
    )
    found.vocabularies = _vocabularies(graph)
    functions = graph.graph_def.library.function
    found.details = {
        "TensorFlow": graph.meta_info_def.tensorflow_version,
        "graph": f"{sum(len(each.node_def) for each in functions):,} nodes in "
        f"{len(functions):,} functions",
        "warm-up requests": (folder / WARMUP).is_file(),
    }
    return found


def _tensors(infos: Any) -> list[Tensor]:
    return [
        Tensor(
            name,
            tf.as_dtype(info.dtype).name,
            [None if axis.size < 0 else axis.size for axis in info.tensor_shape.dim],
        )
        for name, info in sorted(infos.items())
    ]


def _vocabularies(graph: Any) -> dict[str, int]:
    """The sizes of the tables whose first token is `[PAD]`, the largest first."""
    functions = (each.node_def for each in graph.graph_def.library.function)
    sizes = set()
    for nodes in (graph.graph_def.node, *functions):
        for node in nodes:
            value = node.attr["value"].tensor if node.op == "Const" else None
            if value is not None and list(value.string_val[:1]) == [SPECIAL.encode()]:
                sizes.add(len(value.string_val))
    ordered = sorted(sizes, reverse=True)
    names = [f"vocabulary {n + 1}" for n in range(len(ordered))]
    return dict(zip(names if len(names) > 1 else ["vocabulary"], ordered, strict=False))
