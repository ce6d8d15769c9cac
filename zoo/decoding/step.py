"""The model that decoding, scoring and streaming need: one that reads one token at a time."""

from typing import Any, Protocol

from zoo.layers import States


class StepModel(Protocol):
    """A model that reads a token of each row and returns the logits of the next one."""

    def initial_states(self, inputs: Any) -> States:
        """The states before the first token.

        Args:
            inputs: Number of rows B, or what the model begins with, (B, ...).
        """

    def step(self, token_ids: Any, states: States) -> tuple[Any, States]:
        """Reads one token of each row.

        Args:
            token_ids: int (B,).
            states: Those before the token.

        Returns:
            The logits (B, V) of the next token, and the states after this one.
        """
