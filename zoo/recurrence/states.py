"""The form of a recurrent body's states: layers, directions, and the cell's states."""

from typing import Any

from zoo.errors import InputError


def checked_states(states: Any, sizes: list[Any]) -> list[Any]:
    """States as lists over layers, directions and the cell's states, (B, size) each.

    Args:
        states: In that form, of any kind of sequence.
        sizes: What the body expects, in that form.

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
