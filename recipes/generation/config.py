"""The options of the `generation` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import (
    DECAYING,
    Answering,
    DataOptions,
    TrainingConfig,
    chosen_epochs,
    chosen_patience,
    option,
)
from recipes.training.epochs import EpochRule
from zoo.decoding.bounds import require_options

CHECKED = ("samples", "max_tokens", "temperature", "top_k", "top_p", "seed")
EPOCHS = EpochRule(least=6, reference=1_000_000, patience=3, unit="characters of training text")


@dataclass(frozen=True)
class GenerationData(DataOptions):
    """What the texts and their tokens are, and how they are cut into windows."""

    text_column: str = option("text", "tfds feature that holds the text")
    unit: str = option("file", "what one text is: a file, or a line")
    limit: int = option(0, "characters of train that are read; 0 = all")
    level: str = option("character", "what a token is: character, word, or space (between blanks)")
    lower: bool = option(False, "drop case")
    vocabulary_size: int = option(50_000, "number of token ids at most")
    min_count: int = option(1, "times a token must occur in train to be known")
    carry: bool = option(True, "carry the state from text to text; else each begins afresh")
    window: int = option(100, "tokens through which gradients go back")


@dataclass(frozen=True)
class GenerationConfig(TrainingConfig, GenerationData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(32, "streams (or texts) beside each other")
    learning_rate: float = option(6e-3, "of the optimizer")
    optimizer: str = option("adam", "adam, or sgd (for words: a rate of 20, clipped to 0.25)")
    warmup: float = option(
        0.05, "share of all steps in which the rate rises to its height", only_if=DECAYING
    )
    decay: str = option("cosine", "how it falls to 0 over all epochs: none, linear, cosine")
    average: float = option(0.1, "epochs over which weights are averaged for use; 0 = the last")
    validation_limit: int = option(0, "tokens of validation that an epoch is scored on; 0 = all")
    architecture: str = option("language_model", "a name from `python -m zoo list`")
    cell: str = option("gru", "recurrent cell, from `python -m zoo list`")
    units: int = option(256, "hidden size K")
    num_layers: int = option(1, "recurrent layers on top of each other")
    residual: bool = option(False, "add to a layer's output what it read, from the second on")
    embedding_dim: int = option(64, "size of a token's vector")
    tied: bool = option(False, "one table for tokens that are read and that are told")
    sampled: int = option(0, "words that the training loss looks at; 0 = all")
    dropout: float = option(0.0, "share dropped between layers and before the logits")
    type_dropout: float = option(0.0, "share of the vocabulary dropped for a batch")
    input_dropout: float = option(0.0, "share of layers' inputs dropped, one mask for all steps")
    output_dropout: float = option(0.0, "the same of the last layer's outputs")
    recurrent_dropout: float = option(0.0, "share of the state dropped, one mask for all steps")
    weight_drop: float = option(0.0, "share of the recurrent matrices dropped for a batch")
    ar: float = option(0.0, "weight of activation regularisation")
    tar: float = option(0.0, "weight of temporal activation regularisation")


# what the built-in corpus takes where nothing is given: lines that stand by themselves
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
    """How `predict` writes on."""

    max_tokens: int = option(200, "tokens that are written at most")
    temperature: float = option(1.0, "below 1 keeps to the likely, 0 takes the likeliest")
    top_k: int = option(0, "draw among so many tokens; 0 = all")
    top_p: float = option(1.0, "draw among the likeliest tokens that have this probability")
    samples: int = option(1, "texts for each prompt")
    seed: int = option(0, "the same seed writes the same text")
    score: bool = option(False, "do not write, tell the text's probability")

    def __post_init__(self) -> None:
        """Checks the options before a model is loaded."""
        require_options(self, CHECKED, command=True)
