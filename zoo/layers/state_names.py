"""The states of all layers by name: how a model and its served form take and give them."""

from collections.abc import Mapping
from typing import Any

PREFIX = "state_"
States = dict[str, Any]  # name -> tensor (B, ...): what a caller keeps between two steps


def named_states(states: list[Any]) -> States:
    """The states of a unidirectional body -> `state_L_N`, the N-th of layer L, both from 0.

    Args:
        states: A list over layers of a list over (one) directions of the cell's states.
    """
    return {
        f"{PREFIX}{layer}_{number}": state
        for layer, ((*direction,),) in enumerate(states)
        for number, state in enumerate(direction)
    }


def nested_states(named: Mapping[str, Any]) -> list[Any]:
    """The states among named tensors, in the form that `Recurrent` takes."""
    layers: dict[int, dict[int, Any]] = {}
    for name, state in named.items():
        if name.startswith(PREFIX):
            layer, number = map(int, name.removeprefix(PREFIX).split("_"))
            layers.setdefault(layer, {})[number] = state
    return [[[states[number] for number in sorted(states)]] for _, states in sorted(layers.items())]
