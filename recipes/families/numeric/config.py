"""The options of recipes that read series: what is read, what is computed from it first."""

from dataclasses import dataclass

from recipes.config import Answering
from recipes.data.series.options import SeriesColumns, SignalOptions
from recipes.training.augmentation import Augmentation
from zoo.layers.numeric import NumberOptions
from zoo.options import option, options_of

_COLUMNS = options_of(SeriesColumns)
_NUMBERS = options_of(NumberOptions)


@dataclass(frozen=True)
class SeriesData(SignalOptions):
    """How series are read, and what a model computes from them first."""

    features: str = _NUMBERS["features"].field()
    hop_ms: int = _NUMBERS["hop_ms"].field()
    sample_rate: int = option(
        8000, "Samples per second of waveforms in NumPy files; WAV files have their own."
    )


@dataclass(frozen=True)
class SeriesAnswering(Answering):
    """How `predict` reads the files that are its arguments."""

    series_column: str = _COLUMNS["series_column"].field()
    time_column: str = _COLUMNS["time_column"].field()
    value_columns: str = _COLUMNS["value_columns"].field()
    label_column: str = _COLUMNS["label_column"].field()
    layout: str = _COLUMNS["layout"].field()
    header: bool = _COLUMNS["header"].field()
    fill_gaps: bool = _COLUMNS["fill_gaps"].field()


@dataclass(frozen=True)
class Changes:
    """The options of `Augmentation`, for a configuration."""

    speed: float = options_of(Augmentation)["speed"].field()
    shift: float = options_of(Augmentation)["shift"].field()
    scale: float = options_of(Augmentation)["scale"].field()
    noise: float = options_of(Augmentation)["noise"].field()
