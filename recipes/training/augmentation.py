"""Random changes of series in training: time, amplitude, noise."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from zoo.errors import InputError
from zoo.options import option


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a series, other ones in each epoch; 0 leaves a thing as it is."""

    speed: float = option(
        0.0,
        "Fraction by which training changes the speed of a series at most, and with it the pitch "
        "of a waveform.",
    )
    shift: float = option(
        0.0,
        "Fraction of its steps by which training extends a series at most, at each end, with the "
        "value there.",
    )
    scale: float = option(
        0.0, "Fraction by which training scales a series' values up or down at most."
    )
    noise: float = option(
        0.0,
        "Largest standard deviation of the noise that training adds, as a fraction of that of the "
        "series.",
    )

    def __post_init__(self) -> None:
        """Checks the ranges.

        Raises:
            InputError: A fraction is below 0.
        """
        for each in fields(Augmentation):
            value = getattr(self, each.name)
            if not value >= 0:
                raise InputError(f"{each.name} must be at least 0, got {value}")

    @classmethod
    def of(cls, config: Any) -> Self:
        """Those that a configuration has as options."""
        return cls(**{each.name: getattr(config, each.name) for each in fields(cls)})

    @property
    def is_active(self) -> bool:
        """Whether anything is changed."""
        return any(getattr(self, each.name) for each in fields(Augmentation))

    def __call__(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A changed copy of a series: float32 (T, F) -> (T', F).

        A factor f is drawn as exp(u), u uniform between -log(1 + f) and log(1 + f). Values between
        two steps are interpolated linearly, from NaN as NaN.
        """
        if self.speed and len(values) > 1:
            values = resampled(values, _factor(self.speed, rng))
        if self.shift:
            ends = rng.uniform(0, self.shift, 2) * len(values)
            before, after = np.rint(ends).astype(int).tolist()
            values = np.pad(values, [(before, after), (0, 0)], mode="edge")
        if self.scale:
            values = values * np.float32(_factor(self.scale, rng))
        if self.noise:
            spread = np.nanstd(values, axis=0) * rng.uniform(0, self.noise)
            noise = rng.standard_normal(values.shape, np.float32)
            values = values + noise * spread.astype(np.float32)
        return values


def resampled(values: np.ndarray, factor: float) -> np.ndarray:
    """A series (T, F) read at `factor` times as many steps, one at least, from end to end.

    Example:
        >>> resampled(np.array([[0.0], [2.0], [4.0]]), 5 / 3)[:, 0].tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    count = max(1, round(len(values) * factor))
    places = np.linspace(0, len(values) - 1, count)
    below = np.minimum(places.astype(int), max(len(values) - 2, 0))
    share = (places - below)[:, None].astype(values.dtype)
    above = np.minimum(below + 1, len(values) - 1)
    found: np.ndarray = values[below] * (1 - share) + values[above] * share
    return found


def _factor(fraction: float, rng: np.random.Generator) -> float:
    most = np.log1p(fraction)
    return float(np.exp(rng.uniform(-most, most)))
