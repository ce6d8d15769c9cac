"""Runs Keras models and ONNX files on the same inputs."""

import keras
import numpy as np
import onnxruntime

from zoo.onnx.graph import BATCH, TIME, Graph
from zoo.onnx.trace import Trace, unrecorded


def written(model):
    """A functional model as an ONNX file with the same inputs, and outputs `out_0`, `out_1` ..."""
    graph = Graph()
    trace = Trace(graph)
    for each in model.inputs:
        axes = [BATCH, TIME, *range(len(each.shape))]
        named = [
            axis if size is None else size for size, axis in zip(each.shape, axes, strict=False)
        ]
        trace.bind(each, graph.input(each.name, each.dtype, named))
    with unrecorded(model):
        for number, each in enumerate(keras.tree.flatten(model.output)):
            graph.output(f"out_{number}", trace.name(each), each.dtype, each.shape)
    return graph.model()


def session(file):
    """An ONNX Runtime session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    content = file.SerializeToString() if hasattr(file, "SerializeToString") else str(file)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(found, **feed):
    """The outputs of a session by name."""
    names = [each.name for each in found.get_outputs()]
    return dict(zip(names, found.run(None, feed), strict=True))


def assert_same(expected, got, tolerance=1e-5):
    """Arrays are equal, but for rounding, absolute or relative."""
    expected, got = np.asarray(expected), np.asarray(got)
    assert expected.shape == got.shape
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(got, expected)
        return
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
