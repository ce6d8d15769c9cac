"""The options of the `ner` recipe."""

from dataclasses import dataclass

from recipes.config import option
from recipes.tagging.config import TaggingConfig


@dataclass(frozen=True)
class NerConfig(TaggingConfig):
    """Named entities: a CRF over tags that mark stretches."""

    calibrate: bool = option(True, "lower the score of O to where validation's entity F1 is best")
    scheme: str = option("bio", "the tags that are learned and given: bio, iob1, bioes")


# the built-in corpus has no noise: what keeps a network from learning by heart only slows it there
BUILTIN = {"epochs": 8, "units": 64, "embedding_dim": 50, "dropout": 0.2}
