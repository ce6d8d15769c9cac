"""The recipe `sentiment`: reviews -> words' ids -> a recurrent classifier."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.corpora.reviews.corpus import generate
from recipes.families.classification import ClassificationRecipe
from recipes.registry import register
from recipes.sentiment.config import BUILTIN, MODEL, SentimentConfig, SentimentData
from zoo.text import SPECIAL, Vectorizer, Vocabulary


@register
class SentimentRecipe(ClassificationRecipe):
    """Text classification with a recurrent network over words."""

    name = "sentiment"
    config = SentimentConfig
    data_options = SentimentData
    model_defaults = MODEL
    builtin = BUILTIN
    note = (
        "It learned generated reviews of films and products and knows {known} words; all others "
        "are unknown to it. Train on real reviews before you use it: python -m recipes sentiment "
        "--data reviews.tsv --text-column review --label-column stars"
    )
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
    names = ("level", "lower", "max_length", "truncation")
    return {name: getattr(data, name) for name in names}
