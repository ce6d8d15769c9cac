"""TensorFlow Serving's REST contract: requests and answers as its own unit tests have them.

The facts are those of tensorflow_serving/util/json_tensor_test.cc and of
tensorflow_serving/model_servers/http_rest_api_handler_test.cc; a comment names the tests. What
those call an unknown shape is here an input of any rank.
"""

import json

import numpy as np
import pytest

MAX_DOUBLE, MAX_UINT64 = 1.7976931348623157e308, 2**64 - 1


def predict(client, body, model="halves", which=""):
    text = body if isinstance(body, str) else json.dumps(body)
    answer = client.post(f"/v1/models/{model}{which}:predict", content=text.encode())
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, json.loads(answer.content)


def echoed(client, kind, values, form="instances"):
    status, answer = predict(client, {"signature_name": kind, form: values}, "echo")
    assert status == 200, answer
    return answer["predictions" if form == "instances" else "outputs"]


# UnsupportedApiCalls
@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("GET", "/v1/foo", "Malformed request: GET /v1/foo"),
        ("POST", "/v1/foo", "Malformed request: POST /v1/foo"),
        ("GET", "/v1/models", "Missing model name"),
        ("GET", "/v1/models/debug/model_name", "Malformed request"),
        ("POST", "/v1/models", "Malformed request: POST /v1/models"),
        ("GET", "/v1/models/foo:predict", "Malformed request"),
        ("GET", "/v1/models/foo/version/50:predict", "Malformed request"),
        ("POST", "/v1/models/foo/version/50:regress", "Malformed request"),
        ("POST", "/v1/models/foo/versions/HELLO:regress", "Malformed request"),
        ("POST", f"/v1/models/foo/versions/{MAX_UINT64}:regress", "Failed to convert version"),
        ("POST", "/v1/models/foo/metadata", "Malformed request"),
        ("POST", "/v1/models/foo/label/some_label:regress", "Malformed request"),
        ("POST", "/v1/models/foo/versions/50/labels/some_label:regress", "Malformed request"),
        ("POST", "/v1/models/foo/versions/some_label:regress", "Malformed request"),
        ("PUT", "/v1/models/halves", "Malformed request: PUT"),
    ],
)
def test_a_path_that_no_request_has_is_malformed(client, method, path, sentence):
    answer = client.request(method, path)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


# PredictModelNameVersionErrors
@pytest.mark.parametrize(
    ("which", "name"),
    [
        ("foo", "Latest(foo)"),
        ("foo/versions/50", "Specific(foo, 50)"),
        ("halves99", "Latest(halves99)"),
        ("halves/versions/99", "Specific(halves, 99)"),
    ],
)
def test_an_unknown_model_or_version_is_not_found(client, which, name):
    status, answer = predict(client, {"instances": [1]}, which)
    assert status == 404
    assert answer == {"error": f"Servable not found for request: {name}"}


