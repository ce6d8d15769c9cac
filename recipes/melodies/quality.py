"""Metrics of generated or real melodies, and the rules of the built-in ones."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from recipes.families.writing.samples import Sample
from recipes.melodies.keys import MAJOR, diatonic_share
from recipes.melodies.notes import BAR, Melody, is_well_formed, notes_of, shape, steps

FIFTH = 7  # semitones
BARS = 4
HALF = 8
LEAP = 5  # semitones: a fourth or more


def scores(melodies: Sequence[Sample], train: Iterable[str]) -> dict[str, Any]:
    """Returns fractions from 0 to 1, and the mean number of notes.

    `train` has the texts of the training split. Transposed melodies count as the same; see
    `notes.shape`.

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


def _bars(melody: Melody) -> list[list[int]]:
    """Returns the indices of the notes that start in each bar, without empty bars."""
    starts = itertools.accumulate((note.length for note in melody[:-1]), initial=0)
    found: dict[int, list[int]] = {}
    for place, start in enumerate(starts):
        found.setdefault(start // BAR, []).append(place)
    return list(found.values())


def scale(melody: Melody) -> bool:
    """Returns whether all notes are in the major scale whose tonic is the last note."""
    return all((note.pitch - melody[-1].pitch) % 12 in MAJOR for note in melody)


def metre(melody: Melody) -> bool:
    """Returns whether there are four bars and no note crosses a bar line."""
    lengths = [sum(melody[place].length for place in bar) for bar in _bars(melody)]
    return lengths == [BAR] * BARS


def cadences(melody: Melody) -> bool:
    """Returns whether bar 2 ends on a half note a fifth above, or a fourth below, bar 4's."""
    ends = [melody[bar[-1]] for bar in _bars(melody)][1::2]
    return (
        len(ends) == BARS // 2
        and all(note.length == HALF for note in ends)
        and (ends[0].pitch - ends[1].pitch) % 12 == 7
    )


def rhythm(melody: Melody) -> bool:
    """Returns whether bar 3 has the rhythm of bar 1."""
    found = [[melody[place].length for place in bar] for bar in _bars(melody)]
    return len(found) > 2 and found[2] == found[0]


def leaps(melody: Melody) -> bool:
    """Returns whether each leap is followed by a step in the other direction."""
    return all(
        abs(move) < LEAP or (0 < abs(after) < 3 and after * move < 0)
        for move, after in itertools.pairwise(steps(melody))
    )


RULES: dict[str, Callable[[Melody], bool]] = {
    "scale": scale,
    "metre": metre,
    "cadences": cadences,
    "rhythm": rhythm,
    "leaps": leaps,
}


def rules_kept(melodies: Sequence[Melody]) -> dict[str, float]:
    """Returns the fraction of melodies that follow each rule, and `all` rules."""
    kept = {
        name: [bool(melody) and rule(melody) for melody in melodies] for name, rule in RULES.items()
    }
    every = [all(row) for row in zip(*kept.values(), strict=True)]
    return {name: sum(hits) / len(melodies) for name, hits in {**kept, "all": every}.items()}
