"""What happens inside a model's recurrent layers: the states of all steps, and gradients there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo import masking
from zoo.errors import InputError
from zoo.layers.direction import Direction
from zoo.recurrence.dispatch import run_cell
from zoo.recurrence.keras_cell import CellForm, is_zoo_cell
from zoo.recurrence.stepwise import Step, outputs_and_states


@dataclass
class Observed:
    """One direction of one recurrent layer while it read a batch.

    Steps are in the order of reading: step 0 of a backward direction is a row's last real token.

    Attributes:
        layer: The direction, with its cell.
        inputs: (B, T, E), what each step read; a tape that observes watches them.
        start: The states before the first step, (B, K) each.
        states: The states after each step, (B, T, K) each.
        outputs: (B, T, K).
        lengths: int (B,), the steps of each row.
        probes: Zeros that were added to the states, (B, T, K) each; the gradient of a loss with
            respect to them is that with respect to the states. Empty without a tape.
    """

    layer: Direction
    inputs: Any
    start: list[Any]
    states: list[Any]
    outputs: Any
    lengths: Any
    probes: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The direction's path in the model: `body/forward_0`."""
        return str(self.layer.path).removesuffix("/")

    @property
    def real(self) -> np.ndarray:
        """Bool (B, T): the steps that are a row's own."""
        steps = np.arange(self.inputs.shape[1])
        return np.asarray(steps[None] < np.asarray(self.lengths)[:, None])

    def gates(self) -> dict[str, np.ndarray]:
        """The values of the cell's gates by name, (B, T, K) each; none for a cell without gates."""
        cell = self.layer.cell
        if not is_zoo_cell(cell):
            return {}
        before = [
            ops.concatenate([start[:, None], states[:, :-1]], axis=1)
            for start, states in zip(self.start, self.states, strict=True)
        ]
        recurrent: Any = 0.0
        if cell.recurrent_kernel is not None:
            recurrent = ops.matmul(before[0], cell.recurrent_kernel)
            bias = cell.recurrent_bias
            recurrent = recurrent if bias is None else recurrent + bias
        found = cell.gates(cell.project(self.inputs), recurrent, before, cell.vectors())
        return {name: np.asarray(value) for name, value in found.items()}

    def in_place(self, values: Any) -> np.ndarray:
        """Values of the steps, (B, T, ...), at the places of the tokens that they read."""
        if self.layer.backwards:
            values = masking.reverse_within_lengths(ops.convert_to_tensor(values), self.lengths)
        return np.asarray(values)


@dataclass(frozen=True)
class _ProbedStep(Step):
    """A step after which zeros are added to the states."""

    probes: tuple[Any, ...] = ()

    def sources(self, inputs: Any, initial_state: list[Any]) -> list[Any]:
        by_step = [ops.moveaxis(probe, 1, 0) for probe in self.probes]
        return [*super().sources(inputs, initial_state), *by_step]

    def __call__(
        self, states: list[Any], slices: list[Any], weights: dict[str, Any]
    ) -> tuple[Any, list[Any]]:
        own = len(slices) - len(self.probes)
        output, new = super().__call__(states, slices[:own], weights)
        if not self.probes:
            return output, new
        is_state = output is new[0]
        new = [state + probe for state, probe in zip(new, slices[own:], strict=True)]
        return new[0] if is_state else output, new


def directions_of(model: keras.Model) -> list[Direction]:
    """The model's recurrent layers, each direction by itself, in the order of the model.

    Raises:
        InputError: It has none.
    """
    found = [layer for layer in model._flatten_layers() if isinstance(layer, Direction)]
    if not found:
        raise InputError(
            f"{model.name} has no recurrent layer of the zoo: give a model of zoo.build"
        )
    return found


@contextmanager
def observing(model: keras.Model, tape: tf.GradientTape | None = None) -> Iterator[list[Observed]]:
    """Lists what the recurrent layers do while the model is called in a `with` block, eagerly.

    The layers run step by step, which is slower than usual. Their dropouts are off.

    Args:
        model: Any model with recurrent layers of the zoo.
        tape: Watches the states.
    """
    seen: list[Observed] = []
    layers = directions_of(model)
    for layer in layers:
        layer.runner = _runner(layer, tape, seen)
    try:
        yield seen
    finally:
        for layer in layers:
            layer.runner = run_cell


def _runner(
    layer: Direction, tape: tf.GradientTape | None, seen: list[Observed]
) -> Callable[..., tuple[Any, list[Any]]]:
    def run(
        cell: Any, inputs: Any, initial_state: list[Any], lengths: Any, **options: Any
    ) -> tuple[Any, list[Any]]:
        time = inputs.shape[1]
        probes = []
        if tape is not None:
            probes = [ops.zeros((s.shape[0], time, s.shape[1]), s.dtype) for s in initial_state]
            tape.watch([inputs, *probes])
        form = None if is_zoo_cell(cell) else CellForm(cell, training=False)
        known = {"zoneout": options["zoneout"], "width": options["width"]}
        step = _ProbedStep(cell, form=form, probes=tuple(probes), **known)
        outputs, states = outputs_and_states(step, inputs, initial_state, lengths)
        seen.append(Observed(layer, inputs, initial_state, states, outputs, lengths, probes))
        return outputs, masking.each_last_real(states, lengths, initial_state)

    return run
