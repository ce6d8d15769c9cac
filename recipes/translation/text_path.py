"""The codecs of both sides: learned from train, kept in the run's folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.config import read_json, write_json
from recipes.translation.config import TranslationConfig
from zoo.text import SubwordCodec, TextCodec, Vocabulary

LEVELS = ("subword", "word", "character")
SIDES = ("source", "target")


def learn(config: TranslationConfig, side: str, texts: Sequence[str]) -> Any:
    """The codec of a side.

    Args:
        config: The side's level, size and case.
        side: `source` or `target`.
        texts: The training split's texts of that side.
    """
    level, size = getattr(config, f"{side}_level"), getattr(config, f"{side}_size")
    lower = getattr(config, f"lower_{side}")
    if level == "subword":
        return SubwordCodec.learn(texts, size=size, lower=lower)
    return TextCodec.learn(texts, size=size, min_count=config.min_count, level=level, lower=lower)


def save(codec: Any, directory: Path, side: str) -> None:
    """Writes `SIDE.txt` and `SIDE.json`."""
    if isinstance(codec, SubwordCodec):
        codec.save(directory, side)
    else:
        codec.vocabulary.save(directory / f"{side}.txt")
    write_json(directory / f"{side}.json", codec.get_config())


def load(config: TranslationConfig, directory: Path, side: str) -> Any:
    """Reads what `save` wrote."""
    options = read_json(directory / f"{side}.json")
    if getattr(config, f"{side}_level") == "subword":
        return SubwordCodec.load(directory, side, **options)
    return TextCodec(Vocabulary.load(directory / f"{side}.txt"), **options)


def of_run(config: TranslationConfig, directory: Path) -> dict[str, Any]:
    """The codecs of a run, by side."""
    return {side: load(config, directory, side) for side in SIDES}
