"""What a run knows of its series: names, sizes and units, kept in its folder and in an export."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipes.config import read_json, write_json
from recipes.data.series.items import SeriesSet
from recipes.forecasting.config import READING, ForecastingData
from zoo.errors import DamagedFile, InputError, nearest

FILE = "series.json"


@dataclass(frozen=True)
class SeriesInfo:
    """The columns of a run, in the order in which its model reads them.

    Attributes:
        columns: Names of the values, targets first.
        targets: Number of targets D.
        future_columns: Names of the covariates that are known in the future.
        static_columns: Names of the static covariates.
        calendar: Whether covariates are made from the time stamps.
        look_back: Steps L of the past.
        horizon: Steps H to forecast.
        season: Steps of a season.
        reading: The options with which a file like the run's data is read.
    """

    columns: list[str]
    targets: int
    future_columns: list[str]
    static_columns: list[str]
    calendar: bool
    look_back: int
    horizon: int
    season: int
    reading: dict[str, Any]

    @classmethod
    def of(cls, data: SeriesSet, options: ForecastingData, own_future: int) -> "SeriesInfo":
        """Finds the columns; `own_future` covariates are the data's own, the others the calendar.

        Raises:
            InputError: A column to forecast is not among the values.
        """
        wanted = [name.strip() for name in options.target_columns.split(",") if name.strip()]
        for name in wanted:
            if name not in data.columns:
                raise InputError(
                    f"target_columns has {name!r}, which is no column of values: "
                    f"{nearest(name, data.columns)}"
                )
        targets = wanted or list(data.columns)
        others = [name for name in data.columns if name not in targets]
        reading = {name: getattr(options, name) for name in READING}
        if options.data == "builtin":
            reading |= {"series_column": "series", "time_column": "time"}
        reading |= {
            "value_columns": ",".join(data.columns),
            "covariate_columns": ",".join(data.future_columns[:own_future]),
            "static_columns": ",".join(data.static_columns),
        }
        return cls(
            [*targets, *others],
            len(targets),
            list(data.future_columns),
            list(data.static_columns),
            len(data.future_columns) > own_future,
            options.look_back,
            options.horizon,
            options.season_of(data.step),
            reading,
        )

    def places(self, data: SeriesSet) -> list[int]:
        """The places of the values in a data set, in the order in which the model reads them.

        Raises:
            InputError: The data has other columns.
        """
        for what, own, other in (
            ("values", self.columns, data.columns),
            ("covariates", self.future_columns, data.future_columns),
            ("static covariates", self.static_columns, data.static_columns),
        ):
            if set(own) != set(other):
                raise InputError(
                    f"the model reads the {what} {', '.join(own) or 'none'}, got "
                    f"{', '.join(other) or 'none'}: name the file's columns so, or give "
                    "--value-columns, --covariate-columns"
                )
        return [data.columns.index(name) for name in self.columns]

    def write(self, directory: Path) -> None:
        """Writes it into a run's folder."""
        write_json(directory / FILE, asdict(self))

    @classmethod
    def read(cls, directory: Path) -> "SeriesInfo":
        """Reads it from a run's folder.

        Raises:
            InputError: There is no such file, or it is damaged.
        """
        return cls.from_mapping(read_json(directory / FILE, dict), str(directory / FILE))

    @classmethod
    def from_mapping(cls, stored: dict[str, Any], where: str) -> "SeriesInfo":
        """Makes it from what `asdict` gave.

        Raises:
            DamagedFile: Something is missing.
        """
        try:
            return cls(**stored)
        except TypeError as error:
            raise DamagedFile(f"{where} does not describe series ({error}): train again") from error


def statistics(data: SeriesSet, ends: Any, info: SeriesInfo) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each target over the steps of train: (D,) each.

    A constant column has the deviation 1.
    """
    places = info.places(data)[: info.targets]
    rows = np.concatenate(
        [each.values[:end][:, places] for each, end in zip(data.series, ends, strict=True)]
    )
    mean, deviation = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    return mean, np.where(deviation > 0, deviation, 1.0)
