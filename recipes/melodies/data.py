"""Loads chorales or the built-in melodies as splits of texts and labels."""

from collections.abc import Sequence
from pathlib import Path

from recipes.corpora import tunes
from recipes.data.formats.chorales import Voice, read_chorales
from recipes.data.items import Example
from recipes.data.labelled import check_labels
from recipes.data.splits import SPLITS, Splits, all_as_test, complete
from recipes.melodies.config import MelodiesData
from recipes.melodies.notes import QUARTER, REST, merged, notes_of, text_of, transposed

NAMED = {"quarter": 1, "8th": 2}  # steps per quarter note by a part of the file's name


def load(options: MelodiesData, whole: bool = False) -> Splits[Example]:
    """Loads splits of examples: a melody's text, labelled with its start note.

    Train contains each melody once in each key that `options.transpose` allows. Melodies of
    validation and test whose start note train lacks are left out. With `whole` all data is `test`,
    for evaluation.

    Raises:
        InputError: The file is missing, has another format, or has too few melodies.
    """
    if options.data == "builtin":
        parts = zip(SPLITS, tunes.generate(options.split_seed), strict=True)
        given = {name: [example(text_of(one)) for one in part] for name, part in parts}
    else:
        path = Path(options.data).expanduser()
        step = QUARTER // (options.steps_per_quarter or _steps_per_quarter(path.name))
        voices = read_chorales(path)
        given = {name: _examples(part, step) for name, part in voices.items()}
    if whole:
        return all_as_test(options.data, given)
    fractions = (options.validation_fraction, options.test_fraction)
    splits = complete(given, *fractions, options.split_seed, key=lambda melody: melody.text)
    train = _in_other_keys(splits.train, options.transpose)
    known = {one.label for one in train}
    found = Splits(
        train, *(with_known_starts(part, known) for part in (splits.validation, splits.test))
    )
    check_labels(found)
    return found


def example(text: str) -> Example:
    """Returns a melody labelled with its first note."""
    return Example(text, text.partition(" ")[0])


def _steps_per_quarter(name: str) -> int:
    return next((steps for part, steps in NAMED.items() if part in name.lower()), QUARTER)


def _examples(voices: Sequence[Voice], step: int) -> list[Example]:
    melodies = (merged(voice, step) for voice in voices)
    return [example(text_of(melody)) for melody in melodies if melody]


def _in_other_keys(examples: Sequence[Example], semitones: int) -> list[Example]:
    """Adds transposed melodies within the pitch range of all examples."""
    melodies = [notes_of(one.text) for one in examples]
    pitches = {note.pitch for melody in melodies for note in melody} - {REST}
    shifts = sorted(range(-semitones, semitones + 1), key=abs)  # 0 first: the melody itself
    texts = (
        text_of(transposed(melody, shift))
        for shift in shifts
        for melody in melodies
        if _fits([note.pitch + shift for note in melody if note.pitch != REST], pitches)
    )
    return [example(text) for text in dict.fromkeys(texts)]


def _fits(moved: Sequence[int], pitches: set[int]) -> bool:
    return min(pitches) <= min(moved) and max(moved) <= max(pitches)


def with_known_starts(part: Sequence[Example], labels: set[str]) -> list[Example]:
    """Leaves out the melodies whose start note is not among the labels, and prints that."""
    kept = [one for one in part if one.label in labels]
    if len(kept) < len(part):
        others = ", ".join(sorted({one.label for one in part} - labels))
        count = f"{len(part) - len(kept)} of {len(part)}"
        print(f"left out: {count}, which begin with {others}, as none of train does", flush=True)
    return kept
