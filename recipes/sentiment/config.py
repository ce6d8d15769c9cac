"""The options of the `sentiment` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import LabelledColumns, TrainingConfig, option
from recipes.training.epochs import EpochRule


@dataclass(frozen=True)
class SentimentData(LabelledColumns):
    """How texts become token ids."""

    level: str = option("word", "Tokens: word or character.")
    lower: bool = option(True, "Convert texts to lower case.")
    vocabulary_size: int = option(20_000, "Size of the vocabulary at most.")
    min_count: int = option(2, "Occurrences in train that a token needs to be in the vocabulary.")
    max_length: int = option(400, "Tokens read of a text at most.")
    truncation: str = option("middle", "Part of a longer text that is left out; see zoo.text.")


@dataclass(frozen=True)
class SentimentConfig(TrainingConfig, SentimentData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(least=3, reference=22_000, patience=2)
    batch_size: int = TrainingConfig.with_default("batch_size", 64)
    learning_rate: float = TrainingConfig.with_default("learning_rate", 2e-3)
    architecture: str = TrainingConfig.with_default("architecture", "many_to_one")


MODEL = {
    "units": 64,
    "bidirectional": True,
    "embedding_dim": 100,
    "pooling": "concat",
    "dropout": 0.5,
    "word_dropout": 0.2,
}
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
