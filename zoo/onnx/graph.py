"""A graph in the making: nodes with fresh names, constants that are stored once, subgraphs."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.errors import require_package
from zoo.version import VERSION

OPSET = 18
IR_VERSION = 9  # the newest that runtimes of the opset's year read
BATCH, TIME = "batch", "time"  # the names of the dynamic axes
Shape = Sequence[int | str | None]


def onnx_package() -> Any:
    """Returns the package `onnx`.

    Raises:
        InputError: It is not installed.
    """
    return require_package("onnx", "onnx", "writing ONNX files")


class Graph:
    """An ONNX graph, or a subgraph of one: the body of a loop.

    Values are strings, their names in the file. A subgraph reads the values and the constants of
    the graphs around it.

    Args:
        name: The graph's name.
        outer: The graph around a subgraph.
    """

    def __init__(self, name: str = "model", outer: "Graph | None" = None) -> None:
        self.onnx = onnx_package()
        self.name, self.outer = name, outer
        self.root: Graph = outer.root if outer else self
        self.memo: dict[Any, Any] = {}  # what converters want to make once in this graph
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[Any, Any] = {}
        self._names: set[str] = set()

    def fresh(self, stem: str) -> str:
        """Returns a name that no value of the file has: `/`, `stem` and perhaps a number."""
        names, name, number = self.root._names, f"/{stem}", 0
        while name in names:
            number += 1
            name = f"/{stem}_{number}"
        names.add(name)
        return name

    def _own(self, name: str) -> str:
        """The name of an input or output: as it is in the file's own graph."""
        if self.outer or name in self.root._names:
            return self.fresh(name)
        self.root._names.add(name)
        return name

    def input(self, name: str, dtype: Any, shape: Shape) -> str:
        """Adds an input; an axis is a size, or the name of a dynamic size, or None."""
        name = self._own(name)
        self._inputs.append(self._info(name, dtype, shape))
        return name

    @property
    def outputs(self) -> list[Any]:
        """The outputs, as `onnx.ValueInfoProto`."""
        return list(self._outputs)

    def output(self, name: str, value: str, dtype: Any, shape: Shape) -> None:
        """Makes a value an output of that name."""
        named = self._own(name)
        self.node("Identity", value, into=[named])
        self._outputs.append(self._info(named, dtype, shape))

    def constant(self, value: Any, dtype: Any = None, name: str = "constant") -> str:
        """Returns the name of a constant; equal ones are stored once in the file."""
        if self.outer:
            return self.root.constant(value, dtype, name)
        array = np.ascontiguousarray(np.asarray(value, dtype)).reshape(np.shape(value))
        key = (array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest())
        if key not in self._constants:
            named = self.fresh(name)
            self._constants[key] = self.onnx.numpy_helper.from_array(array, named)
        return str(self._constants[key].name)

    def axes(self, *numbers: int) -> str:
        """Returns a constant of int64: axes, sizes or places."""
        return self.constant(np.array(numbers, np.int64), name="axes")

    def node(
        self, kind: str, *inputs: str, outputs: int = 1, into: Any = None, **given: Any
    ) -> Any:
        """Adds an operation; returns the name of its result, or the names of several.

        "" in the place of an input or of a name in `into` leaves it out; attributes that are None
        are left out.
        """
        names = into or [self.fresh(kind.lower()) for _ in range(outputs)]
        given = {key: value for key, value in given.items() if value is not None}
        made = self.onnx.helper.make_node(kind, list(inputs), names, names[0], **given)
        self._nodes.append(made)
        return names[0] if outputs == 1 else names

    def size(self, value: str, axis: int) -> str:
        """Returns the size of one axis, int64 (1,)."""
        key = ("size", value, axis)
        if key not in self.memo:
            end = axis + 1 if axis != -1 else None
            self.memo[key] = self.node("Shape", value, start=axis, end=end)
        return str(self.memo[key])

    def shape_of(self, *parts: int | str) -> str:
        """Returns a shape, int64 (N,), of known sizes and of what `size` returned."""
        if all(isinstance(part, int) for part in parts):
            return self.axes(*(part for part in parts if isinstance(part, int)))
        named = [part if isinstance(part, str) else self.axes(part) for part in parts]
        return str(self.node("Concat", *named, axis=0))

    def reshape(self, value: str, *parts: int | str) -> str:
        """Reshapes a value; 0 keeps the size at its place, -1 is what is left."""
        return str(self.node("Reshape", value, self.shape_of(*parts)))

    def broadcast(self, value: str, *parts: int | str) -> str:
        """Repeats a value along axes of size 1."""
        return str(self.node("Expand", value, self.shape_of(*parts)))

    def cast(self, value: str, dtype: Any) -> str:
        """Converts a value to a type."""
        return str(self.node("Cast", value, to=self._type(dtype)))

    def body(self, name: str) -> "Graph":
        """Returns a new subgraph of this graph."""
        return Graph(self.fresh(name), self)

    def proto(self) -> Any:
        """Returns the graph as `onnx.GraphProto`."""
        constants = list(self._constants.values())
        return self.onnx.helper.make_graph(
            self._nodes, self.name, self._inputs, self._outputs, constants
        )

    def model(self, metadata: Mapping[str, Any] | None = None) -> Any:
        """Returns the checked file, an `onnx.ModelProto`; values of `metadata` become JSON."""
        helper = self.onnx.helper
        made = helper.make_model(
            self.proto(),
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="rnn-zoo",
            producer_version=VERSION,
            ir_version=IR_VERSION,
        )
        if metadata:
            helper.set_model_props(made, {key: json.dumps(each) for key, each in metadata.items()})
        self.onnx.checker.check_model(made, full_check=True)
        self.onnx.shape_inference.infer_shapes(made, strict_mode=True, data_prop=True)
        return made

    def _info(self, name: str, dtype: Any, shape: Shape) -> Any:
        return self.onnx.helper.make_tensor_value_info(name, self._type(dtype), list(shape))

    def _type(self, dtype: Any) -> int:
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
