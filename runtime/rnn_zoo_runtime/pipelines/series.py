"""`SeriesPipeline`: what pipelines that read series of numbers share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph
from rnn_zoo_runtime.pipelines.pipeline import Pipeline, batches, in_order

NUMBERS = 2**22  # of a batch at most, padding counted


class SeriesPipeline(Pipeline):
    """A pipeline whose graph `model` reads `values` float32 (B, T, F) and `lengths` int32 (B,).

    Args:
        graphs: The graphs by name.
        numbers: What is known of the numbers: `input_dim`, the numbers of a step; `missing`,
            "indicator" where NaN is a missing value, and not an error; `sample_rate` of waveforms;
            `hop`, the steps of a series that the model reads as one.
    """

    def __init__(self, graphs: Mapping[str, Graph], numbers: Mapping[str, Any]) -> None:
        super().__init__(graphs)
        self.numbers = dict(numbers)

    @property
    def input_dim(self) -> int:
        """F, the numbers of each step."""
        return int(self.numbers["input_dim"])

    @property
    def sample_rate(self) -> int:
        """Samples per second of the waveforms that the model reads; 0 for other series."""
        return int(self.numbers["sample_rate"])

    @property
    def allows_missing(self) -> bool:
        """Whether NaN is a missing value, and not an error."""
        return bool(self.numbers["missing"] == "indicator")

    def answers_to(self, function: Any, series: Any, lengths: Any = None, **others: Any) -> Answers:
        """Calls a function of `values`, `lengths` and others, in batches of like lengths.

        Args:
            function: What is called.
            series: A list of series (T, F), or one of them, or an array (B, T, F).
            lengths: Of an array (B, T, F): int (B,), by default T each.
            **others: Further inputs, an array (B, ...) or one value for all.

        Returns:
            Name -> array, a row for each series.

        Raises:
            InputError: The series do not fit the model.
        """
        rows = self.rows_of(series, lengths)
        columns = {name: _column(name, value, len(rows)) for name, value in others.items()}
        parts, order = [], []
        for members in batches([row.size for row in rows], self.rows, NUMBERS):
            chosen = [rows[member] for member in members]
            counts = np.array([len(row) for row in chosen], np.int32)
            # a step of padding at least, as in the SavedModel
            values = np.zeros([len(chosen), counts.max() + 1, self.input_dim], np.float32)
            for place, row in enumerate(chosen):
                values[place, : len(row)] = row
            known = {name: column[members] for name, column in columns.items()}
            parts.append(function(values=values, lengths=counts, **known))
            order += members
        if not parts:
            raise InputError("there is no series to answer: give one or more")
        return in_order(parts, order)

    def rows_of(self, series: Any, lengths: Any = None) -> list[np.ndarray]:
        """Series as a list of float32 (T, F); see `answers_to`.

        Raises:
            InputError: They do not fit the model.
        """
        one = not isinstance(series, list | tuple) and np.ndim(series) < 3
        rows = [np.asarray(row, np.float32) for row in ([series] if one else series)]
        if lengths is not None:
            rows = [row[:length] for row, length in zip(rows, lengths, strict=True)]
        if self.input_dim == 1:
            rows = [row[:, None] if row.ndim == 1 else row for row in rows]
        for place, row in enumerate(rows):
            if row.ndim != 2 or row.shape[1] != self.input_dim or not len(row):
                raise InputError(
                    f"series {place} has the shape {row.shape}, expected one step or more of "
                    f"{self.input_dim} numbers, (T, {self.input_dim}): reshape it"
                )
            if not self.is_known(row).all():
                allowed = "finite or NaN (missing)" if self.allows_missing else "finite"
                raise InputError(
                    f"series {place} has a number that is not {allowed}: replace it, or leave the "
                    "step out"
                )
        return rows

    def is_known(self, values: np.ndarray) -> np.ndarray:
        """Which numbers the model reads: bool of the same shape."""
        known: np.ndarray = np.isfinite(values)
        return known | np.isnan(values) if self.allows_missing else known


def _column(name: str, value: Any, rows: int) -> np.ndarray:
    """A value for each row; fractions are float32."""
    column = np.asarray(value)
    column = column.astype(np.float32) if column.dtype.kind == "f" else column
    if column.ndim and len(column) != rows:
        raise InputError(
            f"{name} has the shape {column.shape}, expected an entry for each of {rows} series"
        )
    return np.broadcast_to(column, [rows, *column.shape[1:]])


def texts_of(rows: Sequence[Sequence[str]], separator: str) -> np.ndarray:
    """Rows of strings as texts: objects (B,)."""
    found = np.empty(len(rows), object)
    found[:] = [separator.join(row) for row in rows]
    return found
