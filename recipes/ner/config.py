"""The options of the `ner` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import chosen_epochs, chosen_patience, option
from recipes.families.tagging.config import TaggingConfig, TaggingData
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=10, reference=3_000, patience=5, unit="training sentences")
# From this size on, more epochs, more convolutions over letters and a language model beside the
# tags gain on held-out data; on WNUT-17, 3,394 sentences, 25 epochs scored no better than 10. See
# benchmarks/results/tagging.md.
LARGE = 8_000  # training sentences
LARGER = {
    "epochs": 40,
    "patience": 10,
    "neighbour_words": 2_000,
    "character_widths": "2,3,4",
    "character_units": 100,
}
SMALLER = {"neighbour_words": 0, "character_widths": "3", "character_units": 50}


def _by_size(name: str, help: str) -> Any:
    """An option whose default depends on the size of the training split."""
    small, large = SMALLER[name], LARGER[name]
    told = f"{help} (default: {small}; {large} for {LARGE:,} training sentences or more)"
    return option(None, told, type(small))


@dataclass(frozen=True)
class NerData(TaggingData):
    """The data options of tagging, and the tag scheme."""

    scheme: str = option("bio", "the tags that are learned and given: bio, iob1, bioes")


@dataclass(frozen=True)
class NerConfig(TaggingConfig, NerData):
    """Named entities: a CRF over tags that mark spans."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS, f"{LARGER['epochs']} for {LARGE:,} or more, ")
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(16, "sentences a step")
    average: float = option(
        1.0, "epochs over which weights are averaged for use; 0 = the last ones"
    )
    neighbour_words: int = _by_size(
        "neighbour_words",
        "the N most frequent words, as next and previous word, are learned beside; 0 = none",
    )
    character_widths: str = _by_size(
        "character_widths", "letters that each of cnn's convolutions sees: 2,3,4"
    )
    character_units: int = _by_size("character_units", "size of what is made of a word's letters")
    embedding_dim: int = option(50, "size of a word's learned vector")
    units: int = option(100, "hidden size K of each direction")
    rare_dropout: float = option(4.0, "a word seen n times is hidden with chance a / (a + n)")
    calibrate: bool = option(True, "lower the score of O to where validation's entity F1 is best")
    shift: float = option(0.0, "what is taken off the score of O without --calibrate, nats")

    def by_size(self, size: int) -> dict[str, Any]:
        """Returns what is not given and follows from the size of train, in sentences."""
        chosen: dict[str, Any] = dict(LARGER if size >= LARGE else SMALLER)
        if not self._sees_one_side():
            chosen["neighbour_words"] = 0
        if "epochs" in chosen:
            chosen["epochs"] = max(chosen["epochs"], self.keep_epoch)
        return {name: value for name, value in chosen.items() if getattr(self, name) is None}

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
