"""Tables as plain text."""

from collections.abc import Sequence
from typing import Any


def text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table with aligned columns; numbers stand on the right.

    Example:
        >>> print(text(["cell", "steps"], [["gru", 200], ["simple_rnn", 7]]))
        cell        steps
        gru           200
        simple_rnn      7
    """
    cells = [list(columns), *([str(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [
        all(not isinstance(row[place], str) or row[place][:1].isdigit() for row in rows)
        for place in range(len(columns))
    ]
    lines = [
        "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines)
