"""The data of the `sentiment` recipe: reviews from the grammar, from tfds, or from the user."""

from recipes.classification import data
from recipes.sentiment.builtin import generate
from recipes.sentiment.config import SentimentConfig
from recipes.sources.splits import Splits


def load(config: SentimentConfig) -> Splits:
    """Loads the three splits that `config.data` names."""
    return data.load(config, lambda seed: generate(seed=seed))
