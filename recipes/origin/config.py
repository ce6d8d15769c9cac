"""The options of the `origin` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import LabelledColumns, TrainingConfig, option
from recipes.training.epochs import EpochRule


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


MODEL = {"units": 256, "dropout": 0.5}
BUILTIN = {"epochs": 30, "patience": 8}
