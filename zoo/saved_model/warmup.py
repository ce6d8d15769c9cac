"""Requests that TensorFlow Serving answers before it takes others: `assets.extra`'s warm-up file.

The first request of each signature optimises its graph, which takes seconds; a server that finds
the file does that while it loads. It is a TFRecord file of `PredictionLog` messages. Their protos
belong to TensorFlow Serving; the four messages that are needed are written here field by field.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

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


def read(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The requests in a SavedModel's folder: the signature, and an array for each of its inputs.

    A folder without the file has none.

    Raises:
        ValueError: The file has another form.
    """
    if not (path / FILE).is_file():
        return []
    found = []
    for record in tf.data.TFRecordDataset(str(path / FILE)).as_numpy_iterator():
        (log,) = _parsed(record)[PREDICT_LOG]
        (request,) = _parsed(log)[REQUEST]
        fields = _parsed(request)
        (spec,) = fields[MODEL_SPEC]
        (signature,) = _parsed(spec)[SIGNATURE_NAME]
        entries = [_parsed(entry) for entry in fields.get(INPUTS, [])]
        found.append(
            (
                signature.decode(),
                {entry[KEY][0].decode(): _array(*entry[VALUE]) for entry in entries},
            )
        )
    return found


def _array(proto: bytes) -> Any:
    return tf.make_ndarray(tensor_pb2.TensorProto.FromString(proto))


def _parsed(message: bytes) -> dict[int, list[bytes]]:
    """The fields of a message that has strings, bytes and messages alone."""
    fields: dict[int, list[bytes]] = {}
    place = 0
    while place < len(message):
        tag, place = _number(message, place)
        if tag & 7 != BYTES:
            raise ValueError(f"wire type {tag & 7} in a warm-up request")
        length, place = _number(message, place)
        fields.setdefault(tag >> 3, []).append(message[place : place + length])
        place += length
    return fields


def _number(message: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits from a place on, and the place after it."""
    number, shift = 0, 0
    while True:
        group = message[place]
        number |= (group & 127) << shift
        place, shift = place + 1, shift + 7
        if group < 128:
            return number, place


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
