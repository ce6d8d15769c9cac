"""The options of the `melodies` recipe."""

from dataclasses import dataclass
from typing import Any, ClassVar

from recipes.config import DataOptions, option
from recipes.families.writing.config import MODEL as WRITING
from recipes.families.writing.config import WritingAnswers, WritingConfig
from recipes.training.epochs import EpochRule


@dataclass(frozen=True)
class MelodiesData(DataOptions):
    """The source of the melodies and their transposition."""

    data: str = option("builtin", "Data: builtin, or a path to chorales as JSON, gzipped or not.")
    steps_per_quarter: int = option(
        0, "Time steps per quarter note in the file: 1, 2 or 4; 0 = by the file's name."
    )
    transpose: int = option(
        5, "Semitones by which training melodies are transposed up and down at most, 0 to 12."
    )


@dataclass(frozen=True)
class MelodiesConfig(WritingConfig, MelodiesData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(least=20, reference=229, patience=4, unit="melodies")
    batch_size: int = option(32, "Melodies per step.")
    samples: int = option(154, "Melodies generated for the metrics.")
    temperature: float = option(1.0, "Sampling temperature of the generated melodies.")
    min_p: float = option(0.0, "Sampling threshold of the generated melodies; see predict --help.")
    guidance: float = option(
        0.0, "Strength of classifier-free guidance towards the start note; 0 = none."
    )


MODEL = {
    **WRITING,
    "units": 128,
    "dropout": 0.4,
    "recurrent_dropout": 0.3,
    "class_dropout": 0.0,
}
# defaults for the built-in corpus, which already has melodies in all keys
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
    """The options of `predict`."""

    samples: int = option(1, "Melodies per start note.")
    max_tokens: int = option(256, "Tokens per melody at most: two per note, and the end token.")
    top_k: int = option(0, "Sample from this number of most likely tokens; 0 = all.")
    top_p: float = option(
        1.0, "Sample from the most likely tokens whose probabilities sum to this, 0 to 1."
    )
    min_p: float = option(
        0.02, "Minimum probability of a token, relative to the most likely one, 0 to 1."
    )
    guidance: float = option(
        0.0, "Strength of classifier-free guidance towards the start note, after --class-dropout."
    )
    seed: int = option(0, "Random seed: the same seed generates the same melodies.")
    score: str = option(
        "", "Generate nothing; print this melody's probability, such as 'G4 4 A4 2'."
    )
    output: str = option("", "Folder for a .mid and an .abc file of each melody.")
