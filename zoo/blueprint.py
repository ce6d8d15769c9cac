"""`Blueprint`: the name and the options by which `zoo.build` made a model.

A model with a blueprint is stored as these and its weights, without Keras' description of its
layers.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Blueprint:
    """What `zoo.build` was called with.

    Attributes:
        name: The registered name.
        options: All options by name, for JSON; those that were not given have their defaults.
    """

    name: str
    options: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The name and the options."""
        return {"name": self.name, "options": self.options}


def of(model: Any) -> Blueprint | None:
    """The blueprint of a model; None if it was not made by `zoo.build`."""
    return getattr(model, "_blueprint", None)


def attach(model: Any, name: str, options: dict[str, Any]) -> None:
    """Records how a model was built, unless JSON cannot hold the options."""
    try:
        plain = {key: _plain(value) for key, value in options.items()}
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError):  # an object such as an initializer
        return
    model._blueprint = Blueprint(name, plain)


def pass_on(model: Any, other: Any, **changes: Any) -> None:
    """Records that `other` has the weights of `model` and its options, but for `changes`."""
    found = of(model)
    if found is not None:
        known = {key: value for key, value in changes.items() if key in found.options}
        other._blueprint = Blueprint(found.name, {**found.options, **known})


def _plain(value: Any) -> Any:
    """A value of lists, dicts and scalars."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
