"""The options of the `ner` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import chosen_epochs, chosen_patience, option
from recipes.epochs import EpochRule
from recipes.tagging.config import TaggingConfig

EPOCHS = EpochRule(least=10, reference=3_000, patience=5, unit="training sentences")
# From this size on, more epochs and a language model beside the tags gained on held-out data; on
# the 3,394 sentences of WNUT-17, 25 epochs scored no better than 10.
LARGE = 8_000  # training sentences
LARGE_EPOCHS, LARGE_PATIENCE, LARGE_WORDS = 30, 10, 2_000


@dataclass(frozen=True)
class NerConfig(TaggingConfig):
    """Named entities: a CRF over tags that mark stretches."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS, f"{LARGE_EPOCHS} for {LARGE:,} or more, ")
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(16, "sentences a step")
    average: float = option(
        1.0, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    neighbour_words: int = option(
        None,
        "the N most frequent words, as next and previous word, are learned beside; 0 = none "
        f"(default: {LARGE_WORDS} for {LARGE:,} training sentences or more where one recurrent "
        "layer reads the words, else 0)",
        int,
    )
    embedding_dim: int = option(50, "size of a word's learned vector")
    units: int = option(100, "hidden size K of each direction")
    rare_dropout: float = option(4.0, "a word seen n times is hidden with chance a / (a + n)")
    calibrate: bool = option(True, "lower the score of O to where validation's entity F1 is best")
    shift: float = option(0.0, "what is taken off the score of O without --calibrate, nats")
    scheme: str = option("bio", "the tags that are learned and given: bio, iob1, bioes")

    def by_size(self, size: int) -> dict[str, Any]:
        """Returns the epochs, the patience and the neighbouring words for a size of train."""
        large = size >= LARGE
        chosen: dict[str, Any] = {}
        if self.epochs is None and large:
            chosen["epochs"] = max(LARGE_EPOCHS, self.keep_epoch)
        if self.patience is None and large:
            chosen["patience"] = LARGE_PATIENCE
        if self.neighbour_words is None:
            chosen["neighbour_words"] = LARGE_WORDS if large and self._sees_one_side() else 0
        return chosen

    def _sees_one_side(self) -> bool:
        """Whether a state has read the words on one side of its token alone."""
        one_layer = self.num_layers == 1 and not self.dense_layers
        apart = not self.bidirectional or self.merge_mode == "concat"
        return one_layer and apart and not (self.context or self.unlabelled)


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
