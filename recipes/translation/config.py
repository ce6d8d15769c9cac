"""The options of the `translation` recipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from recipes.config import DECAYING, Answering, TrainingConfig, option
from recipes.data.pairs import PairOptions
from recipes.training.epochs import EpochRule
from zoo.decoding.bounds import require_options
from zoo.errors import InputError


@dataclass(frozen=True)
class TranslationData(PairOptions):
    """The source of the pairs and the tokens of both sides."""

    source_level: str = option("subword", "Tokens of the source: subword, word, character.")
    target_level: str = option("subword", "Tokens of the target: subword, word, character.")
    source_size: int = option(8000, "Size of the source vocabulary at most.")
    target_size: int = option(4000, "Size of the target vocabulary at most.")
    min_count: int = option(
        2, "Occurrences that a word or character needs to be in the vocabulary."
    )
    lower_source: bool = option(True, "Convert sources to lower case.")
    lower_target: bool = option(False, "Convert targets to lower case.")
    split_digits: bool = option(False, "Make each digit a subword of its own.")


@dataclass(frozen=True)
class TranslationConfig(TrainingConfig, TranslationData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=10, reference=29_000, patience=5, unit="training pairs"
    )
    batch_size: int = option(40, "Pairs per step.")
    learning_rate: float = TrainingConfig.with_default("learning_rate", 1.5e-3)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    warmup: float = option(
        0.05, "Fraction of all steps in which the learning rate rises.", only_if=DECAYING
    )
    average: float = TrainingConfig.with_default("average", 0.5)
    label_smoothing: float = option(
        0.1, "Label smoothing: fraction of the probability spread over all tokens, 0 to below 1."
    )
    objective: str = option("bleu", "Metric that chooses the best epoch: bleu, exact_match, loss.")
    architecture: str = TrainingConfig.with_default("architecture", "encoder_decoder")
    beam_size: int = option(5, "Width of the beam search, 1 to 32; 1 = greedy.")
    length_penalty: float = option(
        1.0, "Length penalty, 0 or more: 0 favours short translations, above 1 long ones."
    )
    coverage_penalty: float = option(
        0.0, "Coverage penalty: cost of leaving out parts of the source."
    )
    no_repeat: int = option(0, "Forbid repeated n-grams of this size; 0 = off.")
    replace_unknown: bool = option(
        False, "Replace unknown words by the source word with the largest attention weight."
    )


MODEL = {"embedding_dim": 128, "dropout": 0.3}
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
    """The options of `predict`."""

    beam_size: int = TranslationConfig.with_default("beam_size", 5)
    length_penalty: float = TranslationConfig.with_default("length_penalty", 1.0)
    max_tokens: int = option(
        0, "Tokens per translation at most, including the end token; 0 = by the source's length."
    )
    n_best: int = option(1, "Translations per text, 1 to --beam-size.")
    prefix: str = option("", "Prefix that all translations must have.")
    attention: str = option(
        "", "PNG file to write with the attention weights of each target token."
    )
    score: str = option("", "Score this translation instead of translating.")

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
