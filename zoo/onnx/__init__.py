"""Models as ONNX graphs, written from their weights; needs the extra `onnx`."""

from zoo.onnx import characters, layers, numbers, operations, recurrent, shapes, stock

# importing them registers their converters
__all__ = ["characters", "layers", "numbers", "operations", "recurrent", "shapes", "stock"]
