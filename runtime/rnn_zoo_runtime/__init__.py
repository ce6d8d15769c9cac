"""Exported models of the RNN zoo without TensorFlow and Keras: NumPy and ONNX Runtime alone."""

from rnn_zoo_runtime.errors import DamagedFile, InputError
from rnn_zoo_runtime.version import VERSION

__all__ = ["VERSION", "DamagedFile", "InputError"]
