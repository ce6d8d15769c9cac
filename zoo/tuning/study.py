"""The definition of a study: its space, algorithm, seeds and fractions of the data."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import DamagedFile, InputError, require_choice, require_package
from zoo.system import durable, stored
from zoo.tuning.space import Axis, Space
from zoo.tuning.values import plain, whole

ALGORITHMS = ("grid", "random", "bayesian", "hyperband")
DIRECTIONS = ("max", "min")


@dataclass(frozen=True)
class Study:
    """A search and its budget.

    Attributes:
        name: The recipe or the architecture that is trained.
        axes: The searched options.
        fixed: The values of the other options.
        objective: The validation metric to optimise.
        direction: `max` or `min`.
        algorithm: `grid`, `random`, `bayesian` or `hyperband`.
        trials: Maximum number of settings.
        epochs: Maximum number of epochs of a run.
        minutes: Time limit of the whole search; 0 = none. No trial starts that would exceed it if
            it took as long as the longest so far.
        seeds: Runs of each setting, each with another seed.
        fractions: Fractions of the training data, ascending; the last one decides.
        seed: The first seed, also of the search itself.
        others: The values of all options that are not searched, defaults included.
    """

    name: str
    axes: tuple[Axis, ...]
    fixed: dict[str, Any]
    objective: str
    direction: str = "max"
    algorithm: str = "grid"
    trials: int = 100
    epochs: int = 10
    minutes: float = 0.0
    seeds: int = 1
    fractions: tuple[float, ...] = (1.0,)
    seed: int = 0
    others: dict[str, Any] = field(default_factory=dict)
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        """Checks the values and converts them to JSON types: a loaded study equals a saved one."""
        require_choice("algorithm", self.algorithm, ALGORITHMS)
        require_choice("direction", self.direction, DIRECTIONS)
        if not self.axes:
            raise InputError("nothing to search over: give an option several values, 16:512:log")
        for name, least in (("trials", 1), ("epochs", 1), ("seeds", 1), ("seed", 0)):
            object.__setattr__(self, name, whole(name, getattr(self, name), least))
        for name in ("fixed", "others"):
            values = {key: plain(key, value) for key, value in getattr(self, name).items()}
            object.__setattr__(self, name, values)
        object.__setattr__(self, "axes", tuple(self.axes))
        object.__setattr__(self, "minutes", _minutes(self.minutes))
        object.__setattr__(self, "fractions", _fractions(self.fractions))
        object.__setattr__(self, "space", Space.of(self.axes, {**self.others, **self.fixed}))
        if self.algorithm == "grid":
            next(self.space.grid())
        if self.algorithm == "bayesian":
            for name in ("sklearn", "scipy"):
                require_package(name, "bayesian", "the algorithm bayesian")

    @property
    def objective_name(self) -> str:
        """The objective in prose."""
        return self.objective.replace("_", " ")

    @property
    def settings(self) -> int | None:
        """The number of trials, if it is known: in a grid."""
        if self.algorithm != "grid":
            return None
        return min(self.trials, sum(1 for _ in self.space.grid()))

    def save(self, directory: Path) -> None:
        """Writes `study.json`."""
        content = dataclasses.asdict(self)
        del content["space"]
        durable.make_folder(directory)
        durable.write_json(directory / "study.json", content, checked=True)

    @classmethod
    def load(cls, directory: Path) -> "Study":
        """Reads `study.json`.

        Raises:
            InputError: There is none, or it cannot be read.
        """
        path = directory / "study.json"
        advice = "put back a copy of it, or begin a new study"
        content = stored.read_json(path, dict, missing="give the folder of a study", advice=advice)
        try:
            axes = tuple(Axis(**axis) for axis in content["axes"])
            if not isinstance(content["fractions"], list):
                raise TypeError(f"fractions must be a list, got {content['fractions']!r}")
            return cls(**{**content, "axes": axes})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise DamagedFile(f"{path} holds no study ({reason}): {advice}") from error


def _minutes(value: Any) -> float:
    found = plain("minutes", value)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"minutes must be a number, got {value!r}")
    if found < 0:
        raise InputError(f"minutes must be at least 0, got {value!r}")
    return float(found)


def _fractions(value: Any) -> tuple[float, ...]:
    """Distinct fractions of the training data, ascending; a single number is one fraction."""
    found = plain("fractions", value)
    shares = found if isinstance(found, list) else [found]
    right = all(type(share) in (int, float) and 0 < share <= 1 for share in shares)
    if not shares or not right:
        raise InputError(f"fractions must be above 0 and up to 1, got {value}")
    return tuple(sorted({float(share) for share in shares}))
