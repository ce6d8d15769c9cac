"""The options of the recipes that generate texts for a label."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import Answering, TrainingConfig, option
from recipes.training.epochs import EpochRule
from zoo.decoding.bounds import require_options

CHECKED = ("samples", "max_tokens", "temperature", "top_k", "top_p", "min_p", "guidance", "seed")


@dataclass(frozen=True)
class WritingConfig(TrainingConfig):
    """Training options, and the sampling options of the texts generated for the metrics."""

    RULE: ClassVar[EpochRule] = EpochRule(least=16, reference=14_000, patience=4)
    batch_size: int = option(128, "Texts per step.")
    learning_rate: float = TrainingConfig.with_default("learning_rate", 5e-3)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    average: float = TrainingConfig.with_default("average", 1.0)
    architecture: str = TrainingConfig.with_default("architecture", "one_to_many")
    samples: int = option(100, "Texts generated per class for the metrics.")
    temperature: float = option(2.0, "Sampling temperature of the generated texts; see the README.")
    min_p: float = option(0.02, "Sampling threshold of the generated texts; see predict --help.")
    guidance: float = option(
        2.0, "Strength of classifier-free guidance towards the class; 0 = none."
    )


MODEL = {
    "embedding_dim": 32,
    "cell": "gru",
    "units": 256,
    "dropout": 0.3,
    "class_dropout": 0.1,
    "recurrent_dropout": 0.2,
}


@dataclass(frozen=True)
class WritingAnswers(Answering):
    """The options of `predict`."""

    samples: int = option(5, "Names per label.")
    max_tokens: int = option(30, "Letters per name at most, including the end token.")
    temperature: float = option(1.0, "Sampling temperature; 0 = always the most likely letter.")
    top_k: int = option(0, "Sample from this number of most likely letters; 0 = all.")
    top_p: float = option(
        1.0, "Sample from the most likely letters whose probabilities sum to this, 0 to 1."
    )
    min_p: float = option(
        0.02, "Minimum probability of a letter, relative to the most likely one, 0 to 1."
    )
    guidance: float = option(
        1.0, "Strength of classifier-free guidance towards the label; 0 = none."
    )
    seed: int = option(0, "Random seed: the same seed generates the same names.")
    score: str = option("", "Generate nothing; print this name's probability for each label.")

    def __post_init__(self) -> None:
        """Checks the options before a model is loaded."""
        require_options(self, CHECKED, command=True)
