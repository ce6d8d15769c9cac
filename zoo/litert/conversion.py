"""Graphs -> LiteRT files: TensorFlow's converter, and int8 weights by `ai-edge-quantizer`."""

import re
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import InputError, require_package
from zoo.litert.graphs import Graph
from zoo.recurrence.tracing import fixed_sizes

PRECISE = ".*log_mel.*"  # the names of the ops that int8 leaves alone


def converted(name: str, graph: Graph) -> bytes:
    """A LiteRT file with one signature, of the graph's name, in LiteRT's own ops alone.

    Raises:
        InputError: LiteRT lacks an op; the sentence names it.
    """
    from tensorflow.lite.python.convert import ConverterError  # the converter takes a while to load

    module = tf.Module()
    module.tracked = graph.weights
    specs = {
        key: tf.TensorSpec(each.shape, each.dtype, name=key) for key, each in graph.probe.items()
    }

    def run(**given: Any) -> Any:
        return dict(graph.function(given))

    with fixed_sizes():
        function = tf.function(run, autograph=False).get_concrete_function(**specs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={name: function})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[name])
        try:
            return bytes(converter.convert())
        except ConverterError as error:
            raise InputError(_sentence(name, str(error))) from error


def _sentence(name: str, message: str) -> str:
    """Why a graph cannot be written."""
    listed = re.search(r"(?:Flex|Custom|Select TF) ops: ([\w, ]+)", message)
    found = sorted(set(re.split(r",\s*", listed[1].strip()))) if listed else []
    found = found or sorted(set(re.findall(r"'tf\.(\w+)' op", message)))
    reason = f"LiteRT has no {', '.join(found)}" if found else message.strip().splitlines()[0][:200]
    return (
        f"the graph {name!r} cannot be written as LiteRT: {reason}: export the model as a "
        "SavedModel or as ONNX"
    )


def quantized(file: bytes) -> bytes:
    """The same with weights in int8; numbers between the ops stay float32.

    The ops of a spectrum keep float32 weights: its powers differ by orders of magnitude, and the
    logarithm after it shows any rounding.

    Raises:
        InputError: The package `ai-edge-quantizer` is not installed.
    """
    quantizer = require_package("ai_edge_quantizer", "litert-int8", "int8 weights in LiteRT")
    recipe = require_package("ai_edge_quantizer.recipe", "litert-int8", "int8 weights in LiteRT")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        path.write_bytes(file)
        worker = quantizer.Quantizer(str(path))
        worker.load_quantization_recipe(recipe.dynamic_wi8_afp32())
        worker.update_quantization_recipe(PRECISE, "*", algorithm_key="no_quantize")
        return bytes(worker.quantize().quantized_model)
