"""What all pipelines share: batches of like lengths, answers of their rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from rnn_zoo_runtime.decoding import bounds
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph
from rnn_zoo_runtime.text.limits import Text

CHARACTERS = 2**16  # of a batch at most, padding counted; a longer text is a batch of its own
Texts = Text | Sequence[Text]


class Pipeline:
    """Graphs, text paths and a decoding: strings in, strings out, as in `zoo.pipelines`.

    Args:
        graphs: The graphs by name.

    Attributes:
        rows: Rows of a batch at most.
    """

    rows: ClassVar[int] = 256

    def __init__(self, graphs: Mapping[str, Graph]) -> None:
        self.graphs = dict(graphs)

    def graph(self, name: str) -> Graph:
        """A graph by name.

        Raises:
            InputError: The bundle has no such graph.
        """
        if name not in self.graphs:
            raise InputError(
                f"this {type(self).__name__} has no graph {name!r}, only {', '.join(self.graphs)}: "
                "export a model that has one"
            )
        return self.graphs[name]

    def answers(
        self,
        function: Callable[..., Answers],
        blank: Mapping[str, Text] | None = None,
        **inputs: Any,
    ) -> Answers:
        """Calls a function of rows on Python values, in batches of like lengths.

        Args:
            function: Lists of texts and arrays of options, by name -> name -> array.
            blank: A text by name that the function takes where there is no row at all.
            **inputs: Texts, or numbers of an option of `bounds`: one for each row, or one for all.

        Returns:
            Name -> array, a row for each row of the inputs.

        Raises:
            InputError: The inputs have different numbers of rows, or an option is out of its range.
        """
        count = next((len(value) for value in inputs.values() if _is_many(value)), 1)
        if not count:
            one: dict[str, Any] = {
                name: 1 if name in bounds.BOUNDS else [(blank or {}).get(name, "")]
                for name in inputs
            }
            found = self.answers(function, **one)
            return {name: value[:0] for name, value in found.items()}
        columns = {name: _column(name, value, count) for name, value in inputs.items()}
        texts = [column for name, column in columns.items() if name not in bounds.BOUNDS]
        lengths = [sum(map(len, row)) for row in zip(*texts, strict=True)]
        parts, order = [], []
        for members in batches(lengths, self.rows):
            part = {
                name: column[members]
                if isinstance(column, np.ndarray)
                else [column[member] for member in members]
                for name, column in columns.items()
            }
            parts.append(function(**part))
            order += members
        return in_order(parts, order)


def _is_many(value: Any) -> bool:
    if isinstance(value, str | bytes):
        return False
    return isinstance(value, Sequence) or np.ndim(value) > 0


def _column(name: str, value: Any, count: int) -> Any:
    """A value for each row: a list of texts, or an array of an option's numbers."""
    if name in bounds.BOUNDS:
        return bounds.column(name, value, count)
    texts = list(value) if _is_many(value) else [value] * count
    if len(texts) != count:
        raise InputError(f"{name} has {len(texts)} values, expected one for each of {count} rows")
    for text in texts:
        if not isinstance(text, str | bytes):
            raise InputError(f"{name} must be a string or a list of strings, got {text!r}")
    return texts


def batches(lengths: Sequence[int], most_rows: int, most: int = CHARACTERS) -> Iterator[list[int]]:
    """The places of the rows of each batch, by rising length.

    Example:
        >>> list(batches([5, 40_000, 3, 30_000, 30_000], 256))
        [[2, 0], [3, 4], [1]]
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        rows = len(batch) + 1
        if batch and (rows > most_rows or rows * lengths[place] > most):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def in_order(parts: list[Answers], order: list[int]) -> Answers:
    """The answers of batches, whose rows have the places `order`, as those of all rows."""
    if len(order) == 1:
        return parts[0]
    back = np.argsort(np.array(order, int))
    return {name: joined([part[name] for part in parts])[back] for name in parts[0]}


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Batches of one output below each other, padded with 0 or ""."""
    if len(parts) == 1:
        return parts[0]
    widest = np.max([part.shape[1:] for part in parts], axis=0).astype(int)
    fill = "" if parts[0].dtype == object else 0
    return np.concatenate(
        [
            np.pad(
                part,
                [(0, 0), *((0, most - n) for most, n in zip(widest, part.shape[1:], strict=True))],
                constant_values=fill,
            )
            for part in parts
        ]
    )


def strings(values: Sequence[str]) -> np.ndarray:
    """Strings as an array of objects, (B,)."""
    found = np.empty(len(values), object)
    found[:] = list(values)
    return found
