"""What the exported model writes to a start note, or says of a melody."""

from collections.abc import Sequence
from typing import Any

from recipes.melodies import files
from recipes.melodies.config import Composing
from recipes.melodies.notation import abc, one_line
from recipes.melodies.notes import name_of, notes_of, pitch_of
from recipes.names import answers
from zoo.errors import InputError, nearest


def answer(signatures: Any, starts: Sequence[str], how: Composing) -> list[dict[str, Any]]:
    """The melodies that the exported model writes, or with `how.score` that one's probabilities.

    Returns:
        A dict each, as for `names`; of what is written also `abc`, the whole tune, and with
        `how.output` the `files` that it was written to.

    Raises:
        InputError: A start note is unknown, or no files can be written there.
    """
    known = answers.known_labels(signatures)
    labels = [start_note(start, known) for start in starts]
    folder = files.folder_for(how.output) if how.output and not how.score else None
    rows = answers.answer(signatures, labels, how)
    if not how.score:
        for row in rows:
            melody = notes_of(row["text"])
            row["abc"] = abc(melody, row["label"])
            if folder:
                row["files"] = [str(path) for path in files.save(melody, folder, row["label"])]
    return rows


def start_note(name: str, known: Sequence[str]) -> str:
    """The label that a name stands for, whichever way it is spelt: D#4 is Eb4."""
    pitch = pitch_of(name)
    if pitch is None:
        raise InputError(
            f"unknown start note {name!r}, expected one such as F#4: {nearest(name, known)}"
        )
    if name_of(pitch) not in known:
        near = min(known, key=lambda label: abs((pitch_of(label) or 0) - pitch))
        raise InputError(f"unknown start note {name!r}: the nearest known is {near!r}")
    return name_of(pitch)


def line(row: dict[str, Any]) -> str:
    """An answer as a line: the start note, the melody in ABC, its files; or its score."""
    if "perplexity" in row:
        return answers.line(row)
    told = f"{row['label']}  {one_line(notes_of(row['text']))}"
    return "  ".join([told, *row.get("files", [])])
