"""Reads labelled texts from TSV, CSV and JSON Lines files; the first stage of a classification run.

What a file of each format looks like stands in `recipes.data.formats.delimited` and
`recipes.data.formats.jsonl`. In all of them the text may be empty, as some reviews are; a label
loses the blanks around it and must not be empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recipes.data.formats.delimited import read_csv, read_tsv
from recipes.data.formats.jsonl import read_jsonl
from recipes.data.labels import clean
from recipes.data.text_file import read_text
from zoo.errors import InputError

Row = tuple[int, str, str]  # line, text, label
_READERS: dict[str, Callable[[Path, str, str, str, bool], list[Row]]] = {
    "tsv": read_tsv,
    "csv": read_csv,
    "jsonl": read_jsonl,
}
FORMATS = tuple(_READERS)
ENDINGS = (*(f".{name}" for name in FORMATS), *(f".{name}.gz" for name in FORMATS))


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
    path: str | Path,
    text_column: str = "text",
    label_column: str = "label",
    format: str = "",
    header: bool = True,
) -> list[Example]:
    """Reads the examples of one file, in the file's order.

    Args:
        path: A file in UTF-8.
        text_column: The column, or the key of the JSON objects, that holds the text: its name or,
            in TSV and CSV, its number from 0; several with commas, of which the first counts that
            the file has.
        label_column: The column or key that holds the label, likewise.
        format: One of `FORMATS`; `""`: the ending of the file's name, one of `ENDINGS`, says it.
        header: Whether the first line of TSV and CSV names the columns.

    Returns:
        One example a row, at least one.

    Raises:
        InputError: The file cannot be read or a row is malformed; names the file and the line.
    """
    path = Path(path)
    text = read_text(path)
    read_rows = _READERS[format or format_of(path)]
    if not text.strip():
        raise InputError(
            f"{path}: the file is empty, expected rows with a {text_column!r} and a "
            f"{label_column!r}: put some in, or name another file"
        )
    rows = read_rows(path, text, text_column, label_column, header)
    return [_example(path, *row) for row in rows]


def format_of(path: Path) -> str:
    """The format that the ending of a file's name says.

    Raises:
        InputError: It says none.
    """
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending in FORMATS and "." in path.name:
        return ending
    raise InputError(
        f"{path}: the ending of the name must tell the format, expected one of "
        f"{', '.join(ENDINGS)}: give --format ({', '.join(FORMATS)}), or rename or convert the file"
    )


def _example(path: Path, line: int, text: str, label: str) -> Example:
    label = clean(label)
    if not label:
        raise InputError(
            f"{path}:{line}: the row has no label, expected one in every row: add it or leave the "
            f"row out"
        )
    return Example(text, label)
