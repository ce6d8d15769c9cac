"""Notes, keys and ABC: golden values."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.melodies import keys, notation, notes
from recipes.melodies.keys import Key, key_of
from recipes.melodies.notes import REST, Note, notes_of, text_of

A_MINOR = [Note(pitch, 4) for pitch in (69, 71, 72, 74, 76, 68, 77, 69)]
ANY = st.lists(
    st.builds(Note, st.one_of(st.just(REST), st.integers(0, 127)), st.integers(1, 70)), max_size=30
)


@pytest.mark.parametrize(
    ("pitch", "name"),
    [
        *((60, "C4"), (61, "C#4"), (63, "Eb4"), (66, "F#4"), (68, "G#4"), (70, "Bb4")),
        *((59, "B3"), (72, "C5"), (0, "C-1"), (127, "G9"), (REST, "R")),
    ],
)
def test_a_pitch_has_this_name(pitch, name):
    assert notes.name_of(pitch) == name
    if pitch != REST:
        assert notes.pitch_of(name) == pitch


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        *(("Db4", 61), ("d#4", 63), ("Fb4", 64), ("E#4", 65), ("B#3", 60), ("Cb5", 71)),
        *((" G4 ", 67), ("H4", None), ("G", None), ("G##4", None), ("A9", None), ("Cb-1", None)),
    ],
)
def test_other_spellings_are_understood_and_others_are_none(name, pitch):
    assert notes.pitch_of(name) == pitch


@pytest.mark.parametrize(
    ("fifths", "pitches", "spelt"),
    [
        (0, (61, 63, 66, 68, 70), "C# Eb F# G# Bb"),
        (-1, (61, 63, 66, 68, 70), "C# Eb F# Ab Bb"),
        (4, (60, 63, 65, 66, 70), "B# D# E# F# A#"),
        (-5, (61, 63, 64, 66, 71), "Db Eb Fb Gb Cb"),
        (6, (65, 60, 67, 61, 68), "E# B# F## C# G#"),
    ],
)
def test_a_key_spells_pitches_in_its_own_way(fifths, pitches, spelt):
    found = [notes.spelled(pitch, fifths) for pitch in pitches]
    signs = {-1: "b", 0: "", 1: "#", 2: "##"}
    assert " ".join(letter + signs[accidental] for letter, accidental, _ in found) == spelt


def test_an_octave_begins_at_the_letter_c_whatever_its_sign():
    assert notes.spelled(60, 4) == ("B", 1, 3)
    assert notes.spelled(71, -5) == ("C", -1, 5)


@given(st.integers(0, 127), st.integers(-5, 6))
def test_what_is_spelt_is_the_pitch(pitch, fifths):
    letter, accidental, octave = notes.spelled(pitch, fifths)
    natural = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))[letter]
    assert 12 * (octave + 1) + natural + accidental == pitch
    assert -2 < accidental < 3


@given(ANY)
def test_the_text_of_a_melody_gives_the_melody(melody):
    assert notes_of(text_of(melody)) == melody
    assert notes.is_well_formed(text_of(melody)) == bool(melody)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("G4 A4 4 R 2 8 F#4", [Note(69, 4), Note(REST, 2)]),
        ("G4 0 A#4 4", [Note(70, 4)]),
        ("<unk> 4", []),
        ("", []),
        ("A9 4 C4 2 ", [Note(60, 2)]),
    ],
)
def test_of_a_text_that_is_not_well_formed_the_notes_are_kept(text, found):
    assert notes_of(text) == found
    assert not notes.is_well_formed(text)


def test_steps_are_merged_and_rests_at_the_ends_left_out():
    voice = [REST, 60, 60, 62, REST, REST, 62, 62, 62, REST]
    assert notes.merged(voice, 2) == [Note(60, 4), Note(62, 2), Note(REST, 4), Note(62, 6)]
    assert notes.merged([REST, REST], 1) == notes.merged([], 1) == []


def test_a_melody_in_another_key_has_the_same_shape_and_no_other_has():
    melody = [Note(60, 4), Note(REST, 2), Note(64, 4)]
    higher = notes.transposed(melody, 3)
    assert higher == [Note(63, 4), Note(REST, 2), Note(67, 4)]
    assert notes.shape(higher) == notes.shape(melody) == ((0, 4), (None, 2), (4, 4))
    others = [Note(60, 4), Note(REST, 2), Note(63, 4)], [Note(60, 4), Note(REST, 2), Note(64, 2)]
    assert all(notes.shape(other) != notes.shape(melody) for other in others)


def test_steps_are_not_counted_over_rests():
    melody = [Note(60, 4), Note(67, 4), Note(REST, 4), Note(50, 4), Note(48, 4)]
    assert notes.steps(melody) == [7, -2]


@pytest.mark.parametrize(
    ("melody", "name", "share"),
    [
        (A_MINOR, "Am", 7 / 8),
        ([Note(pitch, 4) for pitch in (67, 69, 71, 72, 74, 67)], "G", 1),  # no F: C has them too
        ([Note(pitch, 4) for pitch in (65, 67, 69, 70, 65)], "F", 1),
        ([Note(pitch, 4) for pitch in (66, 68, 70, 71, 73, 75, 77)], "F#", 1),
        ([Note(pitch, 4) for pitch in (61, 65, 66, 60, 63, 68, 70, 61)], "Db", 1),
        ([Note(REST, 4)], "C", 1),
    ],
)
def test_the_key_of_a_melody_and_how_much_of_it_is_in_it(melody, name, share):
    assert key_of(melody).name == name
    assert keys.diatonic_share(melody) == share


def test_the_names_of_keys_fit_their_signatures():
    tonics = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for fifths in range(-5, 7):
        for minor in (False, True):
            name = Key(fifths, minor).name.removesuffix("m" if minor else "")
            tonic = tonics[name[0]] + name.count("#") - name.count("b")
            assert (tonic - 7 * fifths - 9 * minor) % 12 == 0


GOLDEN = [
    ("D4 4 F#4 4 A4 4 D5 4", 2, ["D F A d"]),
    # an upbeat: the last bar is full
    ("D4 4 E4 4 F#4 4 A4 8", 2, ["D", "E F A2"]),
    # all octaves, all simple lengths
    ("C3 1 C4 2 C5 3 C6 4 R 6", 0, ["C,/4 C/2 c3/4 c' z3/2"]),
    ("C2 12 R 4", 0, ["C,,3 z"]),
    # over a bar line, and a length without a symbol
    ("G4 8 A4 5 B4 10 R 9", 1, ["G2 A- A/4 B3/4-", "B3/2- B/4 z2 z/4"]),
    # accidentals hold until the bar ends, in every octave
    ("F4 4 F#4 4 F#5 4 F4 4 F4 4 Bb4 12", 0, ["F ^F ^f =F", "F _B3"]),
    ("F#4 4 F4 4 F#4 4 G4 4 F#4 16", 1, ["F =F ^F G", "F4"]),
    ("Bb4 4 B4 4 Bb5 4 G4 4", -1, ["B =B _b G"]),
    # a tied note that is altered says so behind the bar line
    ("G4 12 G#4 8 A4 12", 0, ["G3 ^G-", "^G A3"]),
    ("F4 4 G4 12", 6, ["E ^^F3"]),
]


@pytest.mark.parametrize(("text", "fifths", "bars"), GOLDEN)
def test_bars_are_written_so(text, fifths, bars):
    assert notation.bars(notes_of(text), fifths) == bars


def test_a_tune_has_a_header_and_four_bars_a_line():
    melody = notes_of("D4 4 " + "G4 4 A4 4 B4 4 F#4 4 " * 4 + "G4 12")
    assert notation.abc(melody, "G4-1") == (
        "X:1\nT:G4-1\nM:4/4\nL:1/4\nQ:1/4=80\nK:G\n"
        "D G A B | F G A B | F G A B | F G A B |\n"
        "F G3 |]\n"
    )
    assert notation.one_line(melody[-2:]) == "[K:G] F G3 |]"
    assert notation.one_line([]) == "[K:C]  |]"


@given(ANY, st.integers(-5, 6), st.sampled_from(["note", "octave", "letter"]))
def test_the_bars_sound_like_the_melody_however_long_a_reader_lets_accidentals_hold(
    melody, fifths, hold
):
    bars = notation.bars(melody, fifths)
    signature = dict.fromkeys("CDEFGAB", 0)
    for letter in "FCGDAEB"[: max(fifths, 0)]:
        signature[letter] += 1
    for letter in "BEADGCF"[: max(-fifths, 0)]:
        signature[letter] -= 1
    sounds, tied, sizes = [], False, []
    for bar in bars:
        altered, size = {}, 0
        for number, symbol in enumerate(bar.split(" ")):
            sign, letter, marks, top, below, tie = re.fullmatch(
                r"(__?|\^\^?|=|)([a-gA-Gz])([,']*)(\d*)(?:/(\d+))?(-?)", symbol
            ).groups()
            length = 16 * Fraction(int(top or 1), int(below or 1)) / 4
            assert length.denominator == 1
            pitch = REST
            if letter != "z":
                name, octave = letter.upper(), 5 if letter.islower() else 4
                octave += marks.count("'") - marks.count(",")
                held = {"letter": name, "octave": (name, octave), "note": number}[hold]
                if sign:
                    altered[held] = {"__": -2, "_": -1, "=": 0, "^": 1, "^^": 2}[sign]
                raised = altered.get(held, signature[name])
                pitch = 12 * (octave + 1) + "C D EF G A B".index(name) + raised
            if tied or (sounds and pitch == REST == sounds[-1].pitch):
                sounds[-1] = Note(pitch, sounds[-1].length + int(length))
            else:
                sounds.append(Note(pitch, int(length)))
            tied, size = bool(tie), size + length
        sizes.append(size)
    rests_joined = []
    for note in melody:
        if rests_joined and note.pitch == REST == rests_joined[-1].pitch:
            rests_joined[-1] = Note(REST, rests_joined[-1].length + note.length)
        else:
            rests_joined.append(note)
    assert sounds == rests_joined and not tied
    assert all(size == 16 for size in sizes[1:])
