"""The options of the `translation` recipe."""

from dataclasses import dataclass
from pathlib import Path
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
from zoo.errors import InputError

EPOCHS = EpochRule(least=10, reference=29_000, patience=5, unit="training pairs")


@dataclass(frozen=True)
class TranslationData(DataOptions):
    """Where pairs of texts are, and what their tokens are."""

    source: str = option(
        "",
        "language (file ending, tfds feature) or column to translate from: its number from 0 or, "
        "with --header, its name",
    )
    target: str = option("", "language or column to translate into, likewise")
    format: str = option(
        "", "of files of pairs: tsv, csv, jsonl; by their endings if not given, else tsv"
    )
    header: bool = option(False, "the first line of a file of pairs names its columns")
    source_file: str = option("", "texts to translate, a line each, instead of --data")
    target_file: str = option("", "their translations, line by line")
    limit: int = option(0, "training pairs at most; 0 = all")
    source_level: str = option("subword", "a source token is a: subword, word, character")
    target_level: str = option("subword", "a target token is a: subword, word, character")
    source_size: int = option(8000, "source tokens that are known, at most")
    target_size: int = option(4000, "target tokens that are known, at most")
    min_count: int = option(2, "how often a word or character must occur to be known")
    lower_source: bool = option(True, "drop the case of the source")
    lower_target: bool = option(False, "drop the case of the target")
    split_digits: bool = option(False, "make each digit a subword of its own")
    subword_sampling: float = option(
        0.0, "split words otherwise in each epoch: 1 like the best way, near 0 any; 0 = never"
    )


@dataclass(frozen=True)
class TranslationConfig(TrainingConfig, TranslationData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(40, "pairs a step")
    learning_rate: float = option(1.5e-3, "Adam's")
    decay: str = option("cosine", "how it falls to 0 over all epochs: none, linear, cosine")
    warmup: float = option(
        0.05, "share of all steps in which the learning rate rises", only_if=DECAYING
    )
    average: float = option(
        0.5, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    label_smoothing: float = option(0.1, "share of the labels' probability given to all tokens")
    objective: str = option("bleu", "what chooses the best epoch: bleu, exact_match, loss")
    architecture: str = option("encoder_decoder", "a name from `python -m zoo list`")
    embedding_dim: int = option(128, "size of a token's vector")
    tied: bool = option(True, "one table for the target's vectors and the logits")
    cell: str = option("gru", "recurrent cell, from `python -m zoo list`")
    units: int = option(256, "hidden size K")
    num_layers: int = option(1, "recurrent layers on top of each other, on both sides")
    encoder_units: int = option(0, "the encoder's hidden size; 0 = --units")
    encoder_layers: int = option(0, "the encoder's layers; 0 = --num-layers")
    bidirectional: bool = option(True, "the encoder reads both ways")
    reverse_source: bool = option(False, "the encoder reads from the source's end")
    bridge: str = option("dense", "encoder's last states -> decoder's first: dense, copy, zero")
    attention: str = option("general", "general, dot, additive, or none")
    queries: str = option("last", "the decoder's layer that looks at the source: last, first")
    input_feeding: bool = option(False, "the decoder reads its last output; slower")
    coverage: bool = option(False, "attention sees what it looked at before; slower")
    residual: bool = option(False, "add to a layer's output what it read, from the second on")
    dropout: float = option(0.3, "share dropped of vectors, states, before the logits")
    word_dropout: float = option(0.0, "share of the tokens read as unknown")
    input_dropout: float = option(0.0, "share of layers' inputs dropped, one mask for all steps")
    recurrent_dropout: float = option(0.0, "share of the state dropped, one mask for all steps")
    weight_drop: float = option(0.0, "share of the recurrent matrices dropped for a batch")
    scheduled_sampling: float = option(0.0, "share of target tokens that are the model's own")
    beam_size: int = option(5, "sequences that are followed at once")
    length_penalty: float = option(1.0, "0 favours short translations, above 1 long ones")
    coverage_penalty: float = option(0.0, "cost of leaving out parts of the source")
    no_repeat: int = option(0, "no stretch of so many tokens comes twice; 0 = any may")
    replace_unknown: bool = option(False, "write the source word that attention points at")


# defaults for the built-in corpus: dates are read in subwords and single digits, which the target,
# written character by character, copies
BUILTIN: dict[str, Any] = {
    "source_level": "subword",
    "source_size": 800,
    "split_digits": True,
    "target_level": "character",
    "min_count": 1,
    "objective": "exact_match",
    "embedding_dim": 64,
    "units": 128,
    "attention": "additive",
    "epochs": 4,
    "patience": 5,
    "batch_size": 16,
    "dropout": 0.1,
    "learning_rate": 3e-3,
    "label_smoothing": 0.0,
    "average": 0.3,
}


@dataclass(frozen=True)
class Translating(Answering):
    """How `predict` translates."""

    beam_size: int = option(5, "sequences that are followed at once, 1 to 32; 1 = greedy")
    length_penalty: float = option(1.0, "0 favours short translations, above 1 long ones")
    max_tokens: int = option(0, "tokens at most, the end counted; 0 = by the source's length")
    n_best: int = option(1, "translations of each text, at most --beam-size")
    prefix: str = option("", "what the translations begin with")
    attention: str = option("", "a PNG to write: what each target token looked at")
    score: str = option("", "do not translate: tell this translation's probability")

    def __post_init__(self) -> None:
        """Checks the options, alone and together, before a model is loaded."""
        require_options(self, ("beam_size", "length_penalty", "max_tokens"), command=True)
        if not 1 <= self.n_best <= self.beam_size:
            raise InputError(
                f"--n-best must be 1 to --beam-size ({self.beam_size}), got {self.n_best}: change "
                "one of them"
            )
        if self.score and (self.prefix or self.attention):
            raise InputError("--score translates nothing: leave out --prefix and --attention")
        if self.attention and Path(self.attention).suffix.lower() != ".png":
            raise InputError(
                f"--attention must be a PNG to write, got {self.attention!r}: end in .png"
            )
