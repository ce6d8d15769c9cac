"""Whatever a client sends, the answer is a 4xx with one sentence, and afterwards it answers."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(["instances", "inputs", "signature_name", "text", "b64", "parameters"])
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.one_of(
    JSON,
    st.fixed_dictionaries({"instances": JSON}, optional={"signature_name": JSON, "inputs": JSON}),
    st.fixed_dictionaries({"inputs": JSON | st.lists(JSON)}, optional={"signature_name": JSON}),
    st.fixed_dictionaries({"text_input": JSON}, optional={"parameters": JSON, "max_tokens": JSON}),
)
BODIES = st.one_of(
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(lambda document: json.dumps(document).encode()[:-1]),
    st.binary(max_size=60),
    st.text(max_size=40).map(
        lambda text: f'{{"instances": ["{text}"]}}'.encode("utf-8", "replace")
    ),
)
MODELS = st.sampled_from(["words", "echo", "series", "writer", "halves", "foo", "%00", "a%2Fb"])
PATHS = st.one_of(
    st.builds("/v1/models/{}{}:predict".format, MODELS, st.sampled_from(["", "/versions/1"])),
    st.builds(
        "/v2/models/{}/{}".format,
        MODELS,
        st.sampled_from(["infer", "generate", "generate_stream", "versions/1/infer"]),
    ),
)
GOOD = b'{"instances": ["a b"]}'


def check(client, path, body):
    answer = client.post(path, content=body)
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, (path, body, answer.text)
    if answer.status_code != 200:
        sentence = answer.json()["error"]
        assert sentence and "\n" not in sentence and "Traceback" not in sentence


def fuzz(client, examples):
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(PATHS, BODIES)
    def one(path, body):
        check(client, path, body)

    one()
    assert client.post("/v1/models/words:predict", content=GOOD).json()["predictions"] == [
        {"count": 2, "lengths": [1, 1], "tokens": ["a", "b"]}
    ]


def test_bad_requests_are_4xx(client):
    fuzz(client, 150)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_bad_requests_are_4xx(client):
    fuzz(client, 10_000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_requests_made_from_the_description_have_the_answers_that_it_has(client):
    schemathesis = pytest.importorskip("schemathesis")
    description = client.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(description)
    seen = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=100,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), model=st.sampled_from([None, "words", "writer"]))
        def one(case, model):
            if model and "model" in case.path_parameters:
                case.path_parameters["model"] = model
            arguments = case.as_transport_kwargs(base_url="http://testserver")
            answer = client.request(
                arguments.pop("method"),
                arguments.pop("url"),
                **{k: v for k, v in arguments.items() if k in ("json", "headers", "params")},
            )
            responses = description["paths"][case.operation.path][case.method.lower()]["responses"]
            assert str(answer.status_code) in responses, (case, answer.text)
            seen.add(answer.status_code)

        one()
    assert {200, 400, 404} <= seen
