"""The options of the `pos` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.config import chosen_epochs, chosen_patience, option
from recipes.families.tagging.config import TaggingConfig
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=8, reference=12_500, patience=5, unit="training sentences")


@dataclass(frozen=True)
class PosConfig(TaggingConfig):
    """Parts of speech: each token's tag by itself, after two layers in both directions."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    num_layers: int = option(2, "recurrent layers on top of each other")
    head: str = option("softmax", "softmax, or crf: whole paths of tags")
    dropout: float = option(0.33, "share dropped from words' vectors and from states")
    character_units: int = option(100, "size of what is made of a word's letters")


# the built-in corpus has no noise: what keeps a network from learning by heart only slows it there
BUILTIN = {
    "epochs": 5,
    "patience": 5,
    "units": 64,
    "num_layers": 1,
    "embedding_dim": 50,
    "dropout": 0.2,
    "decay": "none",
    "rare_dropout": 0.0,
}
