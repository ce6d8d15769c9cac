"""TSV and CSV: a file's text -> rows of line, text and label; the two formats with columns.

- *TSV*: one row a line, fields between tabs. There is no quoting: a `"` is a letter like any other,
  wherever it is, so that a stray one in a review never swallows the lines after it.
- *CSV*: RFC 4180. A field may be in double quotes and then hold commas, line breaks and doubled
  quotes. A quote that is never closed is an error and not one endless field. Where commas do not
  give the columns, semicolons or tabs may separate them, as in the exports of spreadsheets.

The header names the columns; without one they are chosen by their numbers. Columns that are not
asked for are ignored. Blank lines are skipped.
"""

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

from recipes.data.columns import Wanted, has_names, two_places
from recipes.data.location import without_gz
from zoo.errors import InputError
from zoo.system.lines import split_lines

FORMATS = ("tsv", "csv", "jsonl")  # of tables
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}  # of CSV
_REMEDIES = {
    "tsv": "put a blank in place of a tab or a line break inside a text, or give --format csv if "
    "such texts are in double quotes",
    "csv": "put double quotes around a text that holds commas or line breaks",
}
_FIRST = 10  # records from which the separator is judged
Record = tuple[int, list[str]]  # the line on which it begins, counted from 1, and its fields


def format_of(path: Path) -> str:
    """The format that the ending of a file's name says, one of `FORMATS`; `""` for another one."""
    ending = without_gz(path).rpartition(".")[2]
    return ending if ending in FORMATS and "." in path.name else ""


def records_of(
    path: Path, text: str, format: str, columns: Sequence[str | int], header: bool
) -> list[Record]:
    """The fields of each line of a TSV file or each record of a CSV file, blank ones aside.

    `columns` are the options of the columns and `header` whether the first line names them: by
    these the separator of a CSV file is chosen.

    Raises:
        InputError: Malformed quotes.
    """
    if format == "csv":
        return _csv_records(path, text, columns, header)
    return [
        (number, line.split("\t"))
        for number, line in enumerate(split_lines(text), start=1)
        if line.strip(" ")
    ]


def _csv_records(path: Path, text: str, columns: Sequence[str | int], header: bool) -> list[Record]:
    lines = [line + "\n" for line in text.split("\n")]
    records: list[Record] = []
    start = 1
    usual_limit = csv.field_size_limit(len(text) + 1)  # a text may be longer than 131,072 letters
    separator = _separator(lines, columns if header else ())
    reader = csv.reader(lines, strict=True, delimiter=separator)
    try:
        for fields in reader:
            if fields:
                records.append((start, fields))
            start = reader.line_num + 1
    except csv.Error as error:
        raise _csv_error(path, lines, start, separator, error) from error
    finally:
        csv.field_size_limit(usual_limit)
    return records


def _separator(lines: list[str], columns: Sequence[str | int]) -> str:
    """The first separator that gives a header with the named columns, or else even records."""
    firsts = {separator: _first_records(lines, separator) for separator in SEPARATORS}
    for separator, records in firsts.items():
        if records and has_names(records[0], columns):
            return separator
    for separator, records in firsts.items():
        widths = set(map(len, records))
        if len(widths) == 1 and widths != {1}:
            return separator
    return ","


def _first_records(lines: list[str], separator: str) -> list[list[str]]:
    """The first records that a separator gives; none if it gives malformed ones."""
    try:
        return list(itertools.islice(filter(None, csv.reader(lines, delimiter=separator)), _FIRST))
    except csv.Error:
        return []


def _csv_error(
    path: Path, lines: list[str], start: int, separator: str, error: csv.Error
) -> InputError:
    if "unexpected end of data" not in str(error):
        return InputError(
            f"{path}:{start}: malformed CSV ({error}), expected fields between "
            f"{SEPARATORS[separator]}: double the quotes inside a quoted field, and end lines with "
            f"LF or CRLF"
        )
    # Read leniently, the record's last field is all that follows the open quote.
    swallowed = next(csv.reader(lines[start - 1 :], delimiter=separator))[-1]
    opened = len(lines) - swallowed.count("\n") + 1
    return InputError(
        f"{path}:{opened}: the quote that opens in this line is never closed, expected another "
        f"before the file ends: close it, and double the quotes inside a quoted field"
    )


def read_rows(
    path: Path, text: str, format: str, text_column: str, label_column: str, header: bool = True
) -> list[tuple[int, str, str]]:
    """Finds the line where it begins, text and label of every row of a TSV or CSV file.

    `text` is the content of the file, not blank; `columns.place_of` reads the options of the
    columns. There is at least one row.

    Raises:
        InputError: The header lacks a column, no row follows, a row has other fields, or CSV has
            malformed quotes.
    """
    records = records_of(path, text, format, (text_column, label_column), header)
    first, head = records[0]
    names = [name.strip() for name in head] if header else None
    text_index, label_index = two_places(
        f"{path}:{first}",
        names,
        len(head),
        Wanted(text_column, "text", "--text-column"),
        Wanted(label_column, "label", "--label-column"),
    )
    body = body_of(path, records, format, header)
    return [(line, fields[text_index], fields[label_index]) for line, fields in body]


def body_of(path: Path, records: list[Record], format: str, header: bool) -> list[Record]:
    """The records below the header, at least one, all of the same number of fields.

    Raises:
        InputError: No record follows the header, or one has another number of fields.
    """
    first, width = records[0][0], len(records[0][1])
    body = records[1:] if header else records
    if not body:
        raise InputError(f"{path}:{first}: only a header, expected rows below it: add examples")
    for line, fields in body:
        if len(fields) != width:
            raise InputError(
                f"{path}:{line}: number of fields {len(fields)}, expected {width} as in the "
                f"{'header' if header else 'first row'}: {_REMEDIES[format]}"
            )
    return body
