"""Models as ONNX graphs, written from their weights; needs the extra `onnx`."""

from zoo.onnx import characters, layers, operations, recurrent

__all__ = [
    "characters",
    "layers",
    "operations",
    "recurrent",
]  # importing them registers their converters
