"""Cells whose output is read from their states, so that a form for all steps can leave it out."""

from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.cells.cell import RecurrentCell, is_newer


class Scans(NamedTuple):
    """The scans over time that `zoo.recurrence` gives a cell, for all steps at once.

    Attributes:
        linear: a, b (B, T, K) each and h_0 (B, K) -> the states (B, T, K) of
            h_t = a_t * h_(t-1) + b_t.
        complex: Pairs of real and imaginary parts a (K,), b (B, T, K), h_0 (B, K) -> the pair of
            states (B, T, K) of h_t = a * h_(t-1) + b_t.
    """

    linear: Any
    complex: Any


class ReadCell(RecurrentCell):
    """A cell whose output is computed from its states and is none of them.

        states_t = combine(x_t W + b, states_(t-1))
        h_t = read(x_t W + b, states_(t-1), states_t)

    The states do not depend on the output, so that it is computed for all steps at once. A subclass
    writes `combine` and `read`, and one of these for a fast way through time:

    - `through_time`: the states of all steps, by scans over elements;
    - `memory`: the cell of the recurrence alone, which compiled loops run in training.
    """

    has_recurrent_kernel = False

    def read(self, projected: Any, before: list[Any], after: list[Any], vectors: list[Any]) -> Any:
        """The output (..., K) of a step, or of all steps.

        Args:
            projected: x W + b, (..., D).
            before: The states before the step, (..., size) each.
            after: Those after it.
            vectors: What `vectors` gives.
        """
        raise NotImplementedError(f"{type(self).__name__} must write read()")

    def through_time(self, projected: Any, start: list[Any], scans: Scans) -> list[Any]:
        """The states after each step.

        Args:
            projected: x W + b of all steps, (B, T, D).
            start: The states before the first step, (B, size) each.
            scans: The scans over time.

        Returns:
            (B, T, size) each.
        """
        raise NotImplementedError(f"{type(self).__name__} must write through_time()")

    def memory(self) -> RecurrentCell | None:
        """The cell whose `combine` is this one's and whose output is its state, or None."""
        return None

    @classmethod
    def has_form(cls, name: str) -> bool:
        """Whether a class has this form for all steps, written for its own `combine`."""
        written = getattr(cls, name) is not getattr(ReadCell, name)
        return written and cls.step is ReadCell.step and not is_newer(cls, "combine", name)

    def step(
        self,
        projected: Any,
        states: list[Any],
        recurrent_kernel: Any = None,
        recurrent_mask: Any = None,
        recurrent_bias: Any = None,
        vectors: list[Any] | None = None,
    ) -> Any:
        vectors = self.vectors() if vectors is None else vectors
        after = self.combine(projected, 0.0, states, vectors)
        return self.read(projected, states, after, vectors), after


def precise(values: Any) -> Any:
    """Values in float32 where they are in half precision, else as they are."""
    kind = keras.backend.standardize_dtype(values.dtype)
    return ops.cast(values, "float32") if kind in ("float16", "bfloat16") else values


def as_states(values: list[Any], states: list[Any]) -> list[Any]:
    """Values in the types of the states that they follow."""
    return [ops.cast(v, state.dtype) for v, state in zip(values, states, strict=True)]
