"""Reads sentence pairs from the user's files: the columns of one, or the lines of two."""

from pathlib import Path

from recipes.data.columns import Wanted, two_places
from recipes.data.formats.delimited import Record, format_of, records_of
from recipes.data.formats.jsonl import read_jsonl
from recipes.data.items import Pair
from zoo.errors import InputError
from zoo.system.lines import read_text, split_lines

_FLAGS = {"source": "--source", "target": "--target"}


def columns(source: str, target: str) -> tuple[int, int]:
    """Reads the numbers of the two columns; `""` stands for the other one of 0 and 1.

    Raises:
        InputError: One is no number, or both are the same.

    Example:
        >>> columns("", ""), columns("1", "0"), columns("1", "")
        ((0, 1), (1, 0), (1, 0))
    """
    first = _column("source", source or ("1" if target == "0" else "0"))
    second = _column("target", target or ("0" if first == 1 else "1"))
    if first == second:
        raise InputError(
            f"source and target are both column {first}, expected two columns: choose another with "
            f"--source or --target"
        )
    return first, second


def _column(role: str, option: str) -> int:
    if not (option.isascii() and option.isdigit()):
        raise InputError(
            f"{role} must be the number of a column, counted from 0, in a file of pairs, got "
            f"{option!r}: try --source 0 --target 1, or --header if the first line names them"
        )
    return int(option)


def read_pairs(
    path: str | Path, source: str = "", target: str = "", format: str = "", header: bool = False
) -> list[Pair]:
    """Reads the pairs of a file: TSV, CSV or JSON Lines.

    There is no quoting in TSV. Other columns are ignored, such as the attribution of Tatoeba's
    pairs; so are empty lines. Each row gives a pair, blank ones as well.

    Args:
        path: A file in UTF-8, gzipped or not.
        source: The source's column or key, as in `PairOptions`; `""`: column 0 or `source`.
        target: The target's, likewise; `""`: column 1 or `target`.
        format: One of `FORMATS`; `""`: the ending `.csv` or `.jsonl` says it, all else is TSV.
        header: Whether the first line of TSV or CSV names the columns.

    Raises:
        InputError: The file cannot be read or a row lacks a column; names the file and the line.
    """
    path = Path(path)
    format = format or format_of(path) or "tsv"
    if format == "jsonl":
        keys = (source or "source", target or "target")
        rows = read_jsonl(path, read_text(path), *keys, _FLAGS)
        return [Pair.of(*sides) for _, *sides in rows]
    wanted = source or "source,0", target or "target,1"
    records = records_of(path, read_text(path), format, wanted, header)
    if not header:
        return _of_records(path, records, *columns(source, target))
    if not records:
        return []
    (number, names), *body = records
    first, second = two_places(
        f"{path}:{number}",
        [name.strip() for name in names],
        len(names),
        Wanted(wanted[0], "source", "--source"),
        Wanted(wanted[1], "target", "--target"),
    )
    return _of_records(path, body, first, second)


def _of_records(path: Path, records: list[Record], source: int, target: int) -> list[Pair]:
    needed = max(source, target) + 1
    pairs = []
    for number, fields in records:
        if len(fields) < needed:
            raise InputError(
                f"{path}:{number}: number of columns {len(fields)}, expected at least {needed} "
                f"with tabs between them: put source and target into each line, or choose other "
                f"columns with --source and --target"
            )
        pairs.append(Pair.of(fields[source], fields[target]))
    return pairs


def read_aligned(source: str | Path, target: str | Path) -> list[Pair]:
    """Reads two files, gzipped or not, whose lines translate each other, blank ones as well.

    Raises:
        InputError: A file cannot be read, or the numbers of lines differ.
    """
    sources, targets = _lines(source), _lines(target)
    if len(sources) != len(targets):
        raise InputError(
            f"{source} has {len(sources)} lines and {target} has {len(targets)}, expected as many "
            f"in both, each line the translation of the other's: align them"
        )
    return [Pair.of(*both) for both in zip(sources, targets, strict=True)]


def _lines(path: str | Path) -> list[str]:
    lines = split_lines(read_text(path))
    return lines[:-1] if not lines[-1] else lines  # behind the last line end there is no line
