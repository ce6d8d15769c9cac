"""Quality of melodies, written or real."""

from collections.abc import Iterable, Sequence
from typing import Any

from recipes.families.writing.samples import Sample
from recipes.melodies.keys import diatonic_share
from recipes.melodies.notes import is_well_formed, notes_of, shape, steps

FIFTH = 7  # semitones


def scores(melodies: Sequence[Sample], train: Iterable[str]) -> dict[str, Any]:
    """Shares from 0 to 1, and the mean number of notes.

    Two melodies are the same if they are so in one key: see `notes.shape`.

    Args:
        melodies: Written or real ones: start note, text, and whether the end came.
        train: The texts of the training split.

    Returns:
        `novel`: not in train. `distinct`: how many different ones there are, by how many are
        given. `valid`: finished, and notes and nothing else. `starts_right`: begins with its start
        note. `fifths`: of all steps from note to note, those of a fifth at most. `one_scale`: of
        all melodies, those that stay in one major scale. `in_scale`: of a melody's notes, those in
        the scale that holds most, a mean over melodies. `notes`: of a melody, rests counted.
    """
    known = {shape(notes_of(text)) for text in train}
    notes = [notes_of(melody.text) for melody in melodies]
    shapes = [shape(each) for each in notes]
    moves = [abs(move) for each in notes for move in steps(each)]
    scales = [diatonic_share(each) for each in notes]
    return {
        "novel": _mean([each not in known for each in shapes]),
        "distinct": len(set(shapes)) / len(shapes),
        "valid": _mean([melody.finished and is_well_formed(melody.text) for melody in melodies]),
        "starts_right": _mean([melody.text.split(" ")[0] == melody.label for melody in melodies]),
        "fifths": _mean([move <= FIFTH for move in moves]),
        "one_scale": _mean([share == 1 for share in scales]),
        "in_scale": _mean(scales),
        "notes": _mean([len(each) for each in notes]),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
