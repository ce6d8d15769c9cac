"""The `.ts` files of sktime and aeon: one series a line, `@` lines above them.

    @problemName Vowels
    @timeStamps false
    @univariate false
    @classLabel true one two
    @data
    1.5,2.0,?:0.1,0.2,0.3:one
    1.7,2.1:0.4,0.5:two

Dimensions are between colons, the class is last. Series may have different lengths, their
dimensions not.
"""

from functools import partial
from pathlib import Path

import numpy as np

from recipes.data.naming import clean, unknown
from recipes.data.series.formats.cells import numbers
from recipes.data.series.items import Series, SeriesSet
from zoo.errors import InputError
from zoo.system.lines import read_text, split_lines

_TRUE = {"true": True, "false": False}


def read_ts(path: Path) -> SeriesSet:
    """Reads the series of a `.ts` file, named by their numbers from 1.

    Raises:
        InputError: The file cannot be read or a line is malformed; names the line.
    """
    lines = [(n, line.strip()) for n, line in enumerate(split_lines(read_text(path)), start=1)]
    lines = [(n, line) for n, line in lines if line and line[0] not in "#%"]
    start = next((k for k, (_, line) in enumerate(lines) if line.lower() == "@data"), None)
    if start is None or start + 1 == len(lines):
        what = "no line @data" if start is None else "no series after @data"
        raise InputError(
            f"{path}: {what}, expected lines such as `@classLabel true a b`, then `@data`, then a "
            f"series a line: complete the file"
        )
    classes = _header(path, lines[:start])
    found: list[Series] = []
    for number, line in lines[start + 1 :]:
        where = f"{path}:{number}"
        series = _series(where, line, str(len(found) + 1), classes)
        if found and series.values.shape[1] != found[0].values.shape[1]:
            raise InputError(
                f"{where}: number of dimensions {series.values.shape[1]}, expected "
                f"{found[0].values.shape[1]} as in the first series: correct the colons"
            )
        found.append(series)
    width = found[0].values.shape[1]
    return SeriesSet(found, tuple(f"dimension_{place + 1}" for place in range(width)))


def _header(path: Path, lines: list[tuple[int, str]]) -> set[str] | None:
    """The classes that the header lists, an empty set if it lists none; None without labels."""
    classes = None
    for number, line in lines:
        where = f"{path}:{number}"
        key, *values = line.split()
        if not key.startswith("@"):
            raise InputError(
                f"{where}: {line[:40]!r} is in front of @data, expected a line that begins with "
                f"`@`: put @data in front of the series"
            )
        name = key.lower()
        if name == "@timestamps" and _flag(where, key, values):
            raise _stamped(where)
        if name == "@targetlabel" and _flag(where, key, values):
            raise InputError(
                f"{where}: the labels are numbers to predict (@targetLabel), expected classes: "
                f"write @classLabel true and the classes' names"
            )
        if name == "@classlabel" and _flag(where, key, values):
            classes = set(map(clean, values[1:]))
    return classes


def _flag(where: str, key: str, values: list[str]) -> bool:
    value = values[0].lower() if values else ""
    if value not in _TRUE:
        raise InputError(
            f"{where}: {key} is {value or 'without a value'!r}, expected true or false: write one"
        )
    return _TRUE[value]


def _stamped(where: str) -> InputError:
    return InputError(
        f"{where}: the values have time stamps, expected values alone: write the series without "
        f"them and @timeStamps false, or as a table with --time-column"
    )


def _series(where: str, line: str, name: str, classes: set[str] | None) -> Series:
    if line.startswith("("):
        raise _stamped(where)
    *dimensions, last = line.split(":")
    label = ""
    if classes is None:
        dimensions.append(last)
    else:
        label = clean(last)
        if not dimensions or label in ("", "?"):
            raise InputError(
                f"{where}: the series has no label, expected one after the last colon: add it"
            )
        if classes and label not in classes:
            raise InputError(f"{where}: {unknown('class', label, sorted(classes))}: correct it")
    columns = [
        numbers(text.split(","), partial(_place, where, at))
        for at, text in enumerate(dimensions, start=1)
    ]
    sizes = [len(column) for column in columns]
    other = next((at for at, size in enumerate(sizes) if size != sizes[0]), None)
    if other is not None:
        raise InputError(
            f"{where}: dimension {other + 1} has {sizes[other]} values and dimension 1 has "
            f"{sizes[0]}, expected equal numbers: write ? for missing ones"
        )
    return Series(name, np.stack(columns, axis=1), label=label)


def _place(where: str, dimension: int, value: int) -> str:
    return f"{where}: dimension {dimension}, value {value + 1}"
