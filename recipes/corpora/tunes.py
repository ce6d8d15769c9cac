"""The built-in melodies: two phrases in 4/4, a question and its answer, in a major key.

A melody begins with its tonic, so that the start note sets the key. What a good one keeps can be
checked (`recipes.melodies.rules`): the scale of its key; four bars and no note over a bar line; a
half note on the dominant at the end of bar 2, on the tonic at the end of bar 4; bar 3 takes up the
rhythm of bar 1; and a leap is followed by a step back.
"""

import random

from recipes.melodies.keys import MAJOR
from recipes.melodies.notes import Note, shape

Melodies = list[list[Note]]

TRAIN, VALIDATION, TEST = 2000, 200, 200  # melodies
TONICS = (60, 62, 65, 67)  # C4 D4 F4 G4
CADENCES = ((-3, 4), (0, 7))  # degrees that the phrases end on: dominant, tonic
RANGE = range(-3, 9)  # degrees of the scale around the tonic
OPENINGS = ((4, 4, 4, 4), (4, 4, 8), (8, 4, 4), (2, 2, 4, 4, 4), (4, 4, 2, 2, 4), (6, 2, 4, 4))
ENDINGS = ((4, 4, 8), (2, 2, 4, 8), (6, 2, 8))
MOVES = (*(-1, 1) * 10, *(-2, 2) * 3, *(-3, 3) * 2, -4, 4)  # each as often as it stands there
LEAP = 3  # degrees: a fourth or more


def generate(seed: int = 0) -> tuple[Melodies, Melodies, Melodies]:
    """Makes the corpus; no melody is in it twice, in any key."""
    rng = random.Random(seed)
    taken = set()
    parts: tuple[Melodies, Melodies, Melodies] = ([], [], [])
    for part, size in zip(parts, (TRAIN, VALIDATION, TEST), strict=True):
        while len(part) < size:
            melody = _melody(rng)
            if shape(melody) not in taken:
                taken.add(shape(melody))
                part.append(melody)
    return parts


def _melody(rng: random.Random) -> list[Note]:
    tonic, opening = rng.choice(TONICS), rng.choice(OPENINGS)
    degrees: list[int] = [0]
    lengths: tuple[int, ...] = ()
    for ends in CADENCES:
        lengths += opening + rng.choice(ENDINGS)
        degrees = _phrase(rng, degrees, len(lengths), ends)
    pitches = [tonic + 12 * (degree // 7) + MAJOR[degree % 7] for degree in degrees]
    return [Note(*pair) for pair in zip(pitches, lengths, strict=True)]


def _phrase(rng: random.Random, prefix: list[int], count: int, ends: tuple[int, ...]) -> list[int]:
    """Continues a prefix along the scale to `count` notes; draws again until it ends right."""
    while True:
        line = list(prefix)
        while len(line) < count and line[-1] in RANGE:
            line.append(line[-1] + _move(rng, line))
        if line[-1] in ends:
            return line


def _move(rng: random.Random, line: list[int]) -> int:
    """The next move; after a leap, a step back."""
    before = line[-1] - line[-2] if len(line) > 1 else 0
    if abs(before) >= LEAP:
        return -1 if before > 0 else 1
    return rng.choice(MOVES)
