"""The graphs of a bundle: functions of named tensors whose sizes are all fixed."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import require_positive_int
from zoo.layers import States
from zoo.onnx.architectures import sizes_of
from zoo.onnx.models import inputs_of
from zoo.onnx.served import Arrays, probe_of

NEXT = "next_"  # begins the name of a state after a step
STREAMS = "streams"
LETTERS = 20  # of a word

Function = Callable[[dict[str, Any]], Mapping[str, Any]]


class Sizes(NamedTuple):
    """The sizes that LiteRT has to know.

    Attributes:
        rows: B, rows of every input.
        steps: T, tokens or values of a sequence; shorter ones are padded on the right.
    """

    rows: int = 1
    steps: int = 64

    def checked(self) -> "Sizes":
        """The sizes, unless one is not a positive int."""
        require_positive_int("rows", self.rows)
        require_positive_int("steps", self.steps)
        return self


class Graph(NamedTuple):
    """A graph of a bundle.

    Attributes:
        function: Named tensors -> named tensors.
        probe: Inputs to try it on; their shapes and types are those of the graph.
        weights: The variables that the function reads.
    """

    function: Function
    probe: Arrays
    weights: list[Any]

    def expected(self) -> Arrays:
        """The outputs of the model in memory for `probe`."""
        found = self.function({name: tf.constant(each) for name, each in self.probe.items()})
        return {name: np.asarray(keras.ops.convert_to_numpy(each)) for name, each in found.items()}


def whole(
    model: keras.Model, sizes: Sizes, outputs: Callable[[Any, dict[str, Any]], Any] | None = None
) -> Graph:
    """The graph of a functional model.

    Its inputs have the model's names; its output is `logits`, or those that the model's dict has,
    the states among them as `next_NAME`. `outputs` makes others from the model's output and its
    inputs.
    """
    named = inputs_of(model)
    lengths = [max(1, sizes.steps - 2 * row) for row in range(sizes.rows)]
    fixed = {name: (_fixed(each.shape, sizes), each.dtype) for name, each in named.items()}
    probe = probe_of(fixed, sizes_of(model), lengths)
    for name, each in probe.items():
        if each.ndim > 1 and each.shape[1] == sizes.steps and each.dtype == np.int32:
            here = np.arange(sizes.steps)[None] < np.array(lengths)[:, None]
            probe[name] = each * here.reshape(here.shape + (1,) * (each.ndim - 2))

    def run(given: dict[str, Any]) -> Mapping[str, Any]:
        inputs = given if isinstance(model.input, dict) else next(iter(given.values()))
        found = model(inputs, training=False)
        if outputs is not None:
            return outputs(found, given)
        found = found if isinstance(found, dict) else {"logits": found}
        return {f"{NEXT}{name}" if name in given else name: each for name, each in found.items()}

    return Graph(run, probe, weights_of(model))


def _fixed(shape: Any, sizes: Sizes) -> list[int]:
    known = (sizes.rows, sizes.steps, LETTERS)
    return [known[axis] if axis == 0 or size is None else size for axis, size in enumerate(shape)]


def weights_of(model: keras.Model) -> list[Any]:
    """The variables of a model's weights."""
    return [weight.value for weight in model.weights]


def start(model: keras.Model, states: States) -> Graph:
    """The graph `streams` int32 (B,), of any values -> the states before the first step."""
    rows = next(iter(states.values())).shape[0]
    values = {name: tf.convert_to_tensor(each) for name, each in states.items()}

    def run(given: dict[str, Any]) -> Mapping[str, Any]:
        nothing = 0.0 * tf.cast(given[STREAMS], tf.float32)  # an unused input would be left out
        return {
            name: each + tf.reshape(nothing, [rows, *[1] * (len(each.shape) - 1)])
            for name, each in values.items()
        }

    return Graph(run, {STREAMS: np.arange(rows, dtype=np.int32)}, weights_of(model))


def step(
    model: keras.Model,
    inputs: Mapping[str, tuple[Any, str]],
    states: States,
    function: Callable[[dict[str, Any], States], tuple[Mapping[str, Any], States]],
) -> Graph:
    """The graph of one step: `inputs`, by name with shape and type, and the states.

    It takes each state as `NAME` and gives it back as `next_NAME`. `function` returns the outputs
    by name and the states.
    """
    rows = next(iter(states.values())).shape[0]
    fixed = {name: ([rows, *shape[1:]], dtype) for name, (shape, dtype) in inputs.items()}
    probe = probe_of(fixed, sizes_of(model), [1] * rows)
    draw = np.random.default_rng(1)
    for name, state in states.items():
        moved = np.abs(draw.normal(size=state.shape) * 0.5)
        probe[name] = (np.asarray(keras.ops.convert_to_numpy(state)) + moved).astype(np.float32)

    def run(given: dict[str, Any]) -> Mapping[str, Any]:
        own = {name: given[name] for name in states}
        outputs, after = function({name: given[name] for name in inputs}, own)
        return {**outputs, **{f"{NEXT}{name}": after[name] for name in states}}

    return Graph(run, probe, weights_of(model))
