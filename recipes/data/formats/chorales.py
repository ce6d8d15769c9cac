"""Chorales as JSON: a list of time steps each, a step the pitches that sound -> the upper voice."""

import json
from pathlib import Path
from typing import Any

from recipes.data.splits import SPLIT_OF
from zoo.errors import InputError
from zoo.system.lines import read_text

REST = -1
_EXPECTED = (
    'JSON such as {"train": [[[74, 70, 65, 58], ...], ...], "valid": [...], "test": [...]}: lists '
    "of chorales, lists of steps, lists of pitches"
)

Voice = list[int]  # a pitch a step, or REST


def read_chorales(path: str | Path) -> dict[str, list[Voice]]:
    """Reads the upper voice of every chorale of a file, gzipped or not.

    The voices are sorted from the highest to the lowest, or the other way round: which, the whole
    file decides. So where voices cross, the upper voice stays the same. A step without a pitch,
    or whose upper voice is -1, is a rest. The JSON has `train`, perhaps `valid` (or `validation`,
    `val`, `dev`) and perhaps `test`.

    Raises:
        InputError: The file cannot be read or has another shape; says where.
    """
    content = _parsed(Path(path))
    if not isinstance(content, dict) or not content.get("train"):
        raise InputError(f"{path}: no chorales under 'train', expected {_EXPECTED}")
    found = {
        SPLIT_OF[name]: _pieces(path, name, pieces)
        for name, pieces in content.items()
        if name in SPLIT_OF
    }
    steps = [step for pieces in found.values() for piece in pieces for step in piece if step]
    rising = sum(step[0] < step[-1] for step in steps) > sum(step[0] > step[-1] for step in steps)
    upper = -1 if rising else 0
    return {
        part: [[step[upper] if step else REST for step in piece] for piece in pieces]
        for part, pieces in found.items()
    }


def _parsed(path: Path) -> Any:
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of too many digits, deep nesting
        raise InputError(f"{path}: not JSON ({error}), expected {_EXPECTED}") from error


def _pieces(path: str | Path, part: str, pieces: Any) -> list[list[list[int]]]:
    """A part's chorales, every pitch checked."""
    if not isinstance(pieces, list):
        raise InputError(f"{path}: {part!r} holds {_short(pieces)}, expected {_EXPECTED}")
    found = []
    for number, piece in enumerate(pieces, 1):
        where = f"{path}: {part!r}, chorale {number}"
        if not isinstance(piece, list) or not piece:
            raise InputError(f"{where} is {_short(piece)}, expected {_EXPECTED}")
        found.append([_step(f"{where}, step {n}", step) for n, step in enumerate(piece, 1)])
    return found


def _step(where: str, step: Any) -> list[int]:
    if not isinstance(step, list) or not all(map(_is_pitch, step)):
        raise InputError(
            f"{where} is {_short(step)}, expected a list of pitches: whole numbers from 0 to 127, "
            f"or -1 for a rest"
        )
    return [int(pitch) for pitch in step]


def _is_pitch(value: Any) -> bool:
    """Upstream's files hold 66.0 as well as 66."""
    return type(value) in (int, float) and REST <= value <= 127 and value == int(value)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:36] + " ..."
