"""The states of a recurrent body: a nest of layers, directions and cell states, or flat names.

`Recurrent` takes and returns the nest; a model and its exported form take and return the names.
"""

from collections.abc import Mapping
from typing import Any

from zoo.errors import InputError

PREFIX = "state_"
States = dict[str, Any]  # name -> tensor (B, ...): what a caller keeps between two steps


def checked_states(states: Any, sizes: list[Any]) -> list[Any]:
    """States as lists over layers, directions and the cell's states, (B, size) each.

    Raises:
        InputError: They have another form or other sizes.
    """
    try:
        given = [
            [[state.shape[-1] for state in direction] for direction in layer] for layer in states
        ]
    except (TypeError, AttributeError, IndexError):
        given = None
    if given != sizes:
        shown = given or " ".join(repr(states).split())[:80]
        raise InputError(
            "initial states must be a list over layers of a list over directions of the cell's "
            f"states (batch, size), of sizes {sizes}, got {shown}: "
            "get_initial_states(batch_size) gives the form"
        )
    return [[list(direction) for direction in layer] for layer in states]


def named_states(states: list[Any]) -> States:
    """Returns the states of a unidirectional body by name: `state_L_N`, N-th of layer L, from 0."""
    return {
        f"{PREFIX}{layer}_{number}": state
        for layer, directions in enumerate(states)
        for number, state in enumerate(directions[0])
    }


def nested_states(named: Mapping[str, Any]) -> list[Any]:
    """Returns the states among named tensors as the nest that `Recurrent` takes."""
    layers: dict[int, dict[int, Any]] = {}
    for name, state in named.items():
        if name.startswith(PREFIX):
            layer, number = map(int, name.removeprefix(PREFIX).split("_"))
            layers.setdefault(layer, {})[number] = state
    return [[[states[number] for number in sorted(states)]] for _, states in sorted(layers.items())]
