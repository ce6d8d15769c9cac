"""One step of a separable cell in a loop that keeps what the gradient needs, on any backend."""

from typing import Any


def reads_inputs(cell: Any) -> bool:
    """Whether the gradient of a step needs x W apart from h U."""
    return not cell.additive and not getattr(cell, "backward", None)


def forward_step(cell: Any, x: Any, r: Any, states: list[Any], vectors: list[Any]) -> Any:
    """The states after a step, and the values that its gradient needs.

    Args:
        cell: A cell with `combine`, and perhaps with `forward`.
        x: x W + b, (B, num_gates K).
        r: h U + c, (B, num_gates K), or 0.0.
        states: The states before the step, (B, K) each.
        vectors: What the cell's `vectors` gives.
    """
    if getattr(cell, "forward", None):
        return cell.forward(x, r, states, vectors)
    return cell.combine(x, r, states, vectors), [x + r if cell.additive else r]
