"""The recipe `origin`: names -> vectors of letter n-grams -> a network without recurrence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recipes.config import LabelledColumns, TrainingConfig, numbers, option
from recipes.corpora import surnames
from recipes.families.classification import ClassificationRecipe
from recipes.recipe import Prepared
from recipes.registry import register
from recipes.training.batches import Encoded, SequenceBatches
from recipes.training.epochs import EpochRule
from zoo.text import NgramVectorizer


@dataclass(frozen=True)
class OriginData(LabelledColumns):
    """How a text becomes a vector."""

    ngrams: str = option("1,2,3", "Sizes of the letter n-grams, with commas between.")
    num_features: int = option(4096, "Number of features that the n-grams are hashed to.")
    lower: bool = option(True, "Convert texts to lower case.")


@dataclass(frozen=True)
class OriginConfig(TrainingConfig, OriginData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(least=30, reference=15_000, patience=8)
    batch_size: int = TrainingConfig.with_default("batch_size", 64)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    average: float = TrainingConfig.with_default("average", 1.0)
    architecture: str = TrainingConfig.with_default("architecture", "one_to_one")


@dataclass(frozen=True)
class FeatureBatches(SequenceBatches):
    """Batches of vectors of fixed size, from the numbers of their n-grams.

    Args:
        num_features: D.
    """

    num_features: int = 0

    def pad(self, members: np.ndarray) -> np.ndarray:
        """The examples' features, float32 (B, D), as `NgramVectorizer` makes them."""
        values = np.zeros((len(members), self.num_features), np.float32)
        for row, member in zip(values, members, strict=True):
            np.add.at(row, self.encoded.rows[member], 1)
        return values / np.linalg.norm(values, axis=1, keepdims=True)


@register
class OriginRecipe(ClassificationRecipe):
    """Text classification by a bag of letter n-grams."""

    name = "origin"
    config = OriginConfig
    data_options = OriginData
    model_defaults = {"units": 256, "dropout": 0.5}
    builtin = {"epochs": 30, "patience": 8}
    sized_by_data = {"num_classes": 2}
    note = (
        "It learned invented names of invented nations ({classes}), not of real ones. Train on "
        "real names before you use it: rnn-zoo all origin --data names.tsv --text-column "
        "name --label-column country"
    )
    texts_to_try = surnames.EXAMPLES
    text_options = ("ngrams", "num_features", "lower")

    def corpus(self, seed: int) -> Any:
        """The invented surnames."""
        return surnames.generate(seed)

    def check(self, config: OriginConfig) -> None:
        """Builds the vectorizer and a small network."""
        _vectorizer(config)
        super().check(config)

    def text_options_of(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The n-grams' options; their sizes are called otherwise there."""
        found = super().text_options_of(content)
        return {**found, "ngrams": found.get("sizes", "")}

    def learn_text_path(self, data: OriginData, texts: Sequence[str], directory: Path) -> None:
        """N-grams are hashed: there is nothing to learn."""

    def load_text_path(self, data: OriginData, directory: Path) -> NgramVectorizer:
        """The vectorizer, which the options make."""
        return _vectorizer(data)

    def batched(self, data: OriginData, encoded: Encoded, lengths: np.ndarray) -> FeatureBatches:
        """The batches of a split: of one length all, there is nothing to pad."""
        longest = int(encoded.lengths.max())
        return FeatureBatches(encoded, data.batch_size, [longest], data.num_features)

    def summarized(self, vectorizer: Any, classes: Sequence[str], train: SequenceBatches) -> str:
        """The classes and the features."""
        sizes = ", ".join(map(str, vectorizer.sizes))
        return (
            f"classes: {len(classes)}; n-grams of {sizes} letters, hashed to "
            f"{vectorizer.num_features:,} numbers"
        )

    def sizes(self, prepared: Prepared) -> dict[str, Any]:
        """The number of labels."""
        return {"num_classes": len(prepared.classes)}


def _vectorizer(data: OriginData) -> NgramVectorizer:
    return NgramVectorizer(data.num_features, numbers("ngrams", data.ngrams), data.lower)
