"""Metrics of generated or real melodies."""

from collections.abc import Iterable, Sequence
from typing import Any

from recipes.families.writing.samples import Sample
from recipes.melodies.keys import diatonic_share
from recipes.melodies.notes import is_well_formed, notes_of, shape, steps

FIFTH = 7  # semitones


def scores(melodies: Sequence[Sample], train: Iterable[str]) -> dict[str, Any]:
    """Returns fractions from 0 to 1, and the mean number of notes.

    Transposed melodies count as the same; see `notes.shape`.

    Args:
        melodies: Generated or real melodies.
        train: The texts of the training split.

    Returns:
        `novel`: melodies not in train. `distinct`: different melodies. `valid`: finished melodies
        of notes alone. `starts_right`: melodies that begin with their start note. `fifths`:
        intervals of a fifth at most. `one_scale`: melodies in one major scale. `in_scale`: notes in
        the best scale, a mean over melodies. `notes`: notes per melody, including rests.
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
