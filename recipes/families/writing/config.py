"""The options of the recipes that write texts to a label."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import Answering, TrainingConfig, chosen_epochs, chosen_patience, option
from recipes.training.epochs import EpochRule
from zoo.decoding.bounds import require_options

CHECKED = ("samples", "max_tokens", "temperature", "top_k", "top_p", "min_p", "guidance", "seed")
EPOCHS = EpochRule(least=16, reference=14_000, patience=4)


@dataclass(frozen=True)
class WritingConfig(TrainingConfig):
    """The network that writes a text to a label, and how it writes what is measured."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(128, "texts a step")
    learning_rate: float = option(5e-3, "Adam's")
    decay: str = option("cosine", "how it falls to 0 over all epochs: none, linear, cosine")
    average: float = option(
        1.0, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    architecture: str = option("one_to_many", "a name from `python -m zoo list`")
    conditioning: str = option("both", "how the class reaches the decoder: state, input, both")
    class_dim: int = option(32, "size of the class's vector")
    embedding_dim: int = option(32, "size of a token's vector")
    cell: str = option("gru", "recurrent cell, from `python -m zoo list`")
    units: int = option(256, "hidden size K")
    num_layers: int = option(1, "recurrent layers on top of each other")
    residual: bool = option(False, "add to a layer's output what it read, from the second on")
    dropout: float = option(0.3, "share dropped between layers and before the logits")
    class_dropout: float = option(0.1, "share of texts read without their class, for guidance")
    input_dropout: float = option(0.0, "share of layers' inputs dropped, one mask for all steps")
    recurrent_dropout: float = option(0.2, "share of the state dropped, one mask for all steps")
    weight_drop: float = option(0.0, "share of the recurrent matrices dropped for a batch")
    samples: int = option(100, "texts of each class that are written to be measured")
    temperature: float = option(2.0, "at which they are drawn; the README says what it changes")
    min_p: float = option(0.02, "see predict --help")
    guidance: float = option(2.0, "how strongly the class draws; 0 = as the model says")


@dataclass(frozen=True)
class WritingAnswers(Answering):
    """How `predict` writes names."""

    samples: int = option(5, "names for each label")
    max_tokens: int = option(30, "letters at most, the end counted")
    temperature: float = option(1.0, "below 1 keeps to the likely, 0 takes the likeliest")
    top_k: int = option(0, "draw among so many letters; 0 = all")
    top_p: float = option(1.0, "draw among the likeliest letters that have this probability")
    min_p: float = option(0.02, "leave out letters of a smaller share of the likeliest's chance")
    guidance: float = option(1.0, "how strongly the label draws; 0 = as the model says")
    seed: int = option(0, "the same seed writes the same names")
    score: str = option("", "do not write: tell this name's probability for each label")

    def __post_init__(self) -> None:
        """Checks the options before a model is loaded."""
        require_options(self, CHECKED, command=True)
