"""The options of the `generation` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import DECAYING, Answering, TrainingConfig, option
from recipes.data.running_text import RunningText
from recipes.training.epochs import EpochRule
from zoo.decoding.bounds import require_options

CHECKED = ("samples", "max_tokens", "temperature", "top_k", "top_p", "seed")


@dataclass(frozen=True)
class GenerationData(RunningText):
    """The source of the texts, their tokens, and the windows of training."""

    level: str = option("character", "Tokens: character, word, or space (between blanks).")
    lower: bool = option(False, "Convert texts to lower case.")
    vocabulary_size: int = option(50_000, "Size of the vocabulary at most.")
    min_count: int = option(1, "Occurrences in train that a token needs to be in the vocabulary.")
    carry: bool = option(
        True,
        "Pass the states from a text to the next; otherwise each starts from the initial states.",
    )
    window: int = option(100, "Tokens per window: gradients are truncated there.")


@dataclass(frozen=True)
class GenerationConfig(TrainingConfig, GenerationData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=6, reference=1_000_000, patience=3, unit="characters of training text"
    )
    batch_size: int = option(32, "Streams (or texts) per step.")
    learning_rate: float = option(6e-3, "Learning rate.")
    optimizer: str = option(
        "adam", "Optimizer: adam or sgd (for words: a rate of 20, clipped to 0.25)."
    )
    warmup: float = option(
        0.05,
        "Fraction of all steps in which the learning rate rises, 0 to below 1.",
        only_if=DECAYING,
    )
    decay: str = TrainingConfig.with_default("decay", "cosine")
    average: float = TrainingConfig.with_default("average", 0.1)
    validation_limit: int = option(0, "Tokens of validation that each epoch is scored on; 0 = all.")
    architecture: str = TrainingConfig.with_default("architecture", "language_model")


MODEL = {"cell": "gru", "embedding_dim": 64}
# defaults for the built-in corpus, whose lines are independent of each other
BUILTIN: dict[str, Any] = {
    "unit": "line",
    "carry": False,
    "level": "word",
    "epochs": 4,
    "patience": 3,
    "learning_rate": 4e-3,
    "average": 0.3,
}


@dataclass(frozen=True)
class Writing(Answering):
    """The options of `predict`."""

    max_tokens: int = option(200, "Tokens to generate at most.")
    temperature: float = option(1.0, "Sampling temperature; 0 = always the most likely token.")
    top_k: int = option(0, "Sample from this number of most likely tokens; 0 = all.")
    top_p: float = option(
        1.0, "Sample from the most likely tokens whose probabilities sum to this, 0 to 1."
    )
    samples: int = option(1, "Texts per prompt.")
    seed: int = option(0, "Random seed: the same seed generates the same text.")
    score: bool = option(False, "Score the text instead of continuing it.")

    def __post_init__(self) -> None:
        """Checks the options before a model is loaded."""
        require_options(self, CHECKED, command=True)
