"""Reads ONNX files and bundles of them; needs the package `onnx`."""

import math
from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile, require_package
from zoo.inspection.report import ADVICE, Report, Signature, Tensor, text_path_sizes
from zoo.system import stored

BUNDLE = "runtime.json"


def inspect(path: Path) -> Report:
    """Reports what an ONNX file has.

    Raises:
        InputError: The package `onnx` is not installed.
        DamagedFile: It is no ONNX file, or differs from its checksum.
    """
    found, model = Report("ONNX file", path), _model(path)
    found.signatures = {path.stem: _signature(model)}
    found.parameters = _parameters(model)
    found.details = {
        "opset": model.opset_import[0].version if model.opset_import else 0,
        "written by": f"{model.producer_name} {model.producer_version}".strip() or "unknown",
        **{each.key: each.value for each in model.metadata_props},
    }
    return found


def inspect_bundle(folder: Path) -> Report:
    """Reports what a folder that `export_onnx` wrote has.

    Raises:
        InputError: The package `onnx` is not installed.
        DamagedFile: A file is missing, damaged or differs from its checksum.
    """
    found = Report("ONNX bundle", folder)
    content = stored.read_json(folder / BUNDLE, dict, missing=ADVICE, advice=ADVICE)
    models = {name: _model(folder / file) for name, file in content.get("graphs", {}).items()}
    found.signatures = {name: _signature(model) for name, model in models.items()}
    counts = [_parameters(model) for model in models.values()]
    found.parameters = max(counts, default=None)  # each graph has its own copy of them
    found.vocabularies = text_path_sizes(folder, content.get("text_paths", {}))
    found.details = {key: content[key] for key in ("pipeline", "opset", "states") if key in content}
    return found


def _model(path: Path) -> Any:
    onnx = require_package("onnx", "onnx", "reading ONNX files")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # of protobuf or the file system
        raise DamagedFile(f"{path} is damaged or not an ONNX file: {ADVICE}") from error
    if not model.HasField("graph") or not model.graph.output:
        raise DamagedFile(f"{path} is damaged or not an ONNX file: {ADVICE}")
    return model


def _signature(model: Any) -> Signature:
    weights = {each.name for each in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in weights]
    return Signature(*([_tensor(each) for each in side] for side in (inputs, model.graph.output)))


def _tensor(value: Any) -> Tensor:
    onnx = require_package("onnx", "onnx", "reading ONNX files")
    kind = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    shape = [axis.dim_param or (axis.dim_value or None) for axis in kind.shape.dim]
    return Tensor(value.name, "string" if dtype == "object" else dtype, shape)


def _parameters(model: Any) -> int:
    """The numbers in floating-point or int8 initialisers, those of inner graphs included."""
    onnx = require_package("onnx", "onnx", "reading ONNX files")
    kinds = {getattr(onnx.TensorProto, name) for name in ("FLOAT", "FLOAT16", "INT8", "UINT8")}

    def count(graph: Any) -> int:
        inner = [each.g for node in graph.node for each in node.attribute if each.HasField("g")]
        own = [math.prod(each.dims) for each in graph.initializer if each.data_type in kinds]
        return sum(own) + sum(map(count, inner))

    return count(model.graph)
