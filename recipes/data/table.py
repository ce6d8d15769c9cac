"""The rows of a user's file that `predict` answers: their own columns, and the text of each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.config import option
from recipes.data.columns import place_of
from recipes.data.formats.delimited import FORMATS, body_of, format_of, records_of
from recipes.data.formats.jsonl import object_of, string_of
from zoo.errors import InputError, require_choice
from zoo.system.lines import open_file, read_lines, read_text, split_lines

Row = dict[str, Any]
TEXT = ("text", "--text-column")  # what the column holds, and its flag


@dataclass(frozen=True)
class TableOptions:
    """A file whose rows are answered, and the column of the text."""

    data: str = option(
        "", "File whose rows are answered: .csv, .tsv, .jsonl; any other has a text on each line."
    )
    text_column: str = option(
        "",
        "Column of the text (or label) to answer: its name, or its number from 0 (default: text, "
        "or the only column).",
    )
    format: str = option("", "Format of the file: tsv, csv, jsonl; by default as its ending says.")
    header: bool = option(True, "The first line of a TSV or CSV file names the columns.")


def read_table(options: TableOptions) -> tuple[list[Row], list[str]]:
    """Reads the rows of a file, each with its own columns by name, and the text of each row.

    Columns without a name, or with that of another one, get their number, from 0, added to it.

    Raises:
        InputError: The file cannot be read, lacks the column, or a row is malformed.
    """
    path = Path(options.data).expanduser()
    if options.format:
        require_choice("format", options.format, FORMATS)
    format = options.format or format_of(path)
    if not format:
        with open_file(path) as file:
            texts = list(read_lines(file, str(path), "RNN_ZOO_MAX_FILE_BYTES"))
        return [{"text": text} for text in texts], texts
    text = read_text(path)
    if not text.strip():
        raise InputError(f"{path}: the file is empty, expected rows to answer: name another file")
    if format == "jsonl":
        return _objects(path, text, options.text_column or "text")
    records = records_of(path, text, format, (options.text_column or "text",), options.header)
    (line, head), width = records[0], len(records[0][1])
    usual = "text,0" if width == 1 else "text"
    names = [name.strip() for name in head] if options.header else None
    column = place_of(f"{path}:{line}", names, width, options.text_column or usual, *TEXT)
    known = names or [""] * width
    columns = [
        name if name and known.count(name) == 1 else f"{name} {number}".strip()
        for number, name in enumerate(known)
    ]
    body = [fields for _, fields in body_of(path, records, format, options.header)]
    return (
        [dict(zip(columns, fields, strict=True)) for fields in body],
        [fields[column] for fields in body],
    )


def _objects(path: Path, text: str, key: str) -> tuple[list[Row], list[str]]:
    lines = [(n, line) for n, line in enumerate(split_lines(text), start=1) if line.strip()]
    texts = [
        string_of(f"{path}:{number}", object_of(f"{path}:{number}", line), key, *TEXT)
        for number, line in lines
    ]
    return [json.loads(line) for _, line in lines], texts
