"""The general loop over time: any cell, any option, one step after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.cells import ReadCell
from zoo.recurrence import tracing
from zoo.recurrence.keras_cell import CellForm, has_own_output, is_zoo_cell, output_size

BLOCK = 8  # steps per iteration of the loop at most: an iteration costs more than a step


@dataclass(frozen=True)
class Zoneout:
    """Zoneout: states that keep their previous value (Krueger et al., arXiv:1606.01305).

    Attributes:
        rate: Probability that an element of a state is not updated in a step.
        seed: A Keras seed generator in training; None takes the expected value instead.
    """

    rate: float
    seed: Any = None


@dataclass(frozen=True)
class Step:
    """One step of a cell with its options: `states, slices, weights -> output, states`.

    Attributes:
        cell: A built cell, the zoo's or any that `keras.layers.RNN` takes.
        recurrent_kernel: U, if it is not the cell's own, or None.
        recurrent_mask: (B, K), multiplied into h before the product, or None.
        zoneout: The zoneout of the states, or None.
        form: The adapter of a Keras cell; None for the zoo's own.
        width: The width of the output, if it is not the first state.
        hoists: Whether x W is made for all steps at once. Without a gradient and with several
            gates JAX is up to twice as fast without: XLA reads slices of a large array slowly.
    """

    cell: Any
    recurrent_kernel: Any = None
    recurrent_mask: Any = None
    zoneout: Zoneout | None = None
    form: CellForm | None = None
    width: int | None = None
    hoists: bool = True

    def weights(self) -> dict[str, Any]:
        """The weights of a zoo cell's step as tensors, read once before the loop."""
        if not is_zoo_cell(self.cell):
            return {}
        kernel = self.cell.recurrent_kernel
        kernel = kernel if self.recurrent_kernel is None else self.recurrent_kernel
        read = {"recurrent_kernel": kernel, "recurrent_mask": self.recurrent_mask}
        if self.cell.separable:
            read["recurrent_bias"] = self.cell.recurrent_bias
        if self.cell.separable or isinstance(self.cell, ReadCell):
            read["vectors"] = [ops.convert_to_tensor(value) for value in self.cell.vectors()]
        return {
            name: value if value is None or name == "vectors" else ops.convert_to_tensor(value)
            for name, value in read.items()
        }

    def sources(self, inputs: Any, initial_state: list[Any]) -> list[Any]:
        """The inputs of all steps, (T, B, ...) each."""
        by_step = ops.moveaxis(inputs, 1, 0)
        values = [self.cell.project(by_step) if self._is_hoisted() else by_step]
        if self.zoneout is not None and self.zoneout.seed is not None:
            for state in initial_state:
                shape = (ops.shape(inputs)[1], *ops.shape(state))
                drawn = keras.random.uniform(shape, dtype="float32", seed=self.zoneout.seed)
                values.append(ops.cast(drawn < self.zoneout.rate, state.dtype))
        return values

    def _is_hoisted(self) -> bool:
        return self.hoists and is_zoo_cell(self.cell)

    def __call__(
        self, states: list[Any], slices: list[Any], weights: dict[str, Any]
    ) -> tuple[Any, list[Any]]:
        value, *kept = slices
        if self.form is not None:
            output, new = self.form(value, states)
        else:
            value = value if self._is_hoisted() else self.cell.project(value)
            output, new = self.cell.step(value, states, **weights)
        if self.zoneout is None:
            return output, new
        is_state = output is new[0]
        kept = kept or [self.zoneout.rate] * len(new)
        new = [
            share * old + (1 - share) * state
            for share, old, state in zip(kept, states, new, strict=True)
        ]
        return new[0] if is_state else output, new


def outputs_and_states(
    step: Step, inputs: Any, initial_state: list[Any], lengths: Any = None
) -> tuple[Any, list[Any]]:
    """The output of each step of inputs (B, T, E), and the states after it: (B, T, K) each.

    `initial_state` are the states before the first step, (B, K) each. After `lengths`, int32 (B,),
    a row's states stay constant, so that states that grow over the padding spoil no gradient; None
    also steps through the padding.
    """
    advance, start, sources, first = _loop(step, inputs, initial_state, lengths)
    reached = [ops.moveaxis(each, 0, 1) for each in scan(advance, start, sources)]
    return reached[0], reached[first:]


def outputs_and_final(
    step: Step, inputs: Any, initial_state: list[Any], lengths: Any, training: bool
) -> tuple[Any, list[Any]]:
    """The output of each step (B, T, K), and the states at each row's last real token, (B, K) each.

    Without lengths all steps are real. Unlike `outputs_and_states` it does not keep all states of
    all steps.
    """
    is_state = len(initial_state) == 1 and not has_own_output(step.cell)
    until = None if is_state and not training else lengths
    advance, start, sources, first = _loop(step, inputs, initial_state, until)

    def carry(states: list[Any], slices: list[Any]) -> Any:
        states = advance(states, slices)
        return states, states[0]

    final, outputs = ops.scan(carry, start, sources)
    outputs = ops.moveaxis(outputs, 0, 1)
    if until is None and lengths is not None:
        return outputs, masking.each_last_real([outputs], lengths, initial_state)
    return outputs, final[first:]


