"""The printed tables."""

from collections.abc import Sequence
from typing import Any

from benchmarks.speed.timing import Contender, Spread, ratio, spread

HEADINGS = (
    "cell",
    "contender",
    "ms, median (lowest to highest)",
    "peer / ours (per round)",
    "share of the product's limit",
    "compile s",
    "XLA programs",
)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with columns of even width.

    Example:
        >>> print(table(["T", "ms"], [["100", "7.5"]]))
        | T   | ms  |
        |-----|-----|
        | 100 | 7.5 |
    """
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "| "
        + " | ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
        + " |"
        for row in (headings, *rows)
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def milliseconds(seconds: list[float]) -> str:
    """Median and range of seconds, printed in milliseconds."""
    return _with_range(spread([1e3 * value for value in seconds]), 2)


def _with_range(value: Spread, digits: int) -> str:
    numbers = [f"{part:.{digits}f}" for part in (value.median, value.lowest, value.highest)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


def contender_rows(
    cell: str, contenders: list[Contender], limit: Contender | None, passed: str
) -> list[list[str]]:
    """The rows of a cell: ours first, then its peers with their ratios, then the limit.

    Args:
        cell: The cell's name.
        contenders: Ours is the first.
        limit: The one big product of a forward pass, timed beside them, or None.
        passed: `forward` or `train`, which does three times the products of `forward`.
    """
    ours = contenders[0]
    rows = []
    for contender in contenders:
        if not contender.seconds:
            rows.append([cell, contender.name, contender.why_not, "", "", "", ""])
            continue
        median = spread(contender.seconds).median
        compared = contender is not ours and contender.peer
        count = contender.compilations
        rows.append(
            [
                cell,
                contender.name,
                milliseconds(contender.seconds),
                _with_range(ratio(contender.seconds, ours.seconds), 2) if compared else "",
                f"{share(limit, ours, passed):.2f}" if limit and contender is ours else "",
                f"{max(contender.first_s - median, 0):.2f}",
                "" if count is None else str(count),
            ]
        )
    if limit:
        times = 3 if passed == "train" else 1
        scaled = milliseconds([times * seconds for seconds in limit.seconds])
        rows.append([cell, limit.name, scaled, "", "1.00", "", ""])
    return rows


def share(limit: Contender, ours: Contender, passed: str) -> float:
    """The part of our time that the layer's products alone would take."""
    times = 3 if passed == "train" else 1
    return times * spread(limit.seconds).median / spread(ours.seconds).median


def record(contender: Contender, **where: Any) -> dict[str, Any]:
    """A contender's times for the JSON file; `where` names shape, pass and cell."""
    return {
        **where,
        "contender": contender.name,
        "why_not": contender.why_not or None,
        "seconds": contender.seconds,
        "first_s": contender.first_s,
        "compilations": contender.compilations,
    }
