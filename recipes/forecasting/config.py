"""The options of the `forecasting` recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from recipes.config import Answering, DataOptions, TrainingConfig, option, with_options
from recipes.data.series.options import SeriesColumns, WindowOptions
from recipes.training.epochs import EpochRule
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.options import options_of

LOSSES = ("auto", "squared")
SCALES = ("auto", "column", "series", "both")
# steps of a season by the time between rows, in seconds
SEASONS = {60: 1440, 600: 144, 900: 96, 1800: 48, 3600: 24, 86400: 7, 604800: 52}


@dataclass(frozen=True)
class ForecastingData(WindowOptions):
    """Which series, and which windows of them."""

    season: int = option(
        0,
        "Steps of a season, for the seasonal naive forecast and MASE; 0 = by the time between "
        "rows: 24 hours, 7 days, 12 months, 1 where there are no times.",
    )
    loss_scale: str = option(
        "auto",
        "What errors are divided by in the loss: the standard deviation of each `column`, or of "
        "each `series` its mean seasonal change, as in MASE, or `both` this and the value itself, "
        "as in OWA; auto = column for one series.",
    )
    loss: str = option(
        "auto",
        "`auto`, the quantile loss or the negative log-likelihood; `squared`, the squared error, "
        "for a model with --quantiles '[0.5]', which is then the mean in place of the median.",
    )
    epoch_windows: int = option(
        0, "Windows of an epoch at most, other ones for each epoch; 0 = all of them."
    )
    train_on_all: bool = option(
        False,
        "Train on the steps of validation, too, for a final model whose epochs and options are "
        "known; validation is then no measure.",
    )

    def season_of(self, step: np.timedelta64 | None) -> int:
        """Returns the steps of a season for the time between rows."""
        if self.season or step is None:
            return max(self.season, 1)
        if np.datetime_data(step.dtype)[0] == "M":
            return max(1, 12 // int(step.astype(int)))
        return SEASONS.get(int(step / np.timedelta64(1, "s")), 1)


@dataclass(frozen=True)
class ForecastingConfig(TrainingConfig, ForecastingData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=8, reference=8_000, patience=3, unit="training windows"
    )
    batch_size: int = TrainingConfig.with_default("batch_size", 128)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    architecture: str = TrainingConfig.with_default("architecture", "forecaster")
    members: int = option(
        1,
        "Models of an ensemble, trained one after the other with seeds of their own; their "
        "quantiles are averaged.",
    )
    folds: int = option(
        0,
        "Origins of a backtest in `evaluate`: for each of the last N, one horizon apart, a model "
        "is trained on what comes before and measured on what follows.",
    )

    def __post_init__(self) -> None:
        """Checks the recipe's own options."""
        super().__post_init__()
        require_choice("loss", self.loss, LOSSES)
        require_choice("loss_scale", self.loss_scale, SCALES)
        require_positive_int("members", self.members)
        for name in ("season", "epoch_windows", "folds"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must be at least 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class _Picture(Answering):
    """What `predict` draws."""

    picture: str = option(
        "forecast.png", 'PNG file for the last history and the forecast; "" = none.'
    )


# `predict` has its own --header and --data
READING = {
    name: each
    for name, each in options_of(SeriesColumns).items()
    if name not in {field.name for field in fields(DataOptions)} | {"header"}
}
# how `predict` reads the series of a file; what is not given is as the model's run read its data
ForecastAnswering: Any = with_options(_Picture, READING.values())


def reading_of(given: Any, stored: Mapping[str, Any]) -> SeriesColumns:
    """Returns how a file is read: the options given to `predict`, else those of the run."""
    chosen = {name: getattr(given, name) for name, each in READING.items()}
    own = {name: value for name, value in chosen.items() if value != READING[name].default}
    return SeriesColumns(**{**stored, **own})
