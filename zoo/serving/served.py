"""A served version: a SavedModel in a session of its own, which is freed as a whole.

A session runs the graph as TensorFlow's server does. It loads in half the time that
`tf.saved_model.load` takes, and a call costs less.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.saved_model import loader_impl

from zoo.errors import DamagedFile, Failure
from zoo.saved_model import assertions, warmup
from zoo.serving.refusals import Refused, wrong
from zoo.serving.tensors import TYPES, Arrays, Spec
from zoo.system import checksums
from zoo.system.command import shortened

DEFAULT = "serving_default"


class Unusable(Failure):
    """A version that cannot be served, in one sentence."""


class Function:
    """A signature: tensors in, tensors out.

    Attributes:
        name: Its name.
        inputs: Its inputs by name.
        outputs: Its outputs by name.
    """

    def __init__(self, name: str, definition: Any, session: Any) -> None:
        self.name = name
        self.inputs, self.outputs = _specs(definition.inputs), _specs(definition.outputs)
        options = config_pb2.CallableOptions()
        options.feed.extend(spec.tensor for spec in self.inputs.values())
        options.fetch.extend(spec.tensor for spec in self.outputs.values())
        self._call = session._make_callable_from_options(options)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> Arrays:
        """Runs the graph; strings are arrays of bytes objects.

        Raises:
            Refused: The graph refuses the values.
        """
        try:
            found = self._call(*(inputs[name] for name in self.inputs))
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
            raise wrong(assertions.sentence(error.message) or _reason(error)) from error
        except tf.errors.ResourceExhaustedError as error:
            raise Refused(429, "too little memory for this request: send less at once") from error
        return {
            spec.name: np.asarray(value, spec.dtype)  # a scalar string comes as it is
            for spec, value in zip(self.outputs.values(), found, strict=True)
        }


class Version:
    """A loaded version of a model.

    Attributes:
        name: The model's name.
        number: The version.
        path: Its folder.
        functions: Its signatures by name.
        definitions: What `metadata` answers, as JSON.
        lanes: The queue of each signature, which `batching` keeps here.
    """

    def __init__(self, name: str, number: int, path: Path) -> None:
        """Loads it.

        Raises:
            DamagedFile: A file is missing or damaged.
            Unusable: TensorFlow cannot load it, or it has no signature.
        """
        self.name, self.number, self.path = name, number, path
        self.lanes: dict[str, Any] = {}
        self._users, self._retired, self._lock = 0, False, threading.Lock()
        checksums.verify_tree(path)
        graph = tf.Graph()
        with graph.as_default():
            self.session = tf.compat.v1.Session(graph=graph)
            try:
                loader = loader_impl.SavedModelLoader(str(path))
                definition = loader.load(self.session, ["serve"]).signature_def
                self.functions = {
                    each: Function(each, definition[each], self.session)
                    for each in sorted(definition)
                    if not each.startswith("__") and definition[each].inputs
                }
            except Exception as error:  # of TensorFlow, protobuf or Python, depending on the damage
                self.session.close()
                raise Unusable(
                    f"it does not load ({_reason(error, path)}): export it again"
                ) from error
        if not self.functions:
            self.session.close()
            raise Unusable("it has no signature with inputs: export it again")
        self.definitions = {
            each: json.loads(
                json_format.MessageToJson(
                    definition[each],
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                )
            )
            for each in sorted(definition)
        }

    def __str__(self) -> str:
        return f"{self.name} version {self.number}"

    def warm_up(self) -> int:
        """Answers the requests that the export stored for this; returns their number.

        Raises:
            Unusable: One of them fails.
        """
        requests = warmup.read(self.path)
        for signature, inputs in requests:
            try:
                self.functions[signature](inputs)
            except (Refused, tf.errors.OpError, KeyError, ValueError) as error:
                raise Unusable(
                    f"its warm-up request of the signature {signature} fails "
                    f"({_reason(error, self.path)}): export it again"
                ) from error
        return len(requests)

    def __enter__(self) -> "Version":
        """Keeps it loaded while a request uses it."""
        with self._lock:
            self._users += 1
        return self

    def __exit__(self, *_error: Any) -> None:
        with self._lock:
            self._users -= 1
            last = self._retired and not self._users
        if last:
            self.session.close()

    def retire(self) -> None:
        """Frees it after its last request."""
        with self._lock:
            self._retired = True
            last = not self._users
        if last:
            self.session.close()


def _specs(infos: Any) -> dict[str, Spec]:
    return {name: _spec(name, infos[name]) for name in sorted(infos)}


def _spec(name: str, info: Any) -> Spec:
    kind = tf.as_dtype(info.dtype).name
    kind = {"float32": "float", "float64": "double", "float16": "half"}.get(kind, kind)
    if kind not in TYPES:
        raise DamagedFile(f"the tensor {name} has the type {kind}, which JSON cannot hold")
    axes = tuple(None if axis.size < 0 else axis.size for axis in info.tensor_shape.dim)
    return Spec(name, kind, None if info.tensor_shape.unknown_rank else axes, info.name)


def _reason(error: Exception, path: Path | None = None) -> str:
    """The first line of a foreign error, without the version's path."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return shortened(first.replace(str(path), "its folder"))[:200]
