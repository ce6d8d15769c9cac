"""The graphs of models: a whole sequence at once, and `start` and `step` for streams.

In a graph of steps the state NAME is an input, and the output `next_NAME` is the state after the
step: a value of ONNX has one definition, so that the output cannot have the input's name.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from zoo.errors import InputError
from zoo.layers import States
from zoo.onnx.graph import BATCH, TIME, Graph
from zoo.onnx.trace import Trace, named_axes, unrecorded

NEXT = "next_"
STREAMS = "streams"
Function = Callable[[Trace, dict[str, Any]], Mapping[str, Any]]


def axes_of(name: str, rank: int) -> list[str]:
    """The names of the dynamic axes of an input or output."""
    return [BATCH, TIME, *(f"{name}_{axis}" for axis in range(2, rank))][:rank]


def require_float32(model: keras.Model) -> None:
    """Raises unless all layers compute in float32.

    Raises:
        InputError: One computes in another type.
    """
    for layer in model._flatten_layers():
        if layer.compute_dtype not in (None, "float32"):
            raise InputError(
                f"the layer {layer.name!r} computes in {layer.compute_dtype}, and ONNX files are "
                "written in float32: load the model with the dtype policy float32"
            )


def graph_of(
    model: keras.Model,
    inputs: Mapping[str, tuple[Any, str]],
    function: Function,
    axes: Mapping[str, list[str]] | None = None,
) -> Any:
    """Writes a function of symbolic tensors as an ONNX file.

    Args:
        model: The model whose layers the function calls.
        inputs: Name -> shape, None for dynamic sizes, and type of each input.
        function: From the trace and the symbolic inputs to the outputs, by name.
        axes: Names of dynamic axes of inputs and outputs that are not those of `axes_of`.

    Returns:
        A checked `onnx.ModelProto`; its metadata has the names of the `states`.

    Raises:
        InputError: The model has what cannot be written.
    """
    require_float32(model)
    graph, named = Graph(), dict(axes or {})
    trace = Trace(graph)
    given = {
        name: trace.input(name, shape, named.get(name, axes_of(name, len(shape))), dtype)
        for name, (shape, dtype) in inputs.items()
    }
    with unrecorded(model):
        for name, value in function(trace, given).items():
            known = named.get(name, axes_of(name, len(value.shape)))
            shape = named_axes(value.shape, known)
            graph.output(name, trace.name(value), value.dtype, shape)
    states = [name for name in given if f"{NEXT}{name}" in [each.name for each in graph.outputs]]
    return graph.model({"states": states})


def inputs_of(model: keras.Model) -> dict[str, Any]:
    """A functional model's symbolic inputs by name."""
    if isinstance(getattr(model, "input", None), dict):
        return dict(model.input)
    return {each.name: each for each in model.inputs}


def specs(tensors: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Shapes and types of symbolic tensors, as `graph_of` takes them."""
    return {name: (tuple(each.shape), str(each.dtype)) for name, each in tensors.items()}


def whole(
    model: keras.Model,
    outputs: Mapping[str, Any] | None = None,
    axes: Mapping[str, list[str]] | None = None,
    sparse: bool = False,
) -> Any:
    """Writes a functional model: its inputs by their names -> `logits`, or the outputs given.

    `axes` are as for `graph_of`; with `sparse` most numbers of the inputs, float (B, D), are 0.
    """
    inputs = inputs_of(model)
    found = {"logits": model.output} if outputs is None else outputs

    def run(trace: Trace, given: dict[str, Any]) -> Mapping[str, Any]:
        for name, tensor in inputs.items():
            trace.bind(tensor, trace.name(given[name]))
            trace.graph.memo["sparse", trace.name(given[name])] = sparse
        return found

    return graph_of(model, specs(inputs), run, axes)


def constant_states(trace: Trace, states: States, rows: str) -> dict[str, Any]:
    """States of one row, arrays (1, ...), repeated for B rows: symbolic tensors."""
    graph, found = trace.graph, {}
    for name, state in states.items():
        array = keras.ops.convert_to_numpy(state)
        named = graph.constant(array, "float32", "initial_state")
        value = graph.broadcast(named, rows, *array.shape[1:])
        found[name] = trace.symbol(value, (None, *array.shape[1:]))
    return found


def start(model: keras.Model, states: States) -> Any:
    """Writes `streams` int32 (B,) -> the states before the first step, given for one row."""

    def run(trace: Trace, given: dict[str, Any]) -> Mapping[str, Any]:
        rows = trace.graph.size(trace.name(given[STREAMS]), 0)
        return constant_states(trace, states, rows)

    return graph_of(model, {STREAMS: ((None,), "int32")}, run)


def step(
    model: keras.Model,
    inputs: Mapping[str, tuple[Any, str]],
    states: States,
    function: Callable[[Trace, dict[str, Any], States], tuple[Mapping[str, Any], States]],
    axes: Mapping[str, list[str]] | None = None,
) -> Any:
    """Writes a step: inputs and states -> outputs, and the new states as `next_NAME`.

    Args:
        model: The model.
        inputs: Name -> shape and type of each input that is no state.
        states: The states of one row.
        function: From the trace, the inputs and the states to the outputs and the new states.
        axes: As for `graph_of`.
    """
    own_specs = {name: ((None, *each.shape[1:]), "float32") for name, each in states.items()}
    both = {**inputs, **own_specs}

    def run(trace: Trace, given: dict[str, Any]) -> Mapping[str, Any]:
        own = {name: given[name] for name in states}
        read = {name: given[name] for name in inputs}
        outputs, after = function(trace, read, own)
        return {**outputs, **{f"{NEXT}{name}": after[name] for name in states}}

    return graph_of(model, both, run, axes)
