"""The data of the `sentiment` recipe: reviews from the grammar, from tfds, or from the user."""

from recipes.corpora.reviews.corpus import generate
from recipes.data.splits import Splits
from recipes.families.classification import data
from recipes.sentiment.config import SentimentConfig


def load(config: SentimentConfig, whole: bool = False) -> Splits:
    """The three splits that `config.data` names, or with `whole` all of it as `test`."""
    return data.load(config, lambda seed: generate(seed=seed), whole)
