"""Settings, scores and fractions of the data in words, for a report."""

import json
from collections.abc import Mapping
from typing import Any

from zoo.tuning.results import Point
from zoo.tuning.study import Study


def settings(point: Point) -> str:
    """A setting in words, `units 64, cell gru`."""
    return of_values(point.values)


def of_values(values: Mapping[str, Any]) -> str:
    """Values of options in words, `units 64, cell gru`."""
    return ", ".join(f"{name} {shown(value)}" for name, value in values.items())


def shown(value: Any) -> str:
    """A value as text: a number with at most four digits, lists and dicts as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def name(study: Study) -> str:
    """The objective's name in prose."""
    return study.objective.replace("_", " ")


def score(point: Point) -> str:
    """The mean objective, with its spread if there are several seeds."""
    deviation = point.deviation(point.objective)
    spread = "" if deviation is None else f" ± {deviation:.4f}"
    return f"{point.score:.4f}{spread}"


def share(fraction: float) -> str:
    """A fraction of the training data in words."""
    return "all data" if fraction == 1 else f"{fraction:g} of the data"