def _loop(step: Step, inputs: Any, initial_state: list[Any], lengths: Any) -> Any:
    """`advance(states, slices)`, the first states, the sources, and how many outputs lead them."""
    sources = step.sources(inputs, initial_state)
    count = len(sources)
    weights = step.weights()
    if lengths is not None:
        numbers = ops.arange(ops.shape(inputs)[1], dtype="int32")[:, None, None]
        sources = [*sources, numbers < lengths[None, :, None]]

    start = list(initial_state)
    first = 0  # number of outputs among the loop variables
    if has_own_output(step.cell):
        first = 1
        width = output_size(step.cell) if step.width is None else step.width
        rows = ops.shape(initial_state[0])[0]
        start = [ops.zeros((rows, width), dtype=initial_state[0].dtype), *start]

    def advance(carried: list[Any], slices: list[Any]) -> list[Any]:
        output, new = step(carried[first:], slices[:count], weights)
        if first:
            new = [ops.cast(output, start[0].dtype), *new]
        for active in slices[count:]:
            new = [ops.where(active, a, b) for a, b in zip(new, carried, strict=True)]
        return new

    return advance, start, sources, first


def scan_real(advance: Callable[..., Any], start: Any, inputs: Any, mask: Any) -> Any:
    """The states after each step of `advance(inputs, states)`, constant over the padding.

    `advance` takes inputs (B, E) of one step and states in the form of `start`, any nest of (B, D),
    and returns such states; the result is the same nest of (B, T, D). Inputs are (B, T, E), the
    mask is bool (B, T), True = a real token.
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

    The sources are (T, B, ...) or (T, 1, ...) each, the first with B; D may be known only when the
    graph runs.
    """
    if keras.backend.backend() == "tensorflow":
        return _scan_tensorflow(advance, states, sources)

    def carry(states: list[Any], slices: list[Any]) -> Any:
        states = advance(states, slices)
        return states, states

    return ops.scan(carry, states, sources)[1]


def _scan_tensorflow(
    advance: Callable[..., Any], states: list[Any], sources: list[Any]
) -> list[Any]:
    """`ops.scan` in blocks of steps, whose gradient XLA supports (not that of `ops.scan`)."""
    import tensorflow as tf

    time, batch = _sizes(sources[0])
    size = 1 if tracing.is_lean() else BLOCK
    size = min(size, time) if isinstance(time, int) and time else size
    turns = (time + size - 1) // size
    blocks = [_in_blocks(source, turns, turns * size - time, size) for source in sources]
    widths = [state.shape[-1] or tf.shape(state)[-1] for state in states]
    states = [tf.reshape(s, (batch, width)) for s, width in zip(states, widths, strict=True)]

    def body(turn: Any, states: list[Any], arrays: list[Any]) -> Any:
        slices = [tf.unstack(block[turn], num=size) for block in blocks]
        reached = []
        for number in range(size):
            states = advance(states, [parts[number] for parts in slices])
            reached.append(states)
        arrays = [
            array.write(turn, tf.stack(block))
            for array, block in zip(arrays, zip(*reached, strict=True), strict=True)
        ]
        return turn + 1, states, arrays

    rows = batch if isinstance(batch, int) else None
    arrays = [
        tf.TensorArray(state.dtype, turns, element_shape=(size, rows, state.shape[-1]))
        for state in states
    ]
    _, _, arrays = tf.while_loop(
        lambda turn, *_: turn < turns,
        body,
        (tf.constant(0), states, arrays),
        maximum_iterations=turns,
    )
    return [
        tf.reshape(array.stack(), (turns * size, batch, width))[:time]
        for array, width in zip(arrays, widths, strict=True)
    ]


def scan_outputs(advance: Callable[..., Any], states: Any, sources: list[Any]) -> tuple[Any, Any]:
    """The outputs of all steps of `advance(states, slices) -> states, output`, and the last states.

    Unlike `scan` it does not keep the states of all steps. The sources are (T, ...) each, the
    states any tensor, the outputs (T, ...).
    """
    if keras.backend.backend() == "tensorflow":
        return _scan_outputs_tensorflow(advance, states, sources)
    last, outputs = ops.scan(advance, states, sources)
    return outputs, last


def _scan_outputs_tensorflow(
    advance: Callable[..., Any], states: Any, sources: list[Any]
) -> tuple[Any, Any]:
    """`ops.scan`, whose gradient XLA supports (not that of `ops.scan`)."""
    import tensorflow as tf

    time = sources[0].shape[0] or tf.shape(sources[0])[0]
    shape = states.shape
    read = [
        tf.TensorArray(each.dtype, time, element_shape=each.shape[1:]).unstack(each)
        for each in sources
    ]

    def body(turn: Any, states: Any, outputs: Any) -> Any:
        states, output = advance(states, [array.read(turn) for array in read])
        return turn + 1, tf.ensure_shape(states, shape), outputs.write(turn, output)

    _, last, outputs = tf.while_loop(
        lambda turn, *_: turn < time,
        body,
        (tf.constant(0), states, tf.TensorArray(states.dtype, time)),
        maximum_iterations=time,
    )
    return outputs.stack(), last


def _sizes(source: Any) -> list[Any]:
    """T and B of a source (T, B, ...): ints where they are static, which LiteRT needs."""
    import tensorflow as tf

    dynamic = tf.unstack(tf.shape(source)[:2])
    return [known or size for known, size in zip(source.shape[:2], dynamic, strict=True)]


def _in_blocks(source: Any, turns: Any, missing: Any, size: int) -> Any:
    """(T, B, ...) -> (turns, size, B, ...), with zeros (or False) after the last step."""
    import tensorflow as tf

    padded = tf.pad(source, [(0, missing), *[(0, 0)] * (len(source.shape) - 1)])
    rest = [size or tf.shape(source)[axis] for axis, size in enumerate(source.shape)][1:]
    return tf.reshape(padded, (turns, size, *rest))
