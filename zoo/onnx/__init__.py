"""Models as ONNX graphs, written from their weights; needs the extra `onnx`."""

from zoo.onnx import layers, operations, recurrent

__all__ = ["layers", "operations", "recurrent"]  # importing them registers their converters
