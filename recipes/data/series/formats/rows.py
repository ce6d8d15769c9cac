"""CSV and TSV with a series a row: its name or its label, and its values from left to right.

    V1,V2,V3,V4
    H1,605,586,586
    H2,3124,2990,

Empty cells at the end of a row are after the end of its series. The series are named by the first
column, unless it is the label: then by --series-column, or by their numbers.
"""

from pathlib import Path

import numpy as np

from recipes.data.columns import first_of, place_of
from recipes.data.formats.delimited import Record
from recipes.data.naming import clean
from recipes.data.series.formats.cells import is_missing, is_number, numbers
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import TIME_COLUMNS, SeriesColumns
from recipes.data.series.times import is_time
from zoo.errors import InputError

COLUMN = "value"  # the one value of a time step


def is_likely(records: list[Record], options: SeriesColumns) -> bool:
    """Whether a table without any named column has a name and then numbers in each row."""
    named = (options.series_column, options.value_columns, options.label_column)
    if any(named) or options.covariate_columns or options.static_columns:
        return False
    if options.time_column not in ("", TIME_COLUMNS) or not records:
        return False
    head = [clean(name) for name in records[0][1]]
    if options.header and first_of(TIME_COLUMNS, head) != TIME_COLUMNS:
        return False
    first, *others = records[-1][1]
    is_name = bool(first.strip()) and not is_number(first) and not is_time(first.strip())
    return is_name and len(others) > 0 and all(map(is_number, others))


def read_rows(path: Path, records: list[Record], options: SeriesColumns) -> SeriesSet:
    """Reads the series of a table, one a row, with one value a time step and no times.

    Raises:
        InputError: A row has no values, no label, text among its values, or the name of another.
    """
    line, head = records[0]
    header = options.header and not _is_data(head)
    body = records[1:] if header else records
    names = [clean(name) for name in head] if header else None
    where, width = f"{path}:{line}", len(head)
    label = name = None
    if options.label_column:
        label = place_of(where, names, width, options.label_column, "label", "--label-column")
    if options.series_column:
        name = place_of(where, names, width, options.series_column, "name", "--series-column")
    elif label is None:
        name = 0
    found: dict[str, tuple[int, Series]] = {}
    for number, (line, fields) in enumerate(body):
        series = _series(f"{path}:{line}", fields, number, name, label)
        if series.name in found:
            raise InputError(
                f"{path}:{line}: series {series.name!r} is in line {found[series.name][0]} too, "
                f"expected one row for each series: rename one, or, if a row is a time step, name "
                f"the series' column with --series-column"
            )
        found[series.name] = line, series
    if not found:
        raise InputError(f"{path}: only a header, expected a series in each row: add some")
    return SeriesSet([series for _, series in found.values()], (COLUMN,))


def _is_data(head: list[str]) -> bool:
    """Whether a first line has values, so that it is no header; a header may count from 0 or 1."""
    cells = [cell.strip() for cell in head[1:]]
    if not cells or not all(map(is_number, cells)) or all(map(is_missing, cells)):
        return False
    return cells not in [list(map(str, range(first, first + len(cells)))) for first in (0, 1)]


def _series(
    where: str, fields: list[str], number: int, name: int | None, label: int | None
) -> Series:
    columns = [column for column in range(len(fields)) if column not in (name, label)]
    while columns and is_missing(fields[columns[-1]]):
        columns.pop()
    if not columns:
        raise InputError(
            f"{where}: the row has no values, expected a series: add them or leave the row out"
        )
    own = clean(fields[label]) if label is not None else ""
    if label is not None and not own:
        raise InputError(
            f"{where}: the row has no label, expected one in every row: add it or leave the row out"
        )
    values = numbers(
        [fields[column] for column in columns],
        lambda place: f"{where}: column {columns[place] + 1}",
    )
    title = clean(fields[name]) if name is not None else ""
    return Series(title or str(number + 1), np.ascontiguousarray(values[:, None]), label=own)
