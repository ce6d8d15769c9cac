"""Open Inference Protocol V2: health, metadata, infer."""

import json

import pytest

TEXT = {"name": "text", "datatype": "BYTES", "shape": [2], "data": ["a b", "c"]}


def infer(client, document, model="words", which=""):
    path = f"/v2/models/{model}{which}/infer"
    answer = client.post(path, content=json.dumps(document).encode())
    return answer.status_code, answer.json()


def test_health_and_metadata(client):
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2").json()["extensions"] == ["generate"]
    assert client.get("/v2/models/words/ready").json() == {"name": "words", "ready": True}
    assert client.get("/v2/models/words/versions/1").json() == {
        "name": "words",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "count", "datatype": "INT32", "shape": [-1]},
            {"name": "lengths", "datatype": "INT32", "shape": [-1, -1]},
            {"name": "tokens", "datatype": "BYTES", "shape": [-1, -1]},
        ],
    }
    for path in ("/v2/models/foo", "/v2/models/words/versions/2", "/v2/models/foo/ready"):
        assert client.get(path).status_code == 404
    assert client.get("/v2/models/words/versions/x").status_code == 400


def test_tensors_are_flat_and_have_their_shape(client):
    status, answer = infer(client, {"id": "42", "inputs": [TEXT]}, which="/versions/1")
    assert status == 200
    assert answer == {
        "model_name": "words",
        "model_version": "1",
        "id": "42",
        "outputs": [
            {"name": "count", "shape": [2], "datatype": "INT32", "data": [2, 1]},
            {"name": "lengths", "shape": [2, 2], "datatype": "INT32", "data": [1, 1, 1, 0]},
            {"name": "tokens", "shape": [2, 2], "datatype": "BYTES", "data": ["a", "b", "c", ""]},
        ],
    }


def test_a_signature_and_outputs_can_be_named_and_data_may_be_nested(client):
    values = {"name": "values", "datatype": "FP32", "shape": [1, 2, 2], "data": [[[1, 2], [3, 4]]]}
    lengths = {"name": "lengths", "datatype": "INT32", "shape": [1], "data": [2]}
    document = {"inputs": [lengths, values], "outputs": [{"name": "total"}]}
    status, answer = infer(client, document, "series")
    assert status == 200
    assert answer["outputs"][0]["data"] == [1 + 2 * 3, 2 + 2 * 4]
    document = {"inputs": [values], "parameters": {"signature_name": "plain"}}
    assert infer(client, document, "series")[1]["outputs"][0]["data"] == [2.0, 3.0]


def test_numbers_that_json_lacks_are_null(client):
    given = {"name": "given", "datatype": "FP32", "shape": [2], "data": [1.5, float("nan")]}
    document = {"parameters": {"signature_name": "float32"}, "inputs": [given]}
    body = json.dumps(document)
    answer = client.post("/v2/models/echo/infer", content=body.encode())
    assert answer.json()["outputs"][0]["data"] == [1.5, None]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "Is not object"),
        ({}, "inputs must be a list of objects"),
        ({"inputs": [{}]}, "the signature serving_default has no input null"),
        ({"inputs": [{**TEXT, "name": "txt"}]}, "did you mean 'text'?"),
        ({"inputs": [TEXT, TEXT]}, "the input 'text' is given twice"),
        ({"inputs": []}, "the signature serving_default also needs text"),
        ({"inputs": [{**TEXT, "datatype": "FP32"}]}, 'has the datatype BYTES, got "FP32"'),
        ({"inputs": [{**TEXT, "shape": [3]}]}, "has 2 values, but its shape [3] has 3"),
        (
            {"inputs": [{**TEXT, "shape": [2, 1]}]},
            "has shape [2,1], but the signature expects [-1]",
        ),
        ({"inputs": [{**TEXT, "shape": [-1]}]}, "must be a list of sizes"),
        ({"inputs": [{**TEXT, "data": "ab"}]}, "binary data is not offered"),
        ({"inputs": [{**TEXT, "data": [1, 2]}]}, "input 'text': JSON Value: 1 Type: Number"),
        ({"inputs": [TEXT], "outputs": [{"name": "tags"}]}, 'has no output "tags"'),
        ({"inputs": [TEXT], "parameters": {"signature_name": "a"}}, 'has no signature "a"'),
        ({"inputs": [TEXT], "parameters": 5}, "parameters must be an object"),
    ],
)
def test_a_wrong_request_is_refused(client, document, sentence):
    status, answer = infer(client, document)
    assert status == 400
    assert sentence in answer["error"]
