"""The results of a study: mean and spread of each setting, and the recommended one."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zoo.tuning.space import Axis
from zoo.tuning.storage import Records, number
from zoo.tuning.study import Study
from zoo.tuning.values import in_words

Row = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """One trial's settings on one fraction of the data, over its seeds.

    Attributes:
        trial: The trial's number.
        values: Its settings.
        fraction: Fraction of the training data.
        rows: The metrics of its runs, one dict per seed.
        objective: The name of the objective.
    """

    trial: str
    values: dict[str, Any]
    fraction: float
    rows: tuple[Row, ...]
    objective: str

    def mean(self, name: str) -> float | None:
        """The mean of a metric over the seeds, or None if no run has it."""
        found = [row[name] for row in self.rows if row.get(name) is not None]
        return statistics.fmean(found) if found else None

    def deviation(self, name: str) -> float | None:
        """Its standard deviation over the seeds, or None for a single one."""
        found = [row[name] for row in self.rows if row.get(name) is not None]
        return statistics.stdev(found) if len(found) > 1 else None

    @property
    def score(self) -> float:
        """The objective's mean."""
        return statistics.fmean(row[self.objective] for row in self.rows)

    @property
    def error(self) -> float | None:
        """The standard error of that mean."""
        deviation = self.deviation(self.objective)
        return None if deviation is None else deviation / math.sqrt(len(self.rows))

    @property
    def settings(self) -> str:
        """The values in words, `units 64, cell gru`."""
        return in_words(self.values)

    @property
    def scored(self) -> str:
        """The objective's mean, with its spread if there are several seeds."""
        deviation = self.deviation(self.objective)
        return f"{self.score:.4f}" + ("" if deviation is None else f" ± {deviation:.4f}")


@dataclass(frozen=True)
class Findings:
    """All finished trials of a study.

    Attributes:
        study: The search.
        points: A point for each trial and fraction whose runs are complete.
        failures: A sentence for each trial that failed: its reason and its settings.
    """

    study: Study
    points: tuple[Point, ...]
    failures: dict[str, str]

    @property
    def finished(self) -> int:
        """The number of settings that were measured on the largest fraction of the data."""
        return len(self.at(self.study.fractions[-1]))

    @property
    def mostly_failed(self) -> bool:
        """Whether fewer than half of the settings that ended were measured."""
        return self.finished < len(self.failures)

    @classmethod
    def of(cls, study: Study, records: Records) -> "Findings":
        """Reads them from a study's folder."""
        groups: dict[tuple[str, float], list[Row]] = {}
        for row in records.rows():
            if not _finite(row.get(study.objective)):
                continue  # a diverged run is not a candidate
            groups.setdefault((row["trial"], row["fraction"]), []).append(row)
        points = [
            Point(trial, rows[0]["values"], fraction, tuple(rows), study.objective)
            for (trial, fraction), rows in sorted(groups.items())
            if len(rows) == study.seeds
        ]
        failures = {}
        for trial, reason in records.failures().items():
            values = records.failed_values(trial)
            settings = f" ({in_words(values)})" if values else ""
            failures[trial] = f"trial {number(trial)}: {reason.rstrip('.')}{settings}"
        return cls(study, tuple(points), failures)

    def at(self, fraction: float) -> list[Point]:
        """The points of a fraction of the data, ordered along the main axis."""
        axis = self.study.space.main()
        found = [point for point in self.points if point.fraction == fraction]
        return sorted(found, key=lambda point: (_place(axis, point), point.trial))

    def best(self, points: Sequence[Point]) -> Point:
        """The point with the best mean."""
        sign = -1 if self.study.direction == "max" else 1
        return min(points, key=lambda point: sign * point.score)

    def along(self, fraction: float) -> list[Point]:
        """The best point at each value of the main axis."""
        axis = self.study.space.main()
        groups: dict[Any, list[Point]] = {}
        for point in self.at(fraction):
            groups.setdefault(_place(axis, point), []).append(point)
        return [self.best(group) for group in groups.values()]

    def every(self) -> list[Point]:
        """A point for each value of the main axis: the best one of its largest fraction."""
        axis = self.study.space.main()
        found: dict[Any, Point] = {}
        for fraction in reversed(self.study.fractions):
            for point in self.along(fraction):
                found.setdefault(_place(axis, point), point)
        return [found[place] for place in sorted(found)]

    def recommended(self, fraction: float) -> Point:
        """The smallest network within one standard error of the best; see Breiman et al., 1984."""
        points = self.along(fraction)
        best = self.best(points)
        margin = best.error or 0.0
        near = [point for point in points if abs(point.score - best.score) <= margin]
        return min(near, key=lambda point: point.mean("parameters") or 0)

    def front(self, cost: str) -> list[Point]:
        """The Pareto front of objective and cost, cheapest first."""
        sign = -1 if self.study.direction == "max" else 1
        found: list[Point] = []
        priced = [p for p in self.at(self.study.fractions[-1]) if p.mean(cost) is not None]
        for point in sorted(priced, key=lambda p: (p.mean(cost), sign * p.score)):
            if not found or sign * point.score < sign * found[-1].score:
                found.append(point)
        return found


def _place(axis: Axis, point: Point) -> Any:
    return axis.place(point.values.get(axis.name))


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
