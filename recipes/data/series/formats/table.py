"""CSV and TSV with a time step a row: one series (wide), or several by name (long).

Wide, as measurements of one site; each column is a value:

    date,load,temperature
    2016-07-01 00:00,5.8,30.5
    2016-07-01 01:00,5.7,27.8

Long, with the rows of several series, in the order of time within each:

    shop,date,sales,promotion
    north,2024-01-01,12,0
    south,2024-01-01,7,1

Where covariates go on after the last value, as planned promotions do, the rows with empty values at
the end of a series are its future.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recipes.data.columns import first_of, place_of
from recipes.data.formats.delimited import Record, body_of, format_of, records_of
from recipes.data.naming import clean
from recipes.data.series.formats import rows as one_a_row
from recipes.data.series.formats.cells import numbers
from recipes.data.series.grids import Grid, grids
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import LAYOUTS, TIME_COLUMNS, SeriesColumns
from recipes.data.series.times import Lines, parse
from zoo.errors import InputError, require_choice
from zoo.system.lines import read_text


class Places(NamedTuple):
    """The columns, from 0, that hold what the options name."""

    series: list[int]
    time: int | None
    label: int | None
    values: list[int]
    future: list[int]
    static: list[int]


class _Table(NamedTuple):
    """A file's rows, and what errors say about them."""

    path: Path
    names: list[str]
    body: list[Record]

    def where(self, row: int, column: int) -> str:
        return f"{self.path}:{self.body[row][0]}: column {self.names[column]!r}"

    def column(self, column: int) -> list[str]:
        return [fields[column] for _, fields in self.body]

    def matrix(self, columns: Sequence[int], advice: str = "") -> np.ndarray:
        """The numbers of some columns: float64 (rows, columns); for `advice` see `numbers`."""
        found = [
            numbers(self.column(column), partial(self.where, column=column), advice)
            for column in columns
        ]
        return np.stack(found, axis=1) if found else np.zeros((len(self.body), 0))


def read_table(path: Path, options: SeriesColumns) -> SeriesSet:
    """Reads a CSV or TSV file, gzipped or not, of any layout; see `SeriesColumns`.

    Raises:
        InputError: The file cannot be read, lacks a column, or a row is malformed; names the line.
    """
    text = read_text(path)
    if not text.strip():
        raise InputError(
            f"{path}: the file is empty, expected rows of numbers: put some in, or name another "
            f"file"
        )
    if options.layout:
        require_choice("layout", options.layout, LAYOUTS[1:])
    format = format_of(path)
    records = records_of(path, text, format, _named(options), options.header)
    if options.layout == "rows" or not options.layout and one_a_row.is_likely(records, options):
        return one_a_row.read_rows(path, records, options)
    body = body_of(path, records, format, options.header)
    line, head = records[0]
    names = [clean(name) for name in head] if options.header else None
    places = _places(f"{path}:{line}", names, len(head), options)
    labels = names or [str(number) for number in range(len(head))]
    return _series_set(_Table(path, labels, body), places, options)


def _named(options: SeriesColumns) -> list[str]:
    """The columns that options name, for choosing the separator; not those of defaults."""
    listed = [options.series_column, options.value_columns, options.label_column]
    listed += [options.covariate_columns, options.static_columns]
    if options.time_column != TIME_COLUMNS:
        listed.append(options.time_column)
    return [name for name in listed if name]


def several(
    where: str, names: Sequence[str] | None, width: int, option: str, role: str, flag: str
) -> list[int]:
    """The columns that an option lists with commas; one whose whole name has commas counts alone.

    Raises:
        InputError: A column does not exist.
    """
    if not option:
        return []
    whole = clean(option)
    listed = [whole] if names and whole in names else whole.split(",")
    return [place_of(where, names, width, clean(name), role, flag) for name in listed if name]


def _places(where: str, names: Sequence[str] | None, width: int, options: SeriesColumns) -> Places:
    series = several(where, names, width, options.series_column, "series", "--series-column")
    label = several(where, names, width, options.label_column, "label", "--label-column")[:1]
    future = several(
        where, names, width, options.covariate_columns, "covariate", "--covariate-columns"
    )
    static = several(where, names, width, options.static_columns, "covariate", "--static-columns")
    values = several(where, names, width, options.value_columns, "value", "--value-columns")
    time = None
    default = options.time_column == TIME_COLUMNS
    if options.time_column and not (
        default and first_of(TIME_COLUMNS, names or ()) == TIME_COLUMNS
    ):
        time = place_of(where, names, width, options.time_column, "time", "--time-column")
    other = {*series, *label, *future, *static, *([] if time is None else [time])}
    if both := other.intersection(values):
        name = names[min(both)] if names else str(min(both))
        raise InputError(
            f"{where}: column {name!r} is among --value-columns and another option's, expected it "
            f"in one of them: take it out of one"
        )
    values = values or [
        column for column in range(width) if column not in other and (not names or names[column])
    ]
    if not values:
        raise InputError(
            f"{where}: no column is left for values, expected one or more: name fewer in other "
            f"options"
        )
    return Places(series, time, label[0] if label else None, values, future, static)


