"""The codecs of source and target: learned from train and stored in the run's folder."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import pretrained
from recipes.config import write_json
from recipes.run_files import make_from
from recipes.translation.config import TranslationData
from zoo.text import SubwordCodec, TextCodec, Vocabulary

LEVELS = ("subword", "word", "character")
SIDES = ("source", "target")


def learn(data: TranslationData, side: str, texts: Sequence[str]) -> Any:
    """Learns the codec of a side, `source` or `target`, from its training texts."""
    level, size = getattr(data, f"{side}_level"), getattr(data, f"{side}_size")
    lower = getattr(data, f"lower_{side}")
    if level == "subword":
        digits = data.split_digits
        return SubwordCodec.learn(texts, size=size, lower=lower, split_digits=digits)
    return TextCodec.learn(texts, size=size, min_count=data.min_count, level=level, lower=lower)


def initial(data: TranslationData, side: str, texts: Sequence[str]) -> Any:
    """Learns the codec of a side, or extends that of the pretrained model to start from.

    Subwords spell every text, so that those of a pretrained model stay as they are.
    """
    if not data.init:
        return learn(data, side, texts)
    start = pretrained.of(data.init)
    subwords = start.text_paths.get(side)
    if getattr(data, f"{side}_level") == "subword" and isinstance(subwords, SubwordCodec):
        return subwords
    return start.extended(side, learn(data, side, texts))


def save(codec: Any, directory: Path, side: str) -> None:
    """Writes `SIDE.txt` and `SIDE.json`."""
    codec.save(directory, side)
    write_json(directory / f"{side}.json", codec.get_config())


def load(data: TranslationData, directory: Path, side: str) -> Any:
    """Loads a codec written by `save`."""
    options = directory / f"{side}.json"
    if getattr(data, f"{side}_level") == "subword":
        return make_from(options, functools.partial(SubwordCodec.load, directory, side))
    vocabulary = Vocabulary.load(directory / f"{side}.txt")
    return make_from(options, functools.partial(TextCodec, vocabulary))


def of_run(data: TranslationData, directory: Path) -> dict[str, Any]:
    """Loads the codecs of a run by side."""
    return {side: load(data, directory, side) for side in SIDES}
