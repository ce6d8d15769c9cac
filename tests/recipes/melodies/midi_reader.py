"""A small reader of MIDI files, independent of the code that writes them."""

import struct


def read(data):
    """A file of one track: (format, division, [(tick, event bytes)]).

    Knows meta events and channel messages of two data bytes, running status included.
    """
    kind, size, form, tracks, division = struct.unpack(">4sIHHH", data[:14])
    assert (kind, size, tracks) == (b"MThd", 6, 1)
    kind, size = struct.unpack(">4sI", data[14:22])
    assert kind == b"MTrk" and len(data) == 22 + size
    track, place, tick, status, events = data[22:], 0, 0, None, []
    while place < len(track):
        delta, place = _number(track, place)
        tick += delta
        if track[place] & 0x80:
            status = track[place]
            place += 1
        if status == 0xFF:
            kind = track[place]
            length, place = _number(track, place + 1)
            event = bytes([0xFF, kind]) + track[place : place + length]
        else:
            length = 2
            event = bytes([status]) + track[place : place + 2]
        place += length
        events.append((tick, event))
    return form, division, events


def _number(track, place):
    value = 0
    while True:
        byte = track[place]
        place += 1
        value = value * 128 + (byte & 0x7F)
        if byte < 0x80:
            return value, place


def notes(events):
    """[(first tick, last tick, pitch)] of note-on and note-off events."""
    sounding, found = {}, []
    for tick, event in events:
        if event[0] == 0x90 and event[2] > 0:
            assert event[1] not in sounding
            sounding[event[1]] = tick
        elif event[0] in (0x80, 0x90):
            found.append((sounding.pop(event[1]), tick, event[1]))
    assert not sounding
    return found
