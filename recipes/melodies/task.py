"""What is particular to `melodies`: melodies -> two tokens a note, and what is measured of them.

Network, training and loss are those of `names`.
"""

from pathlib import Path
from typing import Any

import keras

from recipes.data.splits import Splits
from recipes.families.language.scoring import of_loss
from recipes.melodies import answers, data, measures
from recipes.melodies.config import BUILTIN, Composing, MelodiesConfig
from recipes.melodies.notes import notes_of
from recipes.melodies.rules import rules_kept
from recipes.names import invented
from recipes.names import task as names
from recipes.names.invented import Name
from recipes.names.task import Prepared
from recipes.predictions import Measured
from zoo.errors import InputError
from zoo.pipelines.conditional_writer import export_one_to_many, writer

NAME = "melodies"
Config = MelodiesConfig
Answering = Composing
LEVEL = "space"  # what a token is: what stands between blanks
LONGEST = 256  # tokens of a written melody at most, the end counted
answer, line = answers.answer, answers.line
load = data.load
build, epochs, validate = names.build, names.epochs, names.validate
objective, MODEL_OPTIONS = names.objective, names.MODEL_OPTIONS


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: of the built-in melodies a small network learns all."""
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" else {}


def check(config: MelodiesConfig) -> None:
    """Builds a tiny model: wrong options show before the data is read."""
    if config.steps_per_quarter not in (0, 1, 2, 4):
        raise InputError(
            f"steps_per_quarter must be 1, 2 or 4, or 0 to go by the file's name, got "
            f"{config.steps_per_quarter}"
        )
    if not 0 <= config.transpose <= 12:
        raise InputError(f"transpose must be from 0 to 12 semitones, got {config.transpose}")
    names.check(config)


def prepare(config: MelodiesConfig, splits: Splits, directory: Path) -> Prepared:
    """Turns the melodies to ids, with the run's own tokens and start notes if it has them."""
    return names.prepare(config, splits, directory, LEVEL)


def evaluate(model: keras.Model, prepared: Prepared, directory: Path) -> dict[str, Any]:
    """The figures of validation and test, and those of melodies that the model writes.

    These begin with the start notes of the test, so that the test's real melodies compare.
    """
    config, splits = prepared.config, prepared.splits
    found: dict[str, Any] = {
        name: of_loss(names.loss(model, prepared.batches[name])) for name in ("validation", "test")
    }
    train = [example.text for example in splits.train]
    real = [Name(example.label, example.text, True) for example in splits.test]
    starts = [real[place % len(real)].label for place in range(config.samples)]
    how = {name: getattr(config, name) for name in names.DRAWING}
    functions = writer(model, prepared.codec, prepared.classes)
    written = invented.write(functions, starts, 1, config.seed, LONGEST, **how)
    found["test"] |= measures.figures(real, train)
    found["written"] = measures.figures(written, train)
    if config.data == "builtin":
        found["written"]["rules_kept"] = rules_kept([notes_of(melody.text) for melody in written])
    return found


def measure(
    model: keras.Model, config: MelodiesConfig, splits: Splits, directory: Path
) -> Measured:
    """The run's model on the test split of any data: the likelihood of its melodies.

    Those that begin with a note that no melody of train begins with are left out.
    """
    known = set(names.text_path(directory, LEVEL)[1])
    kept = data.with_known_starts(splits.test, known)
    if not kept:
        raise InputError(
            f"none of the {len(splits.test)} melodies begins with a note that the model knows, "
            f"expected one of {', '.join(sorted(known))}: give other melodies"
        )
    return names.measure(model, config, Splits([], [], kept), directory, LEVEL)


def export(model: keras.Model, config: MelodiesConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    return export_one_to_many(model, *names.text_path(run, LEVEL), directory)


def examples(config: MelodiesConfig, prepared: Prepared) -> list[str]:
    """A few start notes to try the exported model on: those of the test."""
    return list(dict.fromkeys(example.label for example in prepared.splits.test))[:3]
