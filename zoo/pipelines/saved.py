"""Loads a pipeline that `Pipeline.save` wrote."""

from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile, InputError
from zoo.pipelines.classifier import Classifier
from zoo.pipelines.conditional_writer import ConditionalWriter
from zoo.pipelines.forecasts import SeriesForecaster
from zoo.pipelines.pipeline import FILE, MODEL, Pipeline
from zoo.pipelines.signal_classifier import SignalClassifier
from zoo.pipelines.tagger import Tagger
from zoo.pipelines.transcriber import Transcriber
from zoo.pipelines.translator import Translator
from zoo.pipelines.writer import Writer
from zoo.system import checksums, keras_file, stored
from zoo.text import NgramVectorizer, SubwordCodec, TextCodec, TokenVectorizer, Vectorizer

ADVICE = "save the pipeline again, or put back a copy"
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
        InputError: There is no pipeline.
        DamagedFile: A file is missing or damaged.
    """
    folder = Path(folder)
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"no pipeline in {folder}: give a folder that Pipeline.save wrote")
    checksums.verify_tree(folder, [FILE, MODEL], ADVICE)
    content = stored.read_json(path, dict, missing=ADVICE, advice=ADVICE)
    model = keras_file.load(folder / MODEL, compile=False, advice=ADVICE)
    try:
        paths = {
            name: TEXT_PATHS[one["class"]].load(folder, name, **one["options"])
            for name, one in content["text_paths"].items()
        }
        made: Pipeline = PIPELINES[content["pipeline"]](model, **paths, **content["options"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(f"{path} describes no pipeline ({error!r}): {ADVICE}") from error
    return made
