"""Pipelines: strings or numbers in, strings or numbers out; named as in `zoo.pipelines`."""

from typing import Any

from rnn_zoo_runtime.pipelines.classifier import Classifier
from rnn_zoo_runtime.pipelines.conditional_writer import ConditionalWriter
from rnn_zoo_runtime.pipelines.forecasts import SeriesForecaster
from rnn_zoo_runtime.pipelines.signal_classifier import SignalClassifier
from rnn_zoo_runtime.pipelines.stream import Stream
from rnn_zoo_runtime.pipelines.tagger import Tagger
from rnn_zoo_runtime.pipelines.transcriber import Transcriber
from rnn_zoo_runtime.pipelines.translator import Translator
from rnn_zoo_runtime.pipelines.writer import Writer

PIPELINES: dict[str, Any] = {
    each.__name__: each
    for each in (
        *(Classifier, ConditionalWriter, SeriesForecaster, SignalClassifier),
        *(Tagger, Transcriber, Translator, Writer),
    )
}
__all__ = [
    "PIPELINES",
    "Classifier",
    "ConditionalWriter",
    "SeriesForecaster",
    "SignalClassifier",
    "Stream",
    "Tagger",
    "Transcriber",
    "Translator",
    "Writer",
]
