"""The options of the `pos` recipe."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.families.tagging.config import MODEL as TAGGING
from recipes.families.tagging.config import TaggingConfig
from recipes.training.epochs import EpochRule


@dataclass(frozen=True)
class PosConfig(TaggingConfig):
    """Parts of speech: each token's tag by itself, after two layers in both directions."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=8, reference=12_500, patience=5, unit="training sentences"
    )


MODEL = {**TAGGING, "num_layers": 2, "head": "softmax", "dropout": 0.33, "character_units": 100}
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
