"""A melody -> ABC notation, which programs print and play (standard 2.1, abcnotation.com)."""

from collections.abc import Iterator
from fractions import Fraction

from recipes.melodies.keys import key_of
from recipes.melodies.notes import BAR, FIFTHS, QUARTER, REST, Melody, spelled

TEMPO = 80  # quarter notes per minute
WRITABLE = (16, 12, 8, 6, 4, 3, 2, 1)  # lengths of a single symbol in sixteenths; others are tied
BARS_A_LINE = 4
SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}


def abc(melody: Melody, title: str) -> str:
    """Returns a tune: header and bars."""
    key = key_of(melody)
    header = f"X:1\nT:{title}\nM:4/4\nL:1/4\nQ:1/4={TEMPO}\nK:{key.name}\n"
    written = bars(melody, key.fifths)
    rows = [written[first : first + BARS_A_LINE] for first in range(0, len(written), BARS_A_LINE)]
    return header + " |\n".join(" | ".join(row) for row in rows) + " |]\n"


def one_line(melody: Melody) -> str:
    """Returns the key and the notes in one line."""
    key = key_of(melody)
    return f"[K:{key.name}] {' | '.join(bars(melody, key.fifths))} |]"


def bars(melody: Melody, fifths: int) -> list[str]:
    """Returns the bars of a melody in 4/4; the last one is full, and the first may be an upbeat.

    Notes across a bar line, or of a length without a symbol, are tied. An accidental is written if
    the key lacks it, and repeated in the rest of the bar for that letter in every octave, so that
    programs with different rules for accidentals read the same pitches. `fifths` is the key's
    number of sharps, or of flats if negative.
    """
    signature = {FIFTHS[place % 7]: place // 7 for place in range(fifths, fifths + 7)}
    place = -sum(note.length for note in melody) % BAR
    written: list[str] = []
    bar: list[str] = []
    altered: set[str] = set()
    for note in melody:
        pieces = list(_pieces(place, note.length))
        for number, length in enumerate(pieces):
            tie = "-" if note.pitch != REST and number < len(pieces) - 1 else ""
            bar.append(_symbol(note.pitch, fifths, signature, altered) + _length(length) + tie)
            place = (place + length) % BAR
            if place == 0:
                written.append(" ".join(bar))
                bar, altered = [], set()
    return written


def _pieces(place: int, length: int) -> Iterator[int]:
    """Yields the lengths of the parts of a note, cut at bar lines and by symbol."""
    while length:
        piece = next(each for each in WRITABLE if each <= min(length, BAR - place))
        yield piece
        place, length = (place + piece) % BAR, length - piece


def _symbol(pitch: int, fifths: int, signature: dict[str, int], altered: set[str]) -> str:
    """Returns the symbol of a pitch; adds a letter with an accidental to `altered`."""
    if pitch == REST:
        return "z"
    letter, accidental, octave = spelled(pitch, fifths)
    implied = accidental == signature[letter] and letter not in altered
    if accidental != signature[letter]:
        altered.add(letter)
    height = letter.lower() + "'" * (octave - 5) if octave > 4 else letter + "," * (4 - octave)
    return ("" if implied else SIGNS[accidental]) + height


def _length(sixteenths: int) -> str:
    """Formats a length in quarters: nothing for one, 3/2, /2, 2."""
    quarters = Fraction(sixteenths, QUARTER)
    top = "" if quarters.numerator == 1 else str(quarters.numerator)
    return top + ("" if quarters.denominator == 1 else f"/{quarters.denominator}")
