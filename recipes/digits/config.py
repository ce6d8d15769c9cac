"""The options of the recipe `digits`."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import TrainingConfig
from recipes.families.numeric.config import Changes, SeriesData
from recipes.training.epochs import EpochRule
from zoo.layers.numeric import NumberOptions
from zoo.options import option, options_of

UNITS = {"word": " ", "character": ""}  # of a text, and what is between two


@dataclass(frozen=True)
class DigitsData(SeriesData):
    """What a series spells, and how recordings are joined."""

    features: str = dataclasses.replace(
        options_of(NumberOptions)["features"], default="log_mel"
    ).field()
    unit: str = option("word", "What a label of a text is: a word or a character.")
    most_joined: int = option(
        6,
        "Most recordings that are joined to one series, with pauses between them: other ones in "
        "each epoch; 1 = series stay as they are.",
    )
    pauses: str = option(
        "even",
        "Pauses of the joined training series: `even`, of soft noise, as in validation and test; "
        "`varied`, with noise of any level or silence, and half of the series begin or end without "
        "one: for microphones of any kind, and sounds that are cut closely.",
        choices=("even", "varied"),
    )


@dataclass(frozen=True)
class DigitsConfig(TrainingConfig, Changes, DigitsData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=30, reference=2_000, patience=8, unit="training series"
    )
    batch_size: int = TrainingConfig.with_default("batch_size", 16)
    learning_rate: float = TrainingConfig.with_default("learning_rate", 3e-3)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    architecture: str = TrainingConfig.with_default("architecture", "ctc")
    beam_width: int = option(25, "Prefixes that the beam search of the exported model keeps.")


BUILTIN: dict[str, Any] = {"epochs": 20, "patience": 6}