# PredictRequestErrors, SingleUnnamedTensorErrors
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "JSON Parse error: The document is empty"),
        ("instances = [1, 2]", "JSON Parse error: Invalid value"),
        ('{ "instances": ["x", "y"] }', "not of expected type: float"),
        ('{ "signature_name": 100 }', "'signature_name' key must be a string value."),
        ('{ "signature_name": 5, "instances": [[1, 2], [3, 4]] }', "must be a string value"),
        ('{ "instances": [[1, 2]], "inputs": [[1, 2]] }', "Not formatted correctly"),
        ('{ "instances": [[1, 2], [3, 4], [5, 6, 7]] }', "Expecting tensor size"),
        ('{ "instances": [[1, 2], [3, 4], [[5, 6]]] }', "Expecting shape"),
        ('{ "instances": [1, [1]] }', "Expecting shape"),
        ('{ "instances": [[1, 2], ["a", "b"]] }', "not of expected type"),
        (f'{{ "instances": [{MAX_DOUBLE!r}] }}', "loss of precision"),
        ('{ "instances": [16777217] }', "loss of precision"),
        ('{ "instances": [] }', "No values in 'instances' array"),
        ('{ "instances": {} }', "'instances' to be an list/array"),
        ("{}", "Missing 'inputs' or 'instances' key"),
        ("[1, 2]", "Is not object"),
        ('{ "instances": [true] }', "Type: True is not of expected type: float"),
        ('{ "instances": [null] }', "Type: Null is not of expected type: float"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(client, body, sentence):
    status, answer = predict(client, body)
    assert status == 400
    assert sentence in answer["error"]


def test_a_label_or_a_signature_that_is_not_there_is_refused(client):
    status, answer = predict(client, {"instances": [1]}, which="/labels/canary")
    assert status == 400
    assert "Unrecognized servable version label" in answer["error"]
    status, answer = predict(client, {"signature_name": "other", "instances": [1]})
    assert status == 400
    assert answer["error"] == 'Serving signature name: "other" not found in signature def'


def test_whole_numbers_that_a_double_cannot_hold_are_refused(client):
    body = {"signature_name": "float64", "instances": [9007199254740993]}
    status, answer = predict(client, body, "echo")
    assert status == 400
    assert "loss of precision" in answer["error"]


# Predict
@pytest.mark.parametrize(
    ("which", "body", "expected"),
    [
        ("", {"instances": [[1.0, 2.0], [3.0, 4.0]]}, {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
        ("/versions/123", {"instances": [1.0, 2.0]}, {"predictions": [2.5, 3.0]}),
        ("/labels/stable", {"instances": [1.0, 2.0]}, {"predictions": [2.5, 3.0]}),
        (
            "/versions/123",
            {"signature_name": "serving_default", "instances": [3.0, 4.0]},
            {"predictions": [3.5, 4.0]},
        ),
        (
            "/versions/123",
            {"signature_name": "serving_default", "inputs": [3.0, 4.0]},
            {"outputs": [3.5, 4.0]},
        ),
        ("", {"inputs": {"x": [3.0, 4.0]}}, {"outputs": [3.5, 4.0]}),
        ("", {"instances": [{"x": 3.0}, {"x": 4.0}]}, {"predictions": [3.5, 4.0]}),
    ],
)
def test_the_example_model_answers(client, which, body, expected):
    assert predict(client, body, which=which) == (200, expected)


def test_paths_ignore_case_and_names_may_be_escaped(client):
    answer = client.post("/V1/Models/%68alves:Predict", content=b'{"instances": [1.0]}')
    assert answer.json() == {"predictions": [2.5]}


# SingleUnnamedTensor, MixedInputForFloatTensor, ...DoubleTensor, SingleUnnamedTensorBase64*
def test_single_inputs_of_each_type_are_read_as_they_are(client):
    whole = [[1, 2], [3, 4], [5, 6]]
    assert echoed(client, "int32", whole) == whole
    assert echoed(client, "int32", [whole], "inputs") == [whole]
    mixed = [1, 2.0, 3, 4, 5.003, 0.007, 0.0]
    assert echoed(client, "float32", mixed) == mixed
    assert echoed(client, "float64", [1.0, 2, 3, 4, 0.662, 0, 0.0]) == [1, 2, 3, 4, 0.662, 0, 0]
    hello, world = {"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}
    assert echoed(client, "string", [hello, world]) == ["hello", "world"]
    assert echoed(client, "string", [[hello], [world]]) == [["hello"], ["world"]]
    named = [{"given": [[hello], [world]]}]
    assert echoed(client, "string", named) == [[["hello"], ["world"]]]
    assert echoed(client, "string", hello, "inputs") == "hello"


# MultipleNamedTensor
def test_named_inputs_with_bare_nan_and_infinity(client):
    body = """
    {"instances": [
      {"int_tensor": [[1, 2], [3, 4], [5, 6]], "str_tensor": ["foo", "bar"],
       "float_tensor": [1.0, NaN], "dbl_tensor": [NaN]},
      {"int_tensor": [[7, 8], [9, 0], [1, 2]], "str_tensor": ["baz", "bat"],
       "float_tensor": [2.0, Infinity], "dbl_tensor": [-Infinity]}
    ]}"""
    status, answer = predict(client, body, "echo")
    assert status == 200
    first, second = answer["predictions"]
    assert first["int_tensor"] == [[1, 2], [3, 4], [5, 6]]
    assert second["str_tensor"] == ["baz", "bat"]
    assert np.isnan(first["float_tensor"][1]) and np.isnan(first["dbl_tensor"][0])
    assert second["float_tensor"] == [2.0, float("inf")]
    assert second["dbl_tensor"] == [-float("inf")]
    raw = client.post("/v1/models/echo:predict", content=body.encode()).text
    assert "NaN" in raw and "-Infinity" in raw


# MultipleNamedTensorColumnarFormat
def test_the_column_format_takes_an_object_of_all_inputs(client):
    body = {
        "inputs": {
            "int_tensor": [[[1, 2], [3, 4], [5, 6]]],
            "str_tensor": ["foo"],
            "float_tensor": [1.5],
            "dbl_tensor": [[0.25, 8.0]],
        }
    }
    status, answer = predict(client, body, "echo")
    assert status == 200
    assert answer["outputs"] == {**body["inputs"], "str_tensor_bytes": [{"b64": "Zm9v"}]}
    del body["inputs"]["float_tensor"]
    assert predict(client, body, "echo") == (
        400,
        {"error": "Missing named input: float_tensor in 'inputs' object."},
    )


def row(**changes):
    given = {"int_tensor": [[1, 2], [3, 4]], "str_tensor": ["foo"], "float_tensor": 1.0}
    return {**given, "dbl_tensor": 2.0, **changes}


# MultipleNamedTensorErrors
@pytest.mark.parametrize(
    ("instances", "sentence"),
    [
        ([row(), row(int_tensor=[[[1, 2], [3, 4]]])], "Expecting shape [2,2] but got: [1,2,2]"),
        ([row(), row(int_tensor=[[1, 2]])], "Expecting tensor size: 4 but got: 2"),
        ([row(), [1, 20, 30], row()], "Expecting object but got list at item 1"),
        ([1, 2], "expecting list of objects as multiple input tensors required"),
        ([row(), row(more=1)], "element: 1 key: more of 'instances' list"),
        ([row(), {"int_tensor": 1}], "keys must be equal to: dbl_tensor,float_tensor,int_tensor"),
        ([row(str_tensor=[{"b64": "!"}])], "Unable to base64 decode"),
        ([row(str_tensor=[{"b65": "aGVsbG8="}])], "not formatted correctly for base64 data"),
        ([row(int_tensor=[[1, 2], 3])], "found at incorrect level"),
        ([row(int_tensor=[[1, 2], [3]])], "Encountered list at unexpected size: 1 at level: 1"),
        ([row(int_tensor=2**31)], "Type: Number is not of expected type: int32"),
        ([row(int_tensor=1.0)], "Type: Number is not of expected type: int32"),
        ([row(str_tensor={"a": 1})], "not formatted correctly for base64 data"),
        ([row(float_tensor={"a": 1})], "Type: Object is not of expected type: float"),
    ],
)
def test_rows_that_do_not_fit_are_refused(client, instances, sentence):
    status, answer = predict(client, {"instances": instances}, "echo")
    assert status == 400
    assert sentence in answer["error"]


def test_a_list_may_not_have_objects_of_named_inputs_between(client):
    body = {"signature_name": "string", "instances": [["baz", "bar"], {"str_tensor": ["baz"]}]}
    status, answer = predict(client, body, "echo")
    assert status == 400
    assert "Expecting value/list but got object" in answer["error"]


# FromJsonSingleBytesTensor, FromJsonSingleFloatTensorSixDigitPrecision, ...NonFinite, ZeroBatch
def test_answers_are_written_as_the_contract_says(client):
    strings = [["hello", "world"], ["tf", "serving"]]
    assert echoed(client, "bytes", strings) == [
        [{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}],
        [{"b64": "dGY="}, {"b64": "c2VydmluZw=="}],
    ]
    digits = [[9000000, 999999, 0.5], [0.0003, 0.00003, 555557.5]]
    body = json.dumps({"signature_name": "float32", "instances": digits})
    assert json.loads(client.post("/v1/models/echo:predict", content=body).text) == {
        "predictions": digits
    }, "no digit more than a float32 needs"
    raw = '{"signature_name": "float32", "instances": [[NaN, Infinity], [0.2, -Infinity]]}'
    answer = client.post("/v1/models/echo:predict", content=raw).text
    assert answer.replace(" ", "") == '{"predictions":[[NaN,Infinity],[0.2,-Infinity]]}'
    assert echoed(client, "int32", [], "inputs") == []


# GetStatus
@pytest.mark.parametrize("which", ["", "/versions/123", "/labels/stable"])
def test_the_status_of_a_model(client, which):
    answer = client.get(f"/v1/models/halves{which}")
    assert answer.json() == {
        "model_version_status": [
            {
                "version": "123",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def test_the_status_of_what_is_not_there(client):
    answer = client.get("/v1/models/halves/versions/9")
    assert answer.status_code == 404
    assert answer.json() == {"error": "Could not find version 9 of model halves"}
    answer = client.get("/v1/models/foo")
    assert answer.status_code == 404
    assert answer.json() == {"error": "Could not find any versions of model foo"}


# GetModelMetadata
def test_the_metadata_of_a_model(client):
    found = client.get("/v1/models/echo/metadata").json()
    assert found["model_spec"] == {"name": "echo", "signature_name": "", "version": "1"}
    signature = found["metadata"]["signature_def"]["signature_def"]["string"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["given"]["dtype"] == "DT_STRING"
    assert signature["inputs"]["given"]["tensor_shape"] == {"dim": [], "unknown_rank": True}


def test_classify_and_regress_are_said_not_to_be_offered(client):
    for verb in ("classify", "regress"):
        answer = client.post(f"/v1/models/halves:{verb}", content=b"{}")
        assert answer.status_code == 501
        assert answer.json() == {"error": f"{verb} is not offered: use predict"}
