"""The data of the `sentiment` recipe: reviews from the grammar, from tfds, or from the user."""

from recipes import sources
from recipes.sentiment.builtin import generate
from recipes.sentiment.config import SentimentConfig
from recipes.sources.splits import Splits
from recipes.sources.table import Example


def load(config: SentimentConfig) -> Splits:
    """Loads the three splits that `config.data` names."""
    return sources.load(
        config.data,
        builtin=lambda: builtin(config.split_seed),
        text_column=config.text_column,
        label_column=config.label_column,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        split_seed=config.split_seed,
        download=config.download,
    )


def builtin(seed: int) -> Splits:
    """The generated corpus: 8,000 reviews to train on, 1,000 to validate and 1,000 to test."""
    train, validation, test = generate(seed=seed)
    return Splits(
        train=[Example(*review) for review in train],
        validation=[Example(*review) for review in validation],
        test=[Example(*review) for review in test],
    )
