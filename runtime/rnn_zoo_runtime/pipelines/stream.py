"""Streams: a token or a step at a time, with the states carried along."""

from collections.abc import Callable
from typing import Any

from rnn_zoo_runtime.graph import Answers, States

Step = Callable[..., tuple[Answers, States]]


class Stream:
    """Reads B streams one token, or one step of numbers, at a time, and keeps their states.

    Attributes:
        states: The states after what was read: name -> array (B, ...). They may be stored, and put
            back to continue from there.
    """

    def __init__(self, step: Step, states: States) -> None:
        self._step, self._first, self.states = step, states, states

    def step(self, values: Any, **others: Any) -> Answers:
        """The answers to the next token or step of each stream; `others` are further inputs."""
        found, self.states = self._step(values, self.states, **others)
        return found

    def reset(self) -> None:
        """Goes back to the beginning."""
        self.states = self._first
