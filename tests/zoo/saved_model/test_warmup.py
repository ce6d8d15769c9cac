"""The warm-up file, read by TensorFlow Serving's own protos."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.saved_model import warmup

PROBES = {
    "serving_default": {"text": tf.constant([b"", b"a\0b", "naïve".encode() * 300])},
    "step": {
        "token_ids": np.array([1, -2, 2**31 - 1], "int32"),
        "state": tf.constant([[0.5, -1e30], [np.nan, np.inf], [1e-40, 3.0]]),
    },
    "nothing": {"flags": np.zeros([0, 4], bool)},
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    from tensorflow_serving.apis import prediction_log_pb2

    path = tmp_path_factory.mktemp("model")
    warmup.write(path, "the_model", PROBES)
    records = tf.data.TFRecordDataset(str(path / "assets.extra" / "tf_serving_warmup_requests"))
    return [prediction_log_pb2.PredictionLog.FromString(each.numpy()) for each in records]


def test_there_is_a_request_for_each_signature(logs):
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log"] * 3
    specs = [log.predict_log.request.model_spec for log in logs]
    assert [spec.signature_name for spec in specs] == list(PROBES)
    assert {spec.name for spec in specs} == {"the_model"}


def test_the_requests_have_the_inputs_and_nothing_else(logs):
    for log, inputs in zip(logs, PROBES.values(), strict=True):
        request = log.predict_log.request
        assert {field.name for field, _ in request.ListFields()} == {"model_spec", "inputs"}
        assert set(request.inputs) == set(inputs)
        for name, values in inputs.items():
            found, expected = tf.make_ndarray(request.inputs[name]), np.asarray(values)
            assert found.dtype == expected.dtype and found.shape == expected.shape
            np.testing.assert_array_equal(found, expected)
