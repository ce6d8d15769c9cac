"""Melodies -> MIDI and ABC files, without overwriting existing ones."""

import itertools
import os
from pathlib import Path

from recipes.melodies.notation import TEMPO, abc
from recipes.melodies.notes import QUARTER, REST, Melody
from zoo.errors import InputError
from zoo.system import durable

DIVISION = 480  # ticks per quarter note
VELOCITY = 80  # of 127
FOUR_FOUR = bytes((0xFF, 0x58, 4, 4, 2, 24, 8))
END = bytes((0xFF, 0x2F, 0))


def folder_for(output: str) -> Path:
    """Returns the folder that `--output` names, which is created if it is missing."""
    folder = Path(output).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--output {output}: the folder cannot be created ({error.strerror}): give another"
        ) from error
    return folder


def save(melody: Melody, folder: Path, name: str) -> list[Path]:
    """Writes `NAME-1.mid` and `NAME-1.abc`, or the same with the first free number.

    Returns:
        The paths.

    Raises:
        InputError: The folder cannot be written to.
    """
    for number in itertools.count(1):
        title = f"{name}-{number}"
        paths = [folder / f"{title}.mid", folder / f"{title}.abc"]
        if not any(map(os.path.lexists, paths)):
            break
    contents = midi(melody, title), abc(melody, title).encode()
    for path, content in zip(paths, contents, strict=True):
        try:
            with durable.replacing(path) as part:
                part.write_bytes(content)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror}): give another --output"
            ) from error
    return paths


def midi(melody: Melody, title: str) -> bytes:
    """Returns a standard MIDI file of format 0: one track with its name, tempo and notes.

    Source: The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0.
    """
    tempo = round(60_000_000 / TEMPO)  # microseconds per quarter note
    name = title.encode()
    events = [
        (0, bytes((0xFF, 0x03)) + variable_length(len(name)) + name),
        (0, bytes((0xFF, 0x51, 3)) + tempo.to_bytes(3, "big")),
        (0, FOUR_FOUR),
    ]
    silence = 0
    for note in melody:
        ticks = note.length * DIVISION // QUARTER
        if note.pitch == REST:
            silence += ticks
        else:
            events.append((silence, bytes((0x90, note.pitch, VELOCITY))))
            events.append((ticks, bytes((0x80, note.pitch, 0))))
            silence = 0
    events.append((silence, END))
    track = b"".join(variable_length(delta) + event for delta, event in events)
    return _chunk(b"MThd", b"".join(n.to_bytes(2, "big") for n in (0, 1, DIVISION))) + _chunk(
        b"MTrk", track
    )


def variable_length(value: int) -> bytes:
    r"""Encodes a number with seven bits per byte; all bytes but the last have the eighth bit.

    Example:
        >>> variable_length(64), variable_length(480)
        (b'@', b'\x83`')
    """
    rest, last = divmod(value, 128)
    parts = [last]
    while rest:
        rest, part = divmod(rest, 128)
        parts.append(part | 128)
    return bytes(reversed(parts))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "big") + content
