"""What the readers of numeric sequences return: series, and sets of series with equal columns.

Shapes: T time steps, F values, G known-future covariates, S static covariates, H horizon.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Series:
    """One series: its values and what is known about it.

    Attributes:
        name: The series' name, `""` where there is one alone.
        values: float64 (T, F), NaN where a value is missing.
        times: datetime64[s] (T,), increasing and evenly spaced; None where the data has none.
        label: Its class, for signals.
        future: float64 (T, G), covariates that are known in advance, on the same steps; may have
            up to H rows more.
        static: float64 (S,), covariates that are constant over time.
    """

    name: str
    values: np.ndarray
    times: np.ndarray | None = None
    label: str = ""
    future: np.ndarray | None = None
    static: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of time steps T."""
        return len(self.values)


@dataclass(frozen=True, eq=False)
class SeriesSet:
    """Series of the same columns and the same time between rows.

    Attributes:
        series: One or more, in the order of the file.
        columns: Names of the F values.
        future_columns: Names of the G known-future covariates.
        static_columns: Names of the S static covariates.
        step: Time between rows, None without time stamps.
        rate: Samples per second of audio, 0 elsewhere.
    """

    series: list[Series]
    columns: tuple[str, ...]
    future_columns: tuple[str, ...] = ()
    static_columns: tuple[str, ...] = ()
    step: np.timedelta64 | None = None
    rate: int = 0
