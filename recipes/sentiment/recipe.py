"""The recipe `sentiment`: reviews -> words' ids -> a recurrent classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from recipes.config import LabelledColumns, TrainingConfig, option
from recipes.corpora.reviews.corpus import generate
from recipes.families.classification import ClassificationRecipe
from recipes.registry import register
from recipes.training.epochs import EpochRule
from zoo.text import SPECIAL, Vectorizer, Vocabulary

TEXT_OPTIONS = ("level", "lower", "max_length", "truncation")


@dataclass(frozen=True)
class SentimentData(LabelledColumns):
    """How texts become token ids."""

    level: str = option("word", "Tokens: word or character.")
    lower: bool = option(True, "Convert texts to lower case.")
    vocabulary_size: int = option(20_000, "Size of the vocabulary at most.")
    min_count: int = option(2, "Occurrences in train that a token needs to be in the vocabulary.")
    max_length: int = option(400, "Tokens read of a text at most.")
    truncation: str = option(
        "middle", "Tokens kept of a longer text: head, tail, or middle (all but the middle)."
    )


@dataclass(frozen=True)
class SentimentConfig(TrainingConfig, SentimentData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(least=3, reference=22_000, patience=2)
    batch_size: int = TrainingConfig.with_default("batch_size", 64)
    learning_rate: float = TrainingConfig.with_default("learning_rate", 2e-3)
    architecture: str = TrainingConfig.with_default("architecture", "many_to_one")


@register
class SentimentRecipe(ClassificationRecipe):
    """Text classification with a recurrent network over words."""

    name = "sentiment"
    config = SentimentConfig
    data_options = SentimentData
    model_defaults = {
        "units": 64,
        "bidirectional": True,
        "embedding_dim": 100,
        "pooling": "concat",
        "dropout": 0.5,
        "word_dropout": 0.2,
    }
    # the built-in corpus has 800 words and no noise: regularisation against overfitting 30,000
    # words only slows training down there
    builtin = {
        "batch_size": 32,
        "learning_rate": 5e-3,
        "epochs": 10,
        "patience": 2,
        "embedding_dim": 64,
        "dropout": 0.2,
        "word_dropout": 0.0,
        "min_count": 1,
    }
    note = (
        "It learned generated reviews of films and products and knows {known} words; all others "
        "are unknown to it. Train on real reviews before you use it: rnn-zoo all sentiment "
        "--data reviews.tsv --text-column review --label-column stars"
    )
    text_options = TEXT_OPTIONS
    texts_to_try = (
        "There is nothing to like about this film.",
        "Slow, but I loved it.",
        "The acting is superb, but the plot is a mess.",
        "Not bad at all!",
        "I expected a masterpiece and got a disaster.",
        "The battery is better than I had feared.",
    )

    def corpus(self, seed: int) -> Any:
        """The generated reviews."""
        return generate(seed=seed)

    def check(self, config: SentimentConfig) -> None:
        """Builds a small vectorizer and a small model."""
        Vectorizer(Vocabulary(SPECIAL), **_text_options(config))
        super().check(config)

    def learn_text_path(self, data: SentimentData, texts: Sequence[str], directory: Path) -> None:
        """Writes the vocabulary."""
        vectorizer = Vectorizer.learn(
            texts, size=data.vocabulary_size, min_count=data.min_count, **_text_options(data)
        )
        vectorizer.save(directory, "vocabulary")

    def load_text_path(self, data: SentimentData, directory: Path) -> Vectorizer:
        """The vectorizer of a run."""
        return Vectorizer.load(directory, "vocabulary", **_text_options(data))


def _text_options(data: SentimentData) -> dict[str, Any]:
    return {name: getattr(data, name) for name in TEXT_OPTIONS}
