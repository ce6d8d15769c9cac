"""Melodies -> MIDI and ABC files, without overwriting existing ones."""

import itertools
import os
from pathlib import Path

from recipes.melodies.midi import midi
from recipes.melodies.notation import abc
from recipes.melodies.notes import Melody
from zoo.errors import InputError
from zoo.system import durable


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
