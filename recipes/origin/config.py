"""The options of the `origin` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import TrainingConfig, chosen_epochs, chosen_patience, option
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=30, reference=15_000, patience=8)


@dataclass(frozen=True)
class OriginConfig(TrainingConfig):
    """Where names and their classes stand, how a name becomes a vector, and the network."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(64, "examples a step")
    decay: str = option("cosine", "how it falls to 0 over all epochs: none, linear, cosine")
    average: float = option(
        1.0, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    text_column: str = option(
        "text",
        "column (or tfds feature) of the name: its name, or its number from 0; with commas: the "
        "first that a file has",
    )
    label_column: str = option("label", "column (or tfds feature) of the class, likewise")
    format: str = option(
        "",
        "of the files: tsv, csv, jsonl; txt = a folder with a file for each class; by their "
        "endings if not given",
    )
    header: bool = option(True, "the first line of TSV and CSV names the columns")
    ngrams: str = option("1,2,3", "letters of an n-gram, with commas between the sizes")
    num_features: int = option(4096, "numbers that the n-grams are hashed to")
    lower: bool = option(True, "drop case")
    architecture: str = option("one_to_one", "a name from `python -m zoo list`")
    units: int = option(256, "hidden size K of each layer")
    num_layers: int = option(1, "hidden layers on top of each other")
    activation: str = option("relu", "of the hidden layers, a Keras activation")
    dropout: float = option(0.5, "share dropped from the features and from each hidden layer")


BUILTIN = {"epochs": 30, "patience": 8}
