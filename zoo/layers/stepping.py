"""The plain way through time: any cell, any option, one step after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo.cells import RecurrentCell

BLOCK = 8  # steps in one turn of the loop: what a turn costs is more than what a step does


@dataclass(frozen=True)
class Zoneout:
    """States that stay as they were (Krueger et al., arXiv:1606.01305).

    Attributes:
        rate: Probability that an element of a state is not updated in a step.
        seed: A Keras seed generator in training; None takes the expected value instead.
    """

    rate: float
    seed: Any = None


@dataclass(frozen=True)
class Step:
    """One step of a cell with its options: `states, slices, weights -> states`."""

    cell: Any
    recurrent_kernel: Any = None
    recurrent_mask: Any = None
    zoneout: Zoneout | None = None

    def weights(self) -> dict[str, Any]:
        """The weights of a zoo cell's step as tensors: a loop need not read variables again."""
        if not isinstance(self.cell, RecurrentCell):
            return {}
        kernel = self.cell.recurrent_kernel
        kernel = kernel if self.recurrent_kernel is None else self.recurrent_kernel
        read = {"recurrent_kernel": kernel, "recurrent_mask": self.recurrent_mask}
        if self.cell.separable:
            read["recurrent_bias"] = self.cell.recurrent_bias
            read["vectors"] = [ops.convert_to_tensor(value) for value in self.cell.vectors()]
        return {
            name: value if value is None or name == "vectors" else ops.convert_to_tensor(value)
            for name, value in read.items()
        }

    def sources(self, inputs: Any, initial_state: list[Any]) -> list[Any]:
        """What a step reads, all steps at once, (T, B, ...) each."""
        hoisted = isinstance(self.cell, RecurrentCell)
        by_step = ops.moveaxis(inputs, 1, 0)
        values = [self.cell.project(by_step) if hoisted else by_step]
        if self.zoneout is not None and self.zoneout.seed is not None:
            for state in initial_state:
                shape = (ops.shape(inputs)[1], *ops.shape(state))
                drawn = keras.random.uniform(shape, dtype=state.dtype, seed=self.zoneout.seed)
                values.append(ops.cast(drawn < self.zoneout.rate, state.dtype))
        return values

    def __call__(self, states: list[Any], slices: list[Any], weights: dict[str, Any]) -> list[Any]:
        value, *kept = slices
        if isinstance(self.cell, RecurrentCell):
            new = self.cell.step(value, states, **weights)[1]
        else:
            new = list(self.cell(value, states)[1])
        if self.zoneout is None:
            return new
        kept = kept or [self.zoneout.rate] * len(new)
        return [
            share * old + (1 - share) * state
            for share, old, state in zip(kept, states, new, strict=True)
        ]


def step_through(
    step: Step, inputs: Any, initial_state: list[Any], lengths: Any = None
) -> list[Any]:
    """The states after each step.

    Args:
        step: What happens in a step.
        inputs: (B, T, E).
        initial_state: The states before the first step, (B, K) each.
        lengths: int32 (B,): from there on a row's states stand still, so that a state that grows
            over the padding spoils no gradient. None lets them run on.

    Returns:
        The states, (B, T, K) each.
    """
    sources = step.sources(inputs, initial_state)
    count = len(sources)
    weights = step.weights()
    if lengths is not None:
        numbers = ops.arange(ops.shape(inputs)[1], dtype="int32")[:, None, None]
        sources = [*sources, numbers < lengths[None, :, None]]

    def advance(states: list[Any], slices: list[Any]) -> list[Any]:
        new = step(states, slices[:count], weights)
        for active in slices[count:]:
            new = [ops.where(active, a, b) for a, b in zip(new, states, strict=True)]
        return new

    states = scan(advance, list(initial_state), sources)
    return [ops.moveaxis(state, 0, 1) for state in states]


def scan_real(advance: Callable[..., Any], start: Any, inputs: Any, mask: Any) -> Any:
    """The states after each step of `advance(inputs, states)`, in the padding those before it.

    Args:
        advance: One step: inputs (B, E) and states -> states of the same form.
        start: The states before the first step, any nest of (B, D).
        inputs: (B, T, E).
        mask: bool (B, T), True = a real token.

    Returns:
        The same nest of (B, T, D).
    """

    def carried(before: list[Any], slices: list[Any]) -> list[Any]:
        read, real = slices
        after = keras.tree.flatten(advance(read, keras.tree.pack_sequence_as(start, before)))
        return [ops.where(real, a, b) for a, b in zip(after, before, strict=True)]

    by_step = [ops.moveaxis(inputs, 1, 0), ops.moveaxis(mask, 1, 0)[:, :, None]]
    reached = scan(carried, keras.tree.flatten(start), by_step)  # (T, B, D) each
    return keras.tree.pack_sequence_as(start, [ops.moveaxis(each, 0, 1) for each in reached])


def scan(advance: Callable[..., Any], states: list[Any], sources: list[Any]) -> list[Any]:
    """The states after each step of `advance(states, slices)`, (T, B, D) each.

    Args:
        advance: One step.
        states: (B, D) each, before the first step; D may be known to the graph alone.
        sources: (T, B, ...) or (T, 1, ...) each, the first with B; a step's slices.
    """
    if keras.backend.backend() == "tensorflow":
        return _scan_tensorflow(advance, states, sources)
    return _scan(advance, states, sources)


def _scan(advance: Callable[..., Any], states: list[Any], sources: list[Any]) -> list[Any]:
    def carry(states: list[Any], slices: list[Any]) -> Any:
        states = advance(states, slices)
        return states, states

    return ops.scan(carry, states, sources)[1]


def _scan_tensorflow(
    advance: Callable[..., Any], states: list[Any], sources: list[Any]
) -> list[Any]:
    """`ops.scan` in blocks of steps; XLA can take its gradient, as it cannot that of `ops.scan`."""
    import tensorflow as tf

    time, batch = tf.unstack(tf.shape(sources[0])[:2])
    turns = (time + BLOCK - 1) // BLOCK
    sources = [_padded(source, turns * BLOCK - time) for source in sources]
    widths = [state.shape[-1] or tf.shape(state)[-1] for state in states]
    states = [tf.reshape(s, (batch, width)) for s, width in zip(states, widths, strict=True)]

    def body(turn: Any, states: list[Any], arrays: list[Any]) -> Any:
        start = turn * BLOCK
        slices = [tf.unstack(source[start : start + BLOCK], num=BLOCK) for source in sources]
        reached = []
        for number in range(BLOCK):
            states = advance(states, [parts[number] for parts in slices])
            reached.append(states)
        arrays = [
            array.write(turn, tf.stack(block))
            for array, block in zip(arrays, zip(*reached, strict=True), strict=True)
        ]
        return turn + 1, states, arrays

    arrays = [
        tf.TensorArray(state.dtype, turns, element_shape=(BLOCK, None, state.shape[-1]))
        for state in states
    ]
    _, _, arrays = tf.while_loop(
        lambda turn, *_: turn < turns,
        body,
        (tf.constant(0), states, arrays),
        maximum_iterations=turns,
    )
    return [
        tf.reshape(array.stack(), (turns * BLOCK, batch, width))[:time]
        for array, width in zip(arrays, widths, strict=True)
    ]


def _padded(source: Any, missing: Any) -> Any:
    """Zeros (or False) after the last step, up to a whole number of blocks."""
    import tensorflow as tf

    return tf.pad(source, [(0, missing), *[(0, 0)] * (len(source.shape) - 1)])
