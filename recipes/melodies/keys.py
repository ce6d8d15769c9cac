"""The key of a melody: the scale of most of its notes."""

from typing import NamedTuple

from recipes.melodies.notes import REST, Melody

MAJOR = (0, 2, 4, 5, 7, 9, 11)  # semitones above the tonic
MAJOR_NAMES = ("Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#")
MINOR_NAMES = ("Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m")
FLATTEST = -5


class Key(NamedTuple):
    """A major or minor key.

    Attributes:
        fifths: The key signature: number of sharps, or of flats if negative.
        minor: Whether its tonic is the sixth degree of the major scale.
    """

    fifths: int
    minor: bool

    @property
    def name(self) -> str:
        """The name in ABC notation, such as G or Em."""
        return (MINOR_NAMES if self.minor else MAJOR_NAMES)[self.fifths - FLATTEST]


def key_of(melody: Melody) -> Key:
    """Returns the key that contains most notes; of several, one whose tonic is the last note."""
    pitches = [note.pitch for note in melody if note.pitch != REST]

    def rank(key: Key) -> tuple[int, bool, int, bool]:
        ends = bool(pitches) and (pitches[-1] - _tonic(key)) % 12 == 0
        return _count_in_scale(pitches, key.fifths), ends, -abs(key.fifths), not key.minor

    every = range(FLATTEST, FLATTEST + 12)
    return max((Key(fifths, minor) for fifths in every for minor in (False, True)), key=rank)


def diatonic_share(melody: Melody) -> float:
    """Returns the fraction of notes in the best major scale, 0 to 1; 1 without notes."""
    pitches = [note.pitch for note in melody if note.pitch != REST]
    return _count_in_scale(pitches, key_of(melody).fifths) / len(pitches) if pitches else 1.0


def _tonic(key: Key) -> int:
    return (7 * key.fifths + (9 if key.minor else 0)) % 12


def _count_in_scale(pitches: list[int], fifths: int) -> int:
    """Returns the number of pitches in a scale."""
    return sum((pitch - 7 * fifths) % 12 in MAJOR for pitch in pitches)
