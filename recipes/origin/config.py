"""The options of the `origin` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import LabelledColumns, TrainingConfig, chosen_epochs, chosen_patience, option
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=30, reference=15_000, patience=8)


@dataclass(frozen=True)
class OriginData(LabelledColumns):
    """How a text becomes a vector."""

    ngrams: str = option("1,2,3", "Sizes of the letter n-grams, with commas between.")
    num_features: int = option(4096, "Number of features that the n-grams are hashed to.")
    lower: bool = option(True, "Convert texts to lower case.")


@dataclass(frozen=True)
class OriginConfig(TrainingConfig, OriginData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(64, "Examples per step.")
    decay: str = option(
        "cosine", "How the learning rate falls to 0 over all epochs: none, linear, cosine."
    )
    average: float = option(
        1.0, "Epochs over which the weights are averaged; 0 = use the last weights."
    )
    architecture: str = option("one_to_one", "Architecture, one of those that `zoo list` names.")


MODEL = {"units": 256, "dropout": 0.5}
BUILTIN = {"epochs": 30, "patience": 8}
