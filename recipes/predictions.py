"""A model's predictions for labelled data -> a file of a row for each example."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from zoo.errors import InputError
from zoo.system import durable

Row = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """How a model does on a split.

    Attributes:
        scores: The split's metrics.
        predictions: For each example `id` (its number in the data, from 1 up), `text`, `label`,
            `prediction` and, from a classifier, `probabilities`; None of a recipe that predicts
            nothing of the kind.
    """

    scores: dict[str, Any]
    predictions: Iterable[Row] | None = None


def numbered(
    texts: Iterable[Any], labels: Iterable[Any], predictions: Iterable[Any]
) -> Iterator[Row]:
    """Yields the row of each example, as `Measured` has them."""
    rows = zip(texts, labels, predictions, strict=True)
    for number, (text, label, prediction) in enumerate(rows, 1):
        yield {"id": number, "text": text, "label": label, "prediction": prediction}


def beside(own: Row, answer: Row, is_flat: bool = False) -> Row:
    """A row of the user's file with the entries of an answer but the first, which is its input.

    An entry whose name the row has already gets `predicted_` in front. With `is_flat` the result
    has texts and numbers alone, for CSV and TSV.
    """
    if is_flat:
        answer = _cells(answer)
        own = {
            name: value if isinstance(value, str) else _json(value) for name, value in own.items()
        }
    both = dict(own)
    for name, value in list(answer.items())[1:]:
        while name in own:
            name = f"predicted_{name}"
        both[name] = value
    return both


def check(path: Path) -> None:
    """Refuses a file that `write` could not write, before anything is computed.

    Raises:
        InputError: The name's ending is unknown, or there is no such folder.
    """
    if path.suffix.lower() not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise InputError(
            f"--write-predictions {path}: the ending must name the format, one of {known}: choose "
            "one of them"
        )
    if not path.parent.is_dir():
        raise InputError(
            f"--write-predictions {path}: there is no folder {path.parent}: make it first"
        )
    if path.is_dir():
        raise InputError(f"--write-predictions {path}: is a folder, expected a file")


def write(path: Path, rows: Iterable[Row]) -> int:
    """Writes predictions in the format that the file's ending names.

    - `.jsonl`: an object a line; lists and probabilities as such.
    - `.csv`: RFC 4180, quoted where needed. A list is joined with blanks, and each class has a
      column `probability:CLASS`.
    - `.tsv`: the same columns without quotes; a blank stands for a tab or a line break in a text.

    Args:
        path: The file; an older one stays until the new one is whole.
        rows: As `Measured` has them.

    Returns:
        The number of rows.
    """
    count = 0
    write_row = _WRITERS[path.suffix.lower()]
    with durable.replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for count, row in enumerate(rows, 1):
            write_row(file, row, count == 1)
    return count


def _jsonl(file: TextIO, row: Row, _is_first: bool) -> None:
    file.write(_json(row) + "\n")


def _csv(file: TextIO, row: Row, is_first: bool) -> None:
    cells = _cells(row)
    csv.writer(file).writerows([cells, cells.values()] if is_first else [cells.values()])


def _tsv(file: TextIO, row: Row, is_first: bool) -> None:
    blank = str.maketrans("\t\n\r", "   ")
    cells = _cells(row)
    for line in (cells, cells.values()) if is_first else (cells.values(),):
        file.write("\t".join(str(cell).translate(blank) for cell in line) + "\n")


def _cells(row: Row) -> Row:
    """A row's columns and what is in them."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"probability:{key}": f"{share:.6f}" for key, share in value.items()}
        else:
            flat[name] = (
                " ".join(each if isinstance(each, str) else _json(each) for each in value)
                if isinstance(value, list)
                else value
            )
    return flat


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_WRITERS: dict[str, Callable[[TextIO, Row, bool], None]] = {
    ".tsv": _tsv,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
