"""Weights of eight bits: a quarter of the size, for somewhat other answers."""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import require_package
from zoo.onnx.graph import onnx_package
from zoo.onnx.served import Served

PRECISE = ("/waves", "/mel")  # constants of spectra, whose logarithm shows any rounding


def quantized(graphs: Mapping[str, Served]) -> dict[str, Served]:
    """Returns the graphs with matrices and tables of int8, by ONNX Runtime's dynamic quantisation.

    The sizes of activations are measured when a graph runs. Matrices within loops over steps, those
    of `GRU` and `RNN`, and those of spectra stay as they are. The expected outputs are still those
    of the model in memory.

    Raises:
        InputError: The package `onnxruntime` is not installed.
    """
    return {name: each._replace(file=_quantized(each.file)) for name, each in graphs.items()}


def _quantized(file: Any) -> Any:
    quantization = require_package("onnxruntime.quantization", "onnx", "int8 weights")
    onnx = onnx_package()
    with tempfile.TemporaryDirectory() as folder:
        given, made = (Path(folder, name) for name in ("float32.onnx", "int8.onnx"))
        onnx.save_model(file, str(given))
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)  # it advises what is done already
        try:
            quantization.quantize_dynamic(
                given,
                made,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                nodes_to_exclude=[
                    node.name
                    for node in file.graph.node
                    if any(name.endswith(PRECISE) for name in node.input)
                ],
            )
        finally:
            logging.disable(before)
        found = onnx.load(str(made))
    known = {each.key: each.value for each in file.metadata_props}
    onnx.helper.set_model_props(found, known)
    return found
