"""MIDI files: golden bytes, and what an independent reader finds in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.melodies.files import DIVISION, midi, variable_length
from recipes.melodies.notes import REST, Note
from tests.recipes.melodies import midi_reader


# the table of the specification
@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0x00, "00"),
        (0x40, "40"),
        (0x7F, "7f"),
        (0x80, "8100"),
        (0x2000, "c000"),
        (0x3FFF, "ff7f"),
        (0x4000, "818000"),
        (0x1FFFFF, "ffff7f"),
        (0x200000, "81808000"),
        (0x0FFFFFFF, "ffffff7f"),
    ],
)
def test_numbers_are_written_as_the_specification_says(value, written):
    assert variable_length(value).hex() == written


def test_the_bytes_of_a_file_are_these():
    melody = [Note(67, 4), Note(REST, 2), Note(69, 1)]
    header = "4d546864 00000006 0000 0001 01e0"
    track = (
        "00 ff03 02 4734"  # the track's name, G4
        "00 ff51 03 0b71b0"  # 750,000 microseconds a quarter note: 80 a minute
        "00 ff58 04 04021808"  # 4/4
        "00 904350 8360 804300"  # G4, 480 ticks
        "8170 904550 78 804500"  # A4 after 240 ticks, of 120
        "00 ff2f 00"
    )
    track_bytes = bytes.fromhex(track)
    size = len(track_bytes).to_bytes(4, "big")
    assert midi(melody, "G4") == bytes.fromhex(header) + b"MTrk" + size + track_bytes


def test_the_end_of_a_melody_that_ends_with_a_rest_is_the_rests():
    _, _, events = midi_reader.read(midi([Note(60, 4), Note(REST, 8)], "x"))
    assert events[-1] == (3 * DIVISION, bytes([0xFF, 0x2F]))
    assert midi_reader.notes(events) == [(0, DIVISION, 60)]


def test_a_melody_without_a_note_is_a_file_all_the_same():
    form, division, events = midi_reader.read(midi([], ""))
    assert (form, division, midi_reader.notes(events)) == (0, DIVISION, [])
    assert [event[:2].hex() for _, event in events] == ["ff03", "ff51", "ff58", "ff2f"]


@given(
    st.lists(
        st.builds(Note, st.one_of(st.just(REST), st.integers(0, 127)), st.integers(1, 5000)),
        max_size=20,
    ),
    st.text(max_size=200),
)
def test_an_independent_reader_finds_every_note_at_its_time(melody, title):
    form, division, events = midi_reader.read(midi(melody, title))
    assert form == 0
    assert events[0] == (0, bytes([0xFF, 0x03]) + title.encode())
    place, expected = 0, []
    for note in melody:
        end = place + note.length * division // 4
        if note.pitch != REST:
            expected.append((place, end, note.pitch))
        place = end
    assert midi_reader.notes(events) == expected
    assert events[-1] == (place, bytes([0xFF, 0x2F]))
