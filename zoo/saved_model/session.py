"""A SavedModel in a session of its own: NumPy arrays in, NumPy arrays out.

TensorFlow's server runs graphs this way. It loads in half the time that `tf.saved_model.load`
takes, a call costs a fraction of a call of `signatures[...]`, and all its memory is freed at once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.saved_model import loader_impl

from zoo.errors import DamagedFile, InputError, nearest
from zoo.saved_model import assertions
from zoo.system import checksums
from zoo.system.command import shortened

Arrays = dict[str, np.ndarray]
# TensorFlow's name of a type -> NumPy's
TYPES = {
    "string": np.dtype(object),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "half": np.dtype(np.float16),
    "bool": np.dtype(bool),
    **{name: np.dtype(name) for name in ("int8", "int16", "int32", "int64")},
    **{name: np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")},
}
_CALLER = -1  # the thread pool that is the calling thread


@dataclass(frozen=True)
class Spec:
    """An input or output of a signature.

    Attributes:
        name: Its name.
        type: TensorFlow's name of its type, one of `TYPES`.
        shape: The size of each axis, None where it varies; None for an unknown rank.
        tensor: Its name in the graph.
    """

    name: str
    type: str
    shape: tuple[int | None, ...] | None
    tensor: str

    @property
    def dtype(self) -> np.dtype:
        """NumPy's type; objects are bytes."""
        return TYPES[self.type]

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape may be given."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(own in (None, size) for own, size in zip(self.shape, shape, strict=True))
        )


class Unloadable(DamagedFile):
    """TensorFlow cannot load a SavedModel.

    Attributes:
        reason: TensorFlow's, in one line.
    """

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder}: the SavedModel does not load ({reason}): export it again")
        self.reason = reason


class Signature:
    """A signature of a SavedModel that a session runs.

    Attributes:
        name: Its name.
        inputs: Its inputs by name.
        outputs: Its outputs by name.
    """

    def __init__(self, name: str, definition: Any, session: Any, in_caller: bool) -> None:
        self.name = name
        self.inputs, self.outputs = _specs(definition.inputs), _specs(definition.outputs)
        options = config_pb2.CallableOptions()
        options.feed.extend(spec.tensor for spec in self.inputs.values())
        options.fetch.extend(spec.tensor for spec in self.outputs.values())
        if in_caller:
            options.run_options.inter_op_thread_pool = _CALLER
        # the public `make_callable` takes more time in Python than the graph of a step
        self._run = session._make_callable_from_options(options)

    def __call__(self, **inputs: ArrayLike) -> Arrays:
        """Runs the graph.

        Args:
            inputs: An array, or nested lists, for each input; strings are `str` or `bytes`.

        Returns:
            The outputs by name; strings are arrays of `bytes` objects.

        Raises:
            InputError: An input is missing or unknown, has another shape or type, or the graph
                refuses it.
        """
        if inputs.keys() != self.inputs.keys():
            raise InputError(
                f"the signature {self.name} has the inputs {', '.join(self.inputs)}, given: "
                f"{', '.join(inputs) or 'none'}"
            )
        arrays = {name: _array(spec, inputs[name]) for name, spec in self.inputs.items()}
        try:
            return self.run(arrays)
        except tf.errors.InvalidArgumentError as error:
            reason = assertions.sentence(error.message) or first_line(error)
            raise InputError(f"the signature {self.name} refuses the input: {reason}") from error

    def run(self, arrays: Mapping[str, np.ndarray]) -> Arrays:
        """Runs the graph on arrays of the right types and shapes.

        Raises:
            tf.errors.OpError: The graph fails.
        """
        found = self._run(*(arrays[name] for name in self.inputs))
        return {
            spec.name: np.asarray(value, spec.dtype)  # a scalar string comes as it is
            for spec, value in zip(self.outputs.values(), found, strict=True)
        }


class Session:
    """A SavedModel, loaded.

        with Session("saved_models/generation/1") as served:
            states = served["start"](streams=[0])
            answer = served["step_ids"](token_ids=[2], **states)

    Attributes:
        signatures: Those that have inputs, by name; `session[name]` is one of them.
        definitions: TensorFlow's `SignatureDef` of each signature.
        graph: The graph that holds them all.
        closed: Whether it has been freed.
    """

    def __init__(self, path: str | os.PathLike[str], *, in_caller: bool = True) -> None:
        """Loads it.

        Args:
            path: The folder of a SavedModel, `saved_models/NAME/1`.
            in_caller: Whether a call runs in the calling thread, which is best for small graphs;
                otherwise TensorFlow's thread pool runs independent parts at the same time.

        Raises:
            DamagedFile: A file is missing, or has another sum than its folder lists.
            Unloadable: TensorFlow cannot load it.
        """
        folder = Path(path)
        checksums.verify_tree(folder)
        self.graph, self.closed = tf.Graph(), False
        with self.graph.as_default():
            self._session = tf.compat.v1.Session(graph=self.graph)
            try:
                loader = loader_impl.SavedModelLoader(str(folder))
                definitions = loader.load(self._session, ["serve"]).signature_def
                self.definitions = {each: definitions[each] for each in sorted(definitions)}
                self.signatures = {
                    name: Signature(name, definition, self._session, in_caller)
                    for name, definition in self.definitions.items()
                    if not name.startswith("__") and definition.inputs
                }
            except Exception as error:  # of TensorFlow, protobuf or Python, depending on the damage
                self.close()
                raise Unloadable(folder, first_line(error, folder)) from error

    def __getitem__(self, name: str) -> Signature:
        """A signature.

        Raises:
            InputError: There is none of that name.
        """
        if name not in self.signatures:
            raise InputError(f"no signature {name!r}: {nearest(name, self.signatures)}")
        return self.signatures[name]

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_error: Any) -> None:
        self.close()

    def close(self) -> None:
        """Frees the memory; a call raises `tf.errors.CancelledError` afterwards."""
        self._session.close()
        self.closed = True


def first_line(error: Exception, path: Path | None = None) -> str:
    """The first line of TensorFlow's error, without the folder's path."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return shortened(line.replace(str(path), "its folder"))[:200]


def _array(spec: Spec, values: ArrayLike) -> np.ndarray:
    """An input as an array of its type."""
    try:
        array = np.asarray(values, spec.dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"the input {spec.name} has the type {spec.type} ({error})") from error
    if not spec.fits(array.shape):
        raise InputError(
            f"the input {spec.name} has the shape {_axes(spec.shape)}, given: {_axes(array.shape)}"
        )
    return array


def _axes(shape: tuple[int | None, ...] | None) -> str:
    sizes = ["any" if size is None else str(size) for size in shape or ()]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _specs(infos: Any) -> dict[str, Spec]:
    return {name: _spec(name, infos[name]) for name in sorted(infos)}


def _spec(name: str, info: Any) -> Spec:
    kind = tf.as_dtype(info.dtype).name
    kind = {"float32": "float", "float64": "double", "float16": "half"}.get(kind, kind)
    if kind not in TYPES:
        raise DamagedFile(f"the tensor {name} has the type {kind}, which NumPy cannot hold")
    axes = tuple(None if axis.size < 0 else axis.size for axis in info.tensor_shape.dim)
    return Spec(name, kind, None if info.tensor_shape.unknown_rank else axes, info.name)
