"""Exported models of the RNN zoo without TensorFlow and Keras: NumPy and ONNX Runtime alone."""

from rnn_zoo_runtime.bundle import load
from rnn_zoo_runtime.errors import DamagedFile, InputError
from rnn_zoo_runtime.pipelines import (
    Classifier,
    ConditionalWriter,
    SeriesForecaster,
    SignalClassifier,
    Stream,
    Tagger,
    Transcriber,
    Translator,
    Writer,
)
from rnn_zoo_runtime.version import VERSION

__all__ = [
    "VERSION",
    "Classifier",
    "ConditionalWriter",
    "DamagedFile",
    "InputError",
    "SeriesForecaster",
    "SignalClassifier",
    "Stream",
    "Tagger",
    "Transcriber",
    "Translator",
    "Writer",
    "load",
]
