"""Pairs -> ids -> batches, with the run's vocabularies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.data.pairs import PairSplits
from recipes.translation import text_path
from recipes.translation.batching import EncodedPairs, PairBatches
from recipes.translation.config import TranslationConfig

SPLITS = ("train", "validation", "test")
STEP = 4  # tokens: what lengths are padded to a multiple of


@dataclass(frozen=True)
class Prepared:
    """All that lies between the pairs and the network.

    Attributes:
        config: The run's options.
        splits: The pairs.
        codecs: Strings <-> ids, of `source` and `target`.
        batches: The batches of `train`, `validation` and `test`.
    """

    config: TranslationConfig
    splits: PairSplits
    codecs: dict[str, Any]
    batches: dict[str, PairBatches]

    @property
    def summary(self) -> str:
        """What is told of the data before training."""
        train = self.batches["train"]
        counted = zip(("source", "target"), train.encoded.lengths.sum(axis=0), strict=True)
        sizes = ", ".join(
            f"{side} {len(self.codecs[side].vocabulary):,} tokens ({count:,} in train)"
            for side, count in counted
        )
        left = (
            f"; {self.splits.blank} pairs with a blank side left out" if self.splits.blank else ""
        )
        return f"vocabularies: {sizes}; {train.padding_share:.1%} of places padding{left}"


def prepare(config: TranslationConfig, splits: PairSplits, directory: Path) -> Prepared:
    """Turns the pairs to ids, with the run's own vocabularies if it has them already."""
    texts = {
        side: {name: [getattr(pair, side) for pair in getattr(splits, name)] for name in SPLITS}
        for side in text_path.SIDES
    }
    if (directory / "target.json").exists():
        codecs = text_path.of_run(config, directory)
    else:
        codecs = {side: text_path.learn(config, side, texts[side]["train"]) for side in texts}
        for side, codec in codecs.items():
            text_path.save(codec, directory, side)
    encoded = {side: text_path.encoded(codecs[side], texts[side]) for side in text_path.SIDES}
    batches = {}
    for name in SPLITS:
        rows = [encoded[side][name] for side in text_path.SIDES]
        resample = None
        if name == "train" and config.subword_sampling:
            given = {side: texts[side][name] for side in texts}
            resample = text_path.resampling(config.subword_sampling, codecs, rows, given)
        batches[name] = PairBatches(EncodedPairs(*rows), config.batch_size, STEP, resample)
    return Prepared(config, splits, codecs, batches)
