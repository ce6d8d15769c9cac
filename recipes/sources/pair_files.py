"""Reads sentence pairs from the user's files: the columns of one, or the lines of two."""

from dataclasses import dataclass
from pathlib import Path

from recipes.sources.textfile import read_text, split_lines
from zoo.errors import InputError


@dataclass(frozen=True)
class Pair:
    """A text and its translation, without the blanks around them.

    Attributes:
        source: What the model reads.
        target: What it is to write.
    """

    source: str
    target: str

    @classmethod
    def of(cls, source: str, target: str) -> "Pair":
        """The pair of two texts as they stand in a file."""
        return cls(source.strip(), target.strip())

    @property
    def is_blank(self) -> bool:
        """Whether a side is missing."""
        return not (self.source and self.target)


def columns(source: str, target: str) -> tuple[int, int]:
    """Reads the two column numbers that choose a direction.

    Args:
        source: The source's column, counted from 0; `""` for 0.
        target: The target's; `""` for 1, or for 0 if that is not the source's.

    Returns:
        Both as numbers.

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
            f"{option!r}: try --source 0 --target 1"
        )
    return int(option)


def read_columns(path: str | Path, source: int = 0, target: int = 1) -> list[Pair]:
    """Reads the pairs of a file with tabs between its columns and without a header.

    There is no quoting, as in all TSV here. Other columns are ignored, such as the attribution of
    Tatoeba's pairs; so are empty lines.

    Args:
        path: A file in UTF-8, gzipped or not.
        source: The source's column, counted from 0.
        target: The target's.

    Returns:
        A pair for each line, blank ones as well.

    Raises:
        InputError: The file cannot be read or a line lacks a column; names the file and the line.
    """
    needed = max(source, target) + 1
    pairs = []
    for number, line in enumerate(split_lines(read_text(path)), start=1):
        if not line.strip(" "):
            continue
        fields = line.split("\t")
        if len(fields) < needed:
            raise InputError(
                f"{path}:{number}: number of columns {len(fields)}, expected at least {needed} "
                f"with tabs between them: put source and target into each line, or choose other "
                f"columns with --source and --target"
            )
        pairs.append(Pair.of(fields[source], fields[target]))
    return pairs


def read_aligned(source: str | Path, target: str | Path) -> list[Pair]:
    """Reads two files whose lines translate each other.

    Args:
        source: A file in UTF-8, gzipped or not, a text on each line.
        target: Another with as many lines.

    Returns:
        A pair for each line, blank ones as well.

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
