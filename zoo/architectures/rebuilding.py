"""Builds a model again from its blueprint, and copies weights into it."""

from typing import Any

import keras
import numpy as np

from zoo import registry
from zoo.architectures.forecaster_ensemble import ENSEMBLE, ForecasterEnsemble
from zoo.blueprint import Blueprint


def rebuilt(plan: Blueprint) -> keras.Model:
    """A model of the blueprint, with new weights.

    Raises:
        InputError: The name or an option is unknown or wrong.
    """
    if plan.name == ENSEMBLE:
        members = [rebuilt(Blueprint(**each)) for each in plan.options["members"]]
        made: keras.Model = ForecasterEnsemble.of_members(members)
        return made
    return registry.build(plan.name, **plan.options)


def copied(model: keras.Model, plan: Blueprint) -> keras.Model | None:
    """A model of the blueprint with the weights of `model`; None if it has other weights.

    Keras orders the weights of a file by the order in which layers were connected, which is another
    one in a model whose outputs were removed: so the weights of files are those of rebuilt models.
    """
    made = rebuilt(plan)
    theirs, own = _ordered(model), _ordered(made)
    if [_form(each) for each in theirs] != [_form(each) for each in own]:
        return None
    for one, other in zip(own, theirs, strict=True):
        one.assign(np.asarray(other))
    return made


def _ordered(model: keras.Model) -> list[Any]:
    """The weights by their paths; those of the members of an ensemble have equal ones."""
    return sorted(model.weights, key=lambda weight: weight.path)


def _form(weight: Any) -> tuple[str, tuple[int, ...]]:
    return weight.path, tuple(weight.shape)
