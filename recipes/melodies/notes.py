"""Notes with pitch and length, their names, and their text form for the network."""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

REST = -1
QUARTER = 4  # lengths are in sixteenths
BAR = 4 * QUARTER
FIFTHS = "FCGDAEB"  # the letters along the line of fifths; C is 0
_NAME = re.compile(r"([A-Ga-g])([#b]?)(-?\d)")
_NOTE = re.compile(r"(?<!\S)([A-G][#b]?-?\d|R) ([1-9]\d*)(?!\S)")


class Note(NamedTuple):
    """A note or a rest.

    Attributes:
        pitch: MIDI number, 60 = C4, or REST.
        length: Length in sixteenths.
    """

    pitch: int
    length: int


Melody = Sequence[Note]


def spelled(pitch: int, fifths: int = 0) -> tuple[str, int, int]:
    """Returns letter, accidental (1 = sharp, -1 = flat) and octave of a pitch in a key.

    On the line of fifths, where F C G D A E B are -1 to 5 and seven steps up are a sharp, each
    pitch class has one place among the twelve from three below the key's tonic to eight above.
    `fifths` is the major key's position on that line: 0 = C, 1 = G, -1 = F.

    Example:
        >>> spelled(63), spelled(63, fifths=4)
        (('E', -1, 4), ('D', 1, 4))
    """
    lowest = fifths - 3
    place = lowest + (7 * pitch - lowest) % 12
    accidental = (place + 1) // 7
    return FIFTHS[(place + 1) % 7], accidental, (pitch - accidental) // 12 - 1


def name_of(pitch: int) -> str:
    """Returns the name of a pitch, such as F#4 or Bb3; R for a rest."""
    if pitch == REST:
        return "R"
    letter, accidental, octave = spelled(pitch)
    return f"{letter}{'b#'[accidental > 0] if accidental else ''}{octave}"


def pitch_of(name: str) -> int | None:
    """Returns the pitch of a name in any spelling; None outside of MIDI's range.

    Example:
        >>> pitch_of("C4"), pitch_of("d#4"), pitch_of("Eb4"), pitch_of("H4")
        (60, 63, 63, None)
    """
    match = _NAME.fullmatch(name.strip())
    if not match:
        return None
    letter, sign, octave = match.groups()
    above_c = 7 * (FIFTHS.index(letter.upper()) - 1) % 12
    pitch = 12 * (int(octave) + 1) + above_c + {"": 0, "#": 1, "b": -1}[sign]
    return pitch if 0 <= pitch < 128 else None


def text_of(melody: Melody) -> str:
    """Returns the text of a melody: two tokens per note, name and length.

    Example:
        >>> text_of([Note(67, 4), Note(REST, 2), Note(66, 2)])
        'G4 4 R 2 F#4 2'
    """
    return " ".join(f"{name_of(note.pitch)} {note.length}" for note in melody)


def notes_of(text: str) -> list[Note]:
    """Returns the notes of a text; other tokens are ignored."""
    found = [
        (REST if name == "R" else pitch_of(name), int(length))
        for name, length in _NOTE.findall(text)
    ]
    return [Note(pitch, length) for pitch, length in found if pitch is not None]


def is_well_formed(text: str) -> bool:
    """Returns whether a text consists of notes alone: a name, its length, a name, ..."""
    return text != "" and text_of(notes_of(text)) == text


def merged(pitches: Sequence[int], step: int) -> list[Note]:
    """Converts a voice sampled in equal steps to notes, without rests at either end.

    Such a voice does not distinguish held from repeated notes: equal pitches become one note. A
    step has the length `step` in sixteenths.
    """
    runs = [(pitch, len(list(run))) for pitch, run in itertools.groupby(pitches)]
    sounding = [place for place, (pitch, _) in enumerate(runs) if pitch != REST]
    if not sounding:
        return []
    return [Note(pitch, step * steps) for pitch, steps in runs[sounding[0] : sounding[-1] + 1]]


def transposed(melody: Melody, semitones: int) -> list[Note]:
    """Returns a melody moved up by `semitones`."""
    return [
        note if note.pitch == REST else note._replace(pitch=note.pitch + semitones)
        for note in melody
    ]


def shape(melody: Melody) -> tuple[tuple[int | None, int], ...]:
    """Returns intervals from the first note and lengths, which are the same in every key."""
    return tuple(
        (None if note.pitch == REST else note.pitch - melody[0].pitch, note.length)
        for note in melody
    )


def steps(melody: Melody) -> list[int]:
    """Returns the semitones from each note to the next; pairs with a rest are left out."""
    return [
        after.pitch - before.pitch
        for before, after in itertools.pairwise(melody)
        if REST not in (before.pitch, after.pitch)
    ]
