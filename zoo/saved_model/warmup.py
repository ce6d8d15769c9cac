"""Requests that TensorFlow Serving answers before it takes others: `assets.extra`'s warm-up file.

The first request of each signature optimises its graph, which takes seconds; a server that finds
the file does that while it loads. It is a TFRecord file of `PredictionLog` messages. Their protos
belong to TensorFlow Serving; the four messages that are needed are written here field by field.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
BYTES = 2  # the wire type of strings, bytes and messages
# field numbers of tensorflow_serving/apis/*.proto
PREDICT_LOG, REQUEST = 6, 1  # of PredictionLog; of PredictLog
MODEL_SPEC, INPUTS = 1, 2  # of PredictRequest
NAME, SIGNATURE_NAME = 1, 3  # of ModelSpec
KEY, VALUE = 1, 2  # of an entry of a map


def write(path: Path, model: str, probes: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes a request for each signature into the folder of a SavedModel.

    Args:
        path: The folder.
        model: The name of the served model.
        probes: The inputs of each signature: a tensor for each of its inputs.
    """
    (path / FILE).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path / FILE)) as file:
        for signature, inputs in probes.items():
            file.write(prediction_log(model, signature, inputs))


def prediction_log(model: str, signature: str, inputs: Mapping[str, Any]) -> bytes:
    """A serialized `PredictionLog` with one request of a signature."""
    spec = _field(NAME, model.encode()) + _field(SIGNATURE_NAME, signature.encode())
    request = _field(MODEL_SPEC, spec)
    for name, values in inputs.items():
        proto = tf.make_tensor_proto(tf.convert_to_tensor(values).numpy())
        entry = _field(KEY, name.encode()) + _field(VALUE, proto.SerializeToString())
        request += _field(INPUTS, entry)
    return _field(PREDICT_LOG, _field(REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """A field of a message: its tag, its length and its content."""
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first."""
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])
