"""The options of the `sentiment` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import LabelledColumns, TrainingConfig, chosen_epochs, chosen_patience, option
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=3, reference=22_000, patience=2)


@dataclass(frozen=True)
class SentimentData(LabelledColumns):
    """How texts become token ids."""

    level: str = option("word", "what a token is: word or character")
    lower: bool = option(True, "drop case")
    vocabulary_size: int = option(20_000, "number of tokens known, at most")
    min_count: int = option(2, "times a token must occur in train to be known")
    max_length: int = option(400, "tokens read of a text, at most")
    truncation: str = option("middle", "what is left out of a longer text: see zoo.text")


@dataclass(frozen=True)
class SentimentConfig(TrainingConfig, SentimentData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(64, "examples a step")
    learning_rate: float = option(2e-3, "Adam's")
    architecture: str = option("many_to_one", "a name from `python -m zoo list`")
    cell: str = option("lstm", "recurrent cell, from `python -m zoo list`")
    units: int = option(64, "hidden size K of each direction")
    num_layers: int = option(1, "recurrent layers on top of each other")
    bidirectional: bool = option(True, "read each text in both directions")
    merge_mode: str = option("concat", "how two directions become one: concat, sum, ave, mul")
    embedding_dim: int = option(100, "size of a token's vector")
    pooling: str = option("concat", "how states become one: last, mean, max, attention, concat")
    dropout: float = option(0.5, "share dropped from embeddings and pooled states")
    recurrent_dropout: float = option(0.0, "share of the state dropped, one mask for all steps")
    word_dropout: float = option(0.2, "share of tokens read as unknown in training")


# the built-in corpus has 800 words and no noise: regularisation against overfitting 30,000 words
# only slows training down there
BUILTIN = {
    "batch_size": 32,
    "learning_rate": 5e-3,
    "epochs": 10,
    "patience": 2,
    "embedding_dim": 64,
    "dropout": 0.2,
    "word_dropout": 0.0,
    "min_count": 1,
}
