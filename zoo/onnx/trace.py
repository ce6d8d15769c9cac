"""Walks the operations that Keras recorded and writes each as ONNX, with its converter.

A symbolic tensor of Keras knows the operation that made it and that operation's arguments, so that
a function of Keras operations is written by calling it on symbolic tensors. Layers without a
converter of their own are written from their `call` in the same way; those that ask for dynamic
sizes, which symbolic tensors do not have, need one.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.errors import InputError
from zoo.onnx.graph import Graph

_converters: dict[Any, Callable[..., Any]] = {}


def converts(*kinds: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a converter of layer classes, or of the names of classes of Keras operations.

    It takes a `Call` and the operation's arguments, and returns the names of its results.
    """

    def registered(converter: Callable[..., Any]) -> Callable[..., Any]:
        for kind in kinds:
            _converters[kind] = converter
        return converter

    return registered


class Call(NamedTuple):
    """A call of an operation: what a converter gets beside the operation's arguments.

    Attributes:
        trace: The trace that the call belongs to.
        operation: The Keras layer or operation.
        outputs: Its symbolic results.
    """

    trace: "Trace"
    operation: Any
    outputs: list[Any]

    @property
    def graph(self) -> Graph:
        """The graph to write to."""
        return self.trace.graph

    @property
    def dtype(self) -> str:
        """The type of the first result."""
        return str(self.outputs[0].dtype)

    def name(self, value: Any, dtype: Any = None) -> str:
        """The name of an argument's value; see `Trace.name`."""
        return self.trace.name(value, dtype)


class Trace:
    """Symbolic Keras tensors and the names of their values in a graph.

    Args:
        graph: The graph to write to.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[int, tuple[Any, str]] = {}  # the tensor too, so that its id stays its own

    def bind(self, tensor: Any, name: str) -> Any:
        """Makes a value of the graph that of a symbolic tensor, and returns the tensor."""
        self._known[id(tensor)] = (tensor, name)
        return tensor

    def symbol(self, name: str, shape: Any, dtype: str = "float32") -> Any:
        """Returns a new symbolic tensor of a value of the graph."""
        return self.bind(keras.KerasTensor(shape, dtype), name)

    def input(self, name: str, shape: Any, axes: Any, dtype: str = "float32") -> Any:
        """Adds an input to the graph, with the names of its axes, as a symbolic tensor."""
        named = named_axes(shape, axes)
        return self.symbol(self.graph.input(name, dtype, named), shape, dtype)

    def name(self, value: Any, dtype: Any = None) -> str:
        """Returns the name of a value: a symbolic tensor, or a constant, as `dtype` if given.

        Raises:
            InputError: It comes from an operation that has no converter.
        """
        if not isinstance(value, keras.KerasTensor):
            return self._constant(value, dtype)
        waiting = [value]
        while waiting:  # no recursion: a model is deeper than Python's stack
            tensor = waiting[-1]
            if id(tensor) in self._known:
                waiting.pop()
                continue
            node = _node(tensor)
            missing = [each for each in node.input_tensors if id(each) not in self._known]
            waiting += missing
            if not missing:
                arguments = node.arguments
                found = self.run(node.operation, node.outputs, *arguments.args, **arguments.kwargs)
                for output, name in zip(node.outputs, keras.tree.flatten(found), strict=True):
                    self.bind(output, name)
        found = self._known[id(value)][1]
        wanted = dtype or value.dtype
        return found if wanted == value.dtype else self.graph.cast(found, wanted)

    def names(self, nest: Any) -> Any:
        """Returns the names of all values of a nest."""
        return keras.tree.map_structure(self.name, nest)

    def run(self, operation: Any, outputs: list[Any], *arguments: Any, **named: Any) -> Any:
        """Writes a call of a layer or operation, and returns the names of its results."""
        for kind in type(operation).__mro__:
            converter = _converters.get(kind) or _converters.get(kind.__name__)
            if converter is not None:
                return converter(Call(self, operation, outputs), *arguments, **named)
        if not isinstance(operation, keras.layers.Layer):
            raise InputError(
                f"the operation {type(operation).__name__} cannot be written as ONNX: register a "
                "converter of it with zoo.onnx.trace.converts"
            )
        return self.names(self.called(operation, *arguments, **named))

    def called(self, layer: Any, *arguments: Any, **named: Any) -> Any:
        """Returns the symbolic results of a layer's own `call`."""
        named = {key: value for key, value in named.items() if key != "training"}
        try:
            return layer.call(*arguments, **named)
        except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"the layer {layer.name!r} ({type(layer).__name__}) cannot be written as ONNX, its "
                f"call does more than Keras operations on tensors of known sizes ({first}): "
                "register a converter of it with zoo.onnx.trace.converts"
            ) from error

    def apply(self, layer: Any, value: str, shape: Any, dtype: str = "float32") -> str:
        """Writes a layer's call on a value of the graph, and returns the result's name."""
        result = self.run(layer, [], self.symbol(value, shape, dtype))
        return str(keras.tree.flatten(result)[0])

    def _constant(self, value: Any, dtype: Any) -> str:
        name = "constant"
        if isinstance(value, keras.Variable):
            name = value.path
        if not isinstance(value, int | float | bool | np.ndarray | list | tuple):
            value = keras.ops.convert_to_numpy(value)
        if dtype is None and isinstance(value, float | int) and not isinstance(value, bool):
            dtype = "float32" if isinstance(value, float) else "int32"
        return self.graph.constant(value, dtype, name)


def named_axes(shape: Sequence[int | None], names: Sequence[Any]) -> list[Any]:
    """A shape whose dynamic sizes have names, as far as there are any."""
    every = [*names, *[None] * len(shape)]
    return [name if size is None else size for size, name in zip(shape, every, strict=False)]


def _node(tensor: Any) -> Any:
    """The recorded call that made a symbolic tensor."""
    operation, place, _ = getattr(tensor, "_keras_history", (None, 0, 0))
    if operation is None or isinstance(operation, keras.layers.InputLayer):
        raise InputError(
            f"the tensor {tensor.name!r} is an input that the ONNX graph does not have: give the "
            "model's own inputs"
        )
    return operation._inbound_nodes[place]


@contextlib.contextmanager
def unrecorded(model: keras.Model) -> Iterator[None]:
    """Removes from a model's layers the calls that are recorded within, at the end."""
    layers = {id(each): each for each in (*model.operations, *model._flatten_layers())}
    lists = [
        calls for each in layers.values() for calls in (each._inbound_nodes, each._outbound_nodes)
    ]
    counts = [len(calls) for calls in lists]
    try:
        yield
    finally:
        for calls, count in zip(lists, counts, strict=True):
            del calls[count:]
