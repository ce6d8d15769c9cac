"""A served version: a SavedModel in a session of its own, which is freed after its last request."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

from zoo.errors import Failure
from zoo.saved_model import assertions, warmup
from zoo.saved_model.session import Arrays, Session, Signature, Unloadable, first_line
from zoo.serving.refusals import Refused, wrong

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

    def __init__(self, signature: Signature) -> None:
        self.name, self.inputs, self.outputs = signature.name, signature.inputs, signature.outputs
        self._run = signature.run

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> Arrays:
        """Runs the graph; strings are arrays of bytes objects.

        Raises:
            Refused: The graph refuses the values.
        """
        try:
            return self._run(inputs)
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
            raise wrong(assertions.sentence(error.message) or first_line(error)) from error
        except tf.errors.ResourceExhaustedError as error:
            raise Refused(429, "too little memory for this request: send less at once") from error


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
        try:
            # the server calls from many threads: the parts of a graph share TensorFlow's pool
            self.session = Session(path, in_caller=False)
        except Unloadable as error:
            raise Unusable(f"it does not load ({error.reason}): export it again") from error
        self.functions = {
            each: Function(signature) for each, signature in self.session.signatures.items()
        }
        if not self.functions:
            self.session.close()
            raise Unusable("it has no signature with inputs: export it again")
        self.definitions = {
            each: json.loads(
                json_format.MessageToJson(
                    definition,
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                )
            )
            for each, definition in self.session.definitions.items()
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
                    f"({first_line(error, self.path)}): export it again"
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
