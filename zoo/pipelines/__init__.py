"""Text path, model and decoding in one graph: strings in, strings out, in Python and served."""

from zoo.pipelines.classifier import Classifier
from zoo.pipelines.conditional_writer import ConditionalWriter
from zoo.pipelines.crf_tags import crf_tagger, export_crf
from zoo.pipelines.forecasts import SeriesForecaster
from zoo.pipelines.pipeline import Pipeline, Signature
from zoo.pipelines.saved import load
from zoo.pipelines.signal_classifier import SignalClassifier
from zoo.pipelines.tagger import Tagger
from zoo.pipelines.transcriber import Transcriber
from zoo.pipelines.translator import BeamSearch, Translator
from zoo.pipelines.writer import Writer

__all__ = [
    "BeamSearch",
    "Classifier",
    "ConditionalWriter",
    "Pipeline",
    "SeriesForecaster",
    "SignalClassifier",
    "Signature",
    "Tagger",
    "Transcriber",
    "Translator",
    "Writer",
    "crf_tagger",
    "export_crf",
    "load",
]
