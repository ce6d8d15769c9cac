"""The recipe `melodies`: a start note in, melodies out, with two tokens per note."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.families.labelled import CLASSES
from recipes.families.writing import ConditionalWritingRecipe, answers, samples
from recipes.families.writing.samples import Sample
from recipes.melodies import data, files, quality
from recipes.melodies.config import BUILTIN, MODEL, Composing, MelodiesConfig, MelodiesData
from recipes.melodies.notation import abc, one_line
from recipes.melodies.notes import name_of, notes_of, pitch_of
from recipes.predictions import Measured
from recipes.recipe import Prepared
from recipes.registry import register
from recipes.run_files import read_labels
from zoo.errors import InputError, nearest
from zoo.pipelines import ConditionalWriter

LONGEST = 256  # tokens per generated melody at most, EOS included


@register
class MelodiesRecipe(ConditionalWritingRecipe):
    """Generates melodies token by token."""

    name = "melodies"
    config = MelodiesConfig
    data_options = MelodiesData
    model_defaults = MODEL
    builtin = BUILTIN
    answering = Composing
    level = "space"
    note = (
        "It learned generated melodies of four bars in a major key. Train on real ones before you "
        "use it: rnn-zoo all melodies --data FOLDER, of MIDI or JSON files"
    )

    def check(self, config: MelodiesConfig) -> None:
        """Rejects invalid options and options that build no model."""
        if config.steps_per_quarter not in (0, 1, 2, 4):
            raise InputError(
                f"steps_per_quarter must be 1, 2 or 4, or 0 to use the file's name, got "
                f"{config.steps_per_quarter}"
            )
        if not 0 <= config.transpose <= 12:
            raise InputError(f"transpose must be from 0 to 12 semitones, got {config.transpose}")
        super().check(config)

    def load(self, options: MelodiesData, whole: bool = False) -> Splits[Example]:
        """Loads melodies and their start notes; see `data.load`."""
        return data.load(options, whole)

    def evaluate(
        self, model: keras.Model, config: MelodiesConfig, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Returns the metrics of validation, test and generated melodies.

        Generated melodies have the start notes of test, so that they compare with its melodies.
        """
        splits = prepared.splits
        found = self.losses(model, prepared)
        train = [example.text for example in splits.train]
        real = [Sample(example.label, example.text, True) for example in splits.test]
        starts = [real[place % len(real)].label for place in range(config.samples)]
        writer = ConditionalWriter(model, prepared.text_path, prepared.classes)
        written = samples.write(writer, starts, config, LONGEST)
        found["test"] |= quality.scores(real, train)
        found["written"] = quality.scores(written, train)
        if config.data == "builtin":
            melodies = [notes_of(melody.text) for melody in written]
            found["written"]["rules_kept"] = quality.rules_kept(melodies)
        return found

    def measure(
        self, model: keras.Model, config: MelodiesConfig, splits: Splits[Example], directory: Path
    ) -> Measured:
        """Returns loss and perplexity of the test's melodies with known start notes."""
        known = set(read_labels(directory / CLASSES))
        kept = data.with_known_starts(splits.test, known)
        if not kept:
            raise InputError(
                f"none of the {len(splits.test)} melodies begins with a note that the model knows, "
                f"expected one of {', '.join(sorted(known))}: give other melodies"
            )
        return super().measure(model, config, Splits([], [], kept), directory)

    def examples(self, config: MelodiesConfig, prepared: Prepared) -> list[str]:
        """Returns a few start notes of the test split."""
        return list(dict.fromkeys(example.label for example in prepared.splits.test))[:3]

    def answer(
        self, signatures: Any, texts: Sequence[str], options: Composing
    ) -> list[dict[str, Any]]:
        """Generates melodies, or with `options.score` scores that melody.

        Returns:
            A dict for each row, as for `names`; generated melodies also have `abc`, the tune in ABC
            notation, and with `options.output` the paths of their `files`.

        Raises:
            InputError: A start note is unknown, or the files cannot be written.
        """
        known = answers.known_labels(signatures)
        labels = [start_note(start, known) for start in texts]
        folder = files.folder_for(options.output) if options.output and not options.score else None
        rows = super().answer(signatures, labels, options)
        if not options.score:
            for row in rows:
                melody = notes_of(row["text"])
                row["abc"] = abc(melody, row["label"])
                if folder:
                    row["files"] = [str(path) for path in files.save(melody, folder, row["label"])]
        return rows

    def format_answer(self, row: dict[str, Any]) -> str:
        """Formats the start note, the melody in ABC and its files; or the score."""
        if "perplexity" in row:
            return super().format_answer(row)
        melody = f"{row['label']}  {one_line(notes_of(row['text']))}"
        return "  ".join([melody, *row.get("files", [])])


def start_note(name: str, known: Sequence[str]) -> str:
    """Returns the label of a note name in any spelling: D#4 is Eb4."""
    pitch = pitch_of(name)
    if pitch is None:
        raise InputError(
            f"unknown start note {name!r}, expected one such as F#4: {nearest(name, known)}"
        )
    if name_of(pitch) not in known:
        near = min(known, key=lambda label: abs((pitch_of(label) or 0) - pitch))
        raise InputError(f"unknown start note {name!r}: the nearest known is {near!r}")
    return name_of(pitch)
