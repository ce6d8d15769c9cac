"""Reads labelled texts from TSV, CSV and JSON Lines files; the first stage of a classification run.

What a file of each format looks like stands in `recipes.sources.delimited` and
`recipes.sources.jsonl`. In all of them the text may be empty, as some reviews are; a label loses
the blanks around it and must not be empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recipes.sources.delimited import read_csv, read_tsv
from recipes.sources.jsonl import read_jsonl
from recipes.sources.labels import clean
from recipes.sources.textfile import read_text
from zoo.errors import InputError

Row = tuple[int, str, str]  # line, text, label
_READERS: dict[str, Callable[[Path, str, str, str], list[Row]]] = {
    ".tsv": read_tsv,
    ".csv": read_csv,
    ".jsonl": read_jsonl,
}
ENDINGS = (*_READERS, *(ending + ".gz" for ending in _READERS))


@dataclass(frozen=True)
class Example:
    """One labelled text.

    Attributes:
        text: What the model reads; may be empty.
        label: The name of its class, never empty.
    """

    text: str
    label: str


def read_table(
    path: str | Path, text_column: str = "text", label_column: str = "label"
) -> list[Example]:
    """Reads the examples of one file, in the file's order.

    Args:
        path: A file whose name ends in one of `ENDINGS`, in UTF-8.
        text_column: The column, or the key of the JSON objects, that holds the text.
        label_column: The column, or the key of the JSON objects, that holds the label.

    Returns:
        One example a row, at least one.

    Raises:
        InputError: The file cannot be read or a row is malformed; names the file and the line.
    """
    path = Path(path)
    text = read_text(path)
    read_rows = _reader(path)
    if not text.strip():
        raise InputError(
            f"{path}: the file is empty, expected rows with a {text_column!r} and a "
            f"{label_column!r}: put some in, or name another file"
        )
    return [_example(path, *row) for row in read_rows(path, text, text_column, label_column)]


def _reader(path: Path) -> Callable[[Path, str, str, str], list[Row]]:
    name = path.name.lower().removesuffix(".gz")
    for ending, reader in _READERS.items():
        if name.endswith(ending):
            return reader
    raise InputError(
        f"{path}: the ending of the name must tell the format, expected one of "
        f"{', '.join(ENDINGS)}: rename or convert the file"
    )


def _example(path: Path, line: int, text: str, label: str) -> Example:
    label = clean(label)
    if not label:
        raise InputError(
            f"{path}:{line}: the row has no label, expected one in every row: add it or leave the "
            f"row out"
        )
    return Example(text, label)
