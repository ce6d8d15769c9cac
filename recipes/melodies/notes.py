"""Notes: a pitch and a length each, their names, and the text that the network reads and writes."""

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
        pitch: As MIDI counts, 60 = C4, or REST.
        length: In sixteenths.
    """

    pitch: int
    length: int


Melody = Sequence[Note]


def spelled(pitch: int, fifths: int = 0) -> tuple[str, int, int]:
    """Letter, accidental (1 = sharp, -1 = flat) and octave of a pitch, as a key spells it.

    On the line of fifths, where F C G D A E B are -1 to 5 and seven steps up are a sharp, each
    pitch class has one place among the twelve from three below the key's tonic to eight above.

    Args:
        pitch: As MIDI counts.
        fifths: The major key's place on that line: 0 = C, 1 = G, -1 = F.

    Example:
        >>> spelled(63), spelled(63, fifths=4)
        (('E', -1, 4), ('D', 1, 4))
    """
    lowest = fifths - 3
    place = lowest + (7 * pitch - lowest) % 12
    accidental = (place + 1) // 7
    return FIFTHS[(place + 1) % 7], accidental, (pitch - accidental) // 12 - 1


def name_of(pitch: int) -> str:
    """The name of a pitch, such as F#4 or Bb3; R for a rest."""
    if pitch == REST:
        return "R"
    letter, accidental, octave = spelled(pitch)
    return f"{letter}{'b#'[accidental > 0] if accidental else ''}{octave}"


def pitch_of(name: str) -> int | None:
    """The pitch of a name, in whatever spelling; None if it is none that MIDI has.

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
    """The text that stands for a melody: name and length of each note, two tokens.

    Example:
        >>> text_of([Note(67, 4), Note(REST, 2), Note(66, 2)])
        'G4 4 R 2 F#4 2'
    """
    return " ".join(f"{name_of(note.pitch)} {note.length}" for note in melody)


def notes_of(text: str) -> list[Note]:
    """The notes of a text; what does not belong to one is left out."""
    found = [
        (REST if name == "R" else pitch_of(name), int(length))
        for name, length in _NOTE.findall(text)
    ]
    return [Note(pitch, length) for pitch, length in found if pitch is not None]


def is_well_formed(text: str) -> bool:
    """Whether a text is notes and nothing else: a name, its length, a name, ..."""
    return text != "" and text_of(notes_of(text)) == text


def merged(pitches: Sequence[int], step: int) -> list[Note]:
    """Notes of a voice that is given step by step; rests in front and behind are left out.

    What is held and what is repeated cannot be told apart in such a voice: it becomes one note.

    Args:
        pitches: One a step, or REST.
        step: Its length, in sixteenths.
    """
    runs = [(pitch, len(list(run))) for pitch, run in itertools.groupby(pitches)]
    sounding = [place for place, (pitch, _) in enumerate(runs) if pitch != REST]
    if not sounding:
        return []
    return [Note(pitch, step * steps) for pitch, steps in runs[sounding[0] : sounding[-1] + 1]]


def transposed(melody: Melody, semitones: int) -> list[Note]:
    """The same melody, so much higher."""
    return [
        note if note.pitch == REST else note._replace(pitch=note.pitch + semitones)
        for note in melody
    ]


def shape(melody: Melody) -> tuple[tuple[int | None, int], ...]:
    """What two melodies have in common that are the same in whatever key."""
    return tuple(
        (None if note.pitch == REST else note.pitch - melody[0].pitch, note.length)
        for note in melody
    )


def steps(melody: Melody) -> list[int]:
    """The semitones from each note to the next, 0 or less if it goes down; none over a rest."""
    return [
        after.pitch - before.pitch
        for before, after in itertools.pairwise(melody)
        if REST not in (before.pitch, after.pitch)
    ]