def _series_set(table: _Table, places: Places, options: SeriesColumns) -> SeriesSet:
    rows_of = _rows_of(table, places)
    grids_of, step = _grids_of(table, places, rows_of, options.fill_gaps)
    advice = "" if options.value_columns else ", or choose columns of numbers with --value-columns"
    values, future = table.matrix(places.values, advice), table.matrix(places.future)
    static = table.matrix(places.static)
    _check_known(table, places.future, future)
    _check_known(table, places.static, static)
    found = []
    for name, rows in rows_of.items():
        grid = grids_of[name]
        label = "" if places.label is None else _label(table, places.label, rows, name)
        for place, column in enumerate(places.static):
            _check_constant(table, column, rows, static[rows, place], name)
        found.append(_one(name, grid, values[rows], future[rows], label, static[rows[0]]))
    return SeriesSet(
        found,
        tuple(table.names[column] for column in places.values),
        tuple(table.names[column] for column in places.future),
        tuple(table.names[column] for column in places.static),
        step,
    )


def _one(
    name: str,
    grid: Grid,
    values: np.ndarray,
    future: np.ndarray,
    label: str,
    static: np.ndarray,
) -> Series:
    """One series: its rows on the grid, the rows without a value at its end as its future."""
    on_grid = grid.spread(values)
    covariates = grid.repeated(future) if future.shape[1] else None
    length = len(grid)
    if covariates is not None:
        present = np.flatnonzero(~np.isnan(on_grid).all(axis=1))
        length = int(present[-1]) + 1 if len(present) else length
    times = None if grid.times is None else grid.times[:length]
    return Series(
        name,
        on_grid[:length],
        times,
        label,
        covariates,
        static if len(static) else None,
    )


def _rows_of(table: _Table, places: Places) -> dict[str, np.ndarray]:
    """The rows of each series by its name, in the order in which the names first occur."""
    if not places.series:
        return {"": np.arange(len(table.body))}
    rows: dict[str, list[int]] = {}
    for row, (line, fields) in enumerate(table.body):
        parts = [clean(fields[column]) for column in places.series]
        if not all(parts):
            column = table.names[places.series[parts.index("")]]
            raise InputError(
                f"{table.path}:{line}: no name of a series in column {column!r}, expected one in "
                f"every row: add it or leave the row out"
            )
        rows.setdefault("/".join(parts), []).append(row)
    return {name: np.array(of_series) for name, of_series in rows.items()}


def _grids_of(
    table: _Table, places: Places, rows_of: dict[str, np.ndarray], fill_gaps: bool
) -> tuple[dict[str, Grid], np.timedelta64 | None]:
    if places.time is None:
        return {name: Grid(np.arange(len(rows)), None) for name, rows in rows_of.items()}, None
    cells = table.column(places.time)
    lines = Lines(str(table.path), [line for line, _ in table.body], cells)
    return grids(lines, parse(lines, table.names[places.time]), rows_of, fill_gaps)


def _check_known(table: _Table, columns: Sequence[int], matrix: np.ndarray) -> None:
    """Refuses covariates without a number: they are known by definition."""
    missing = np.argwhere(np.isnan(matrix))
    if len(missing):
        row, place = map(int, missing[0])
        raise InputError(
            f"{table.where(row, columns[place])}: a covariate is missing, expected a number in "
            f"every row: fill it in"
        )


def _label(table: _Table, column: int, rows: np.ndarray, name: str) -> str:
    """The class of a series, the same in all its rows."""
    labels = [clean(table.body[row][1][column]) for row in rows]
    for row, label in zip(rows, labels, strict=True):
        if label in ("", "?"):
            raise InputError(
                f"{table.where(int(row), column)}: the row has no label, expected one in every "
                f"row: add it or leave the row out"
            )
        if label != labels[0]:
            raise _varying(table, column, int(rows[0]), int(row), name)
    return labels[0]


def _check_constant(
    table: _Table, column: int, rows: np.ndarray, values: np.ndarray, name: str
) -> None:
    other = np.flatnonzero(values != values[0])
    if len(other):
        raise _varying(table, column, int(rows[0]), int(rows[other[0]]), name)


def _varying(table: _Table, column: int, first: int, row: int, name: str) -> InputError:
    one, other = (table.body[each][1][column].strip() for each in (first, row))
    series = f"series {name!r}" if name else "the series"
    advice = "" if name else ", or name the series' column with --series-column"
    return InputError(
        f"{table.where(row, column)}: {series} has {other!r} here and {one!r} in line "
        f"{table.body[first][0]}, expected one value in all its rows: correct it{advice}"
    )
