"""The graphs of a bundle, each with inputs to try it on and what Keras answers to them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.layers import States
from zoo.onnx import models
from zoo.onnx.trace import Trace

LENGTHS = (5, 0, 2, 1)  # of the rows to try a graph on
LETTERS = 4  # of a word
Arrays = dict[str, np.ndarray]


class Served(NamedTuple):
    """A graph of a bundle.

    Attributes:
        file: The checked `onnx.ModelProto`.
        probe: Inputs to try it on.
        expected: The outputs of the model in memory.
    """

    file: Any
    probe: Arrays
    expected: Arrays


def arrays(values: Mapping[str, Any]) -> Arrays:
    """Tensors by name as arrays."""
    return {name: np.asarray(keras.ops.convert_to_numpy(each)) for name, each in values.items()}


def probe_of(
    specs: Mapping[str, tuple[Any, str]], sizes: Mapping[str, int], lengths: Any = LENGTHS
) -> Arrays:
    """Draws inputs of given shapes and types: ids below `sizes`, 2 where there is none, or numbers.

    Sequences have the lengths given, then ids of 0.
    """
    draw, rows, time = np.random.default_rng(0), len(lengths), max(lengths)
    found: Arrays = {}
    for name, (shape, dtype) in specs.items():
        sized = (rows, time, LETTERS)
        full = [
            known if size is None else size
            for size, known in zip(shape, (*sized, *shape[3:]), strict=False)
        ]
        if name == "lengths":
            found[name] = np.array(lengths, np.int32)
        elif dtype == "int32":
            ids = draw.integers(1, sizes.get(name, 2), size=full, dtype=np.int32)
            if len(full) > 1 and shape[1] is None:
                here = np.arange(time)[None] < np.array(lengths)[:, None]
                ids = ids * here.reshape(here.shape + (1,) * (len(full) - 2))
            found[name] = ids.astype(np.int32)
        else:
            found[name] = draw.normal(size=full).astype(np.float32)
    return found


def whole(
    model: keras.Model,
    sizes: Mapping[str, int],
    outputs: Mapping[str, Any] | None = None,
    axes: Mapping[str, list[str]] | None = None,
    sparse: bool = False,
) -> Served:
    """Serves a functional model: see `zoo.onnx.models.whole`."""
    inputs = models.inputs_of(model)
    probe = probe_of(models.specs(inputs), sizes)
    found = {"logits": model.output} if outputs is None else dict(outputs)
    values = keras.Model(inputs, found)(probe, training=False)
    return Served(models.whole(model, found, axes, sparse), probe, arrays(values))


def start(model: keras.Model, states: States) -> Served:
    """Serves `streams` -> the states before the first step, given for one row."""
    probe = {models.STREAMS: np.arange(3, dtype=np.int32)}
    expected = {name: np.repeat(state, 3, axis=0) for name, state in arrays(states).items()}
    return Served(models.start(model, states), probe, expected)


def step(
    model: keras.Model,
    inputs: Mapping[str, tuple[Any, str]],
    states: States,
    function: Callable[[dict[str, Any], States], tuple[Mapping[str, Any], States]],
    sizes: Mapping[str, int],
    written: Callable[[Trace, dict[str, Any], States], Any] | None = None,
) -> Served:
    """Serves a step: see `zoo.onnx.models.step`.

    `function` takes arrays or symbolic tensors; where it cannot take the latter, `written` does.
    """
    run = written or (lambda _, given, own: function(given, own))
    file = models.step(model, inputs, states, run)
    probe = probe_of(inputs, sizes, lengths=(1, 1, 1))
    draw = np.random.default_rng(1)
    for name, state in arrays(states).items():
        moved = state + np.abs(draw.normal(size=(3, *state.shape[1:])) * 0.5)
        probe[name] = moved.astype(np.float32)
    outputs, after = function(
        {name: probe[name] for name in inputs}, {name: probe[name] for name in states}
    )
    expected = {**outputs, **{f"{models.NEXT}{name}": after[name] for name in states}}
    return Served(file, probe, arrays(expected))
