"""The options of the `ner` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import chosen_epochs, chosen_patience, option
from recipes.epochs import EpochRule
from recipes.tagging.config import TaggingConfig

EPOCHS = EpochRule(least=10, reference=3_000, patience=5, unit="training sentences")


@dataclass(frozen=True)
class NerConfig(TaggingConfig):
    """Named entities: a CRF over tags that mark stretches."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(16, "sentences a step")
    average: float = option(
        1.0, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    embedding_dim: int = option(50, "size of a word's learned vector")
    units: int = option(100, "hidden size K of each direction")
    rare_dropout: float = option(4.0, "a word seen n times is hidden with chance a / (a + n)")
    calibrate: bool = option(True, "lower the score of O to where validation's entity F1 is best")
    shift: float = option(0.0, "what is taken off the score of O without --calibrate, nats")
    scheme: str = option("bio", "the tags that are learned and given: bio, iob1, bioes")


# the built-in corpus has no noise: what keeps a network from learning by heart only slows it there
BUILTIN = {
    "epochs": 8,
    "patience": 5,
    "units": 64,
    "dropout": 0.2,
    "batch_size": 32,
    "average": 0.3,
    "decay": "none",
    "rare_dropout": 0.0,
}
