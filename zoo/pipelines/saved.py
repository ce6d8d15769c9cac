"""Loads a pipeline that `Pipeline.save` wrote."""

from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile
from zoo.pipelines import artefact
from zoo.pipelines.classifier import Classifier
from zoo.pipelines.conditional_writer import ConditionalWriter
from zoo.pipelines.forecasts import SeriesForecaster
from zoo.pipelines.pipeline import Pipeline
from zoo.pipelines.signal_classifier import SignalClassifier
from zoo.pipelines.tagger import Tagger
from zoo.pipelines.transcriber import Transcriber
from zoo.pipelines.translator import Translator
from zoo.pipelines.writer import Writer
from zoo.system.artefact import ADVICE, read_config
from zoo.text import NgramVectorizer, SubwordCodec, TextCodec, TokenVectorizer, Vectorizer

TEXT_PIPELINES = (Classifier, ConditionalWriter, Tagger, Translator, Writer)
PIPELINES: dict[str, Any] = {
    each.__name__: each
    for each in (*TEXT_PIPELINES, SeriesForecaster, SignalClassifier, Transcriber)
}
TEXT_PATHS: dict[str, Any] = {
    each.__name__: each
    for each in (NgramVectorizer, SubwordCodec, TextCodec, TokenVectorizer, Vectorizer)
}


def load(folder: Path | str) -> Pipeline:
    """Loads a pipeline from what `save` wrote: its model, its text paths and its options.

    Raises:
        InputError: There is no pipeline, a newer version wrote it, or its model cannot be built.
        DamagedFile: A file is missing or damaged.
    """
    folder = Path(folder)
    content = read_config(folder)
    try:
        kind = PIPELINES[content["pipeline"]]
        described = {name: content["text_paths"][name] for name in kind.path_names}
        paths = {
            name: TEXT_PATHS[one["class"]].load(folder, name, **one["options"])
            for name, one in described.items()
        }
        made: Pipeline = kind(artefact.read_model(folder, content), **paths, **content["options"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(f"{folder} describes no pipeline ({error!r}): {ADVICE}") from error
    return made
