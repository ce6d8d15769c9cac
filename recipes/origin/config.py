"""The options of the `origin` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import LabelledColumns, TrainingConfig, chosen_epochs, chosen_patience, option
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=30, reference=15_000, patience=8)


@dataclass(frozen=True)
class OriginData(LabelledColumns):
    """How a text becomes a vector."""

    ngrams: str = option("1,2,3", "letters of an n-gram, with commas between the sizes")
    num_features: int = option(4096, "numbers that the n-grams are hashed to")
    lower: bool = option(True, "drop case")


@dataclass(frozen=True)
class OriginConfig(TrainingConfig, OriginData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(64, "examples a step")
    decay: str = option("cosine", "how it falls to 0 over all epochs: none, linear, cosine")
    average: float = option(
        1.0, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    architecture: str = option("one_to_one", "a name from `python -m zoo list`")
    units: int = option(256, "hidden size K of each layer")
    num_layers: int = option(1, "hidden layers on top of each other")
    activation: str = option("relu", "of the hidden layers, a Keras activation")
    dropout: float = option(0.5, "share dropped from the features and from each hidden layer")


BUILTIN = {"epochs": 30, "patience": 8}
