"""The options of the `ner` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import chosen_epochs, option
from recipes.families.tagging.config import MODEL as TAGGING
from recipes.families.tagging.config import WIDTHS, TaggingConfig, TaggingData
from recipes.training.epochs import EpochRule
from zoo.layers.characters import WITH_CNN, WITH_LETTERS
from zoo.options import Condition

EPOCHS = EpochRule(least=10, reference=3_000, patience=5, unit="training sentences")
# From this size on, more epochs and units, more convolutions over letters, a language model beside
# the tags and trained vectors gain on held-out data; on WNUT-17, 3,394 sentences, 25 epochs scored
# no better than 10. See benchmarks/results/tagging.md.
LARGE = 8_000  # training sentences
LARGER = {
    "epochs": 40,
    "patience": 10,
    "neighbour_words": 2_000,
    "character_widths": "2,3,4",
    "character_units": 100,
    "units": 200,
    "train_vectors": True,
}
SMALLER = {
    "neighbour_words": 0,
    "character_widths": "3",
    "character_units": 50,
    "units": 100,
    "train_vectors": False,
}


def _by_size(name: str, help: str, only_if: Condition | None = None) -> Any:
    """An option whose default depends on the size of the training split."""
    small, large = SMALLER[name], LARGER[name]
    size = f"{LARGE:,} training sentences or more"
    text = f"{help.removesuffix('.')} (default: {small}; {large} for {size})"
    return option(None, text, only_if=only_if)


@dataclass(frozen=True)
class NerData(TaggingData):
    """The data options of tagging, and the tag scheme."""

    scheme: str = option("bio", "Tag scheme of training and predictions: bio, iob1, bioes.")


@dataclass(frozen=True)
class NerConfig(TaggingConfig, NerData):
    """Named entities: a CRF over tags that mark spans."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS, f"{LARGER['epochs']} for {LARGE:,} or more, ")
    batch_size: int = option(16, "Sentences per step.")
    average: float = TaggingConfig.with_default("average", 1.0)
    neighbour_words: int = _by_size(
        "neighbour_words",
        "Number of frequent words that are predicted as next and previous word, too; 0 = none.",
    )
    character_widths: str = _by_size("character_widths", WIDTHS, WITH_CNN)
    character_units: int = _by_size(
        "character_units", "Size of a word's vector from its letters.", WITH_LETTERS
    )
    units: int = _by_size("units", "Hidden size K of each direction.")
    train_vectors: bool = _by_size("train_vectors", "Train the pretrained vectors, too.")
    calibrate: bool = option(
        True, "Lower the score of O to the value with the best entity F1 on validation."
    )
    shift: float = option(0.0, "Nats by which the score of O is lowered without --calibrate.")

    def by_size(self, size: int) -> dict[str, Any]:
        """Returns what is not given and follows from the size of train, in sentences."""
        chosen: dict[str, Any] = dict(LARGER if size >= LARGE else SMALLER)
        if not self._sees_one_side():
            chosen["neighbour_words"] = 0
        if not self.vectors:
            chosen["train_vectors"] = False
        if "epochs" in chosen:
            chosen["epochs"] = max(chosen["epochs"], self.keep_epoch)
        return {name: value for name, value in chosen.items() if getattr(self, name) is None}

    def _sees_one_side(self) -> bool:
        """Whether a state has read the words on one side of its token alone."""
        # the builder's options are added to the class; an architecture of the user's may lack them
        layers, dense = getattr(self, "num_layers", 0), getattr(self, "dense_layers", 0)
        one_layer = layers == 1 and not dense
        bidirectional = getattr(self, "bidirectional", False)
        apart = not bidirectional or getattr(self, "merge_mode", "") == "concat"
        return one_layer and apart and not (self.context or self.unlabelled)


MODEL = {**TAGGING, "embedding_dim": 50, "rare_dropout": 4.0}
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
