"""The options of the `melodies` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import DataOptions, chosen_epochs, chosen_patience, option
from recipes.families.writing.config import WritingAnswers, WritingConfig
from recipes.training.epochs import EpochRule

EPOCHS = EpochRule(least=20, reference=229, patience=4, unit="melodies")


@dataclass(frozen=True)
class MelodiesData(DataOptions):
    """Where melodies are, and in which keys."""

    data: str = option("builtin", "builtin, or a path to chorales as JSON, gzipped or not")
    steps_per_quarter: int = option(
        0, "time steps of a quarter note in the file: 1, 2 or 4; 0 = as its name says"
    )
    transpose: int = option(5, "train on melodies up to so many semitones higher and lower, too")


@dataclass(frozen=True)
class MelodiesConfig(WritingConfig, MelodiesData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EPOCHS
    epochs: int = chosen_epochs(EPOCHS)
    patience: int = chosen_patience(EPOCHS)
    batch_size: int = option(32, "melodies a step")
    units: int = option(128, "hidden size K")
    dropout: float = option(0.4, "share dropped between layers and before the logits")
    recurrent_dropout: float = option(0.3, "share of the state dropped, one mask for all steps")
    class_dropout: float = option(0.0, "share of melodies read without a start note, for guidance")
    samples: int = option(154, "melodies that are written to be measured")
    temperature: float = option(1.0, "at which they are drawn")
    min_p: float = option(0.0, "see predict --help")
    guidance: float = option(0.0, "how strongly the start note draws; 0 = as the model says")


# what the built-in corpus takes where nothing is given: it has every key already
BUILTIN: dict[str, Any] = {
    "transpose": 0,
    "epochs": 16,
    "patience": 4,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "samples": 200,
}


@dataclass(frozen=True)
class Composing(WritingAnswers):
    """How `predict` writes melodies."""

    samples: int = option(1, "melodies for each start note")
    max_tokens: int = option(256, "tokens at most, two a note, the end counted")
    top_k: int = option(0, "draw among so many tokens; 0 = all")
    top_p: float = option(1.0, "draw among the likeliest tokens that have this probability")
    min_p: float = option(0.02, "leave out tokens of a smaller share of the likeliest's chance")
    guidance: float = option(0.0, "how strongly the start note draws, after --class-dropout")
    seed: int = option(0, "the same seed writes the same melodies")
    score: str = option("", "do not write: tell this melody's probability, such as 'G4 4 A4 2'")
    output: str = option("", "folder for a .mid and an .abc file of each melody")
