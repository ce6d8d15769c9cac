"""Requests of several clients that are joined have the answers that each has alone."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.zoo.serving.conftest import serving
from zoo.serving.joining import Form
from zoo.serving.tensors import rows_of


def words_of(count):
    return [" ".join(f"w{n}" for n in range(count))]


def asked(client, bodies, model="words"):
    """The answers to requests that are sent at the same time."""
    start = threading.Barrier(len(bodies))

    def one(body):
        start.wait()
        return client.post(f"/v1/models/{model}:predict", content=json.dumps(body).encode())

    with ThreadPoolExecutor(len(bodies)) as pool:
        return [(answer.status_code, answer.json()) for answer in pool.map(one, bodies)]


@pytest.fixture(scope="module")
def joining(folder):
    """A server that waits long for requests to join, and how many it has joined."""
    with serving(folder, batch_wait=0.5, batch_rows=16) as client:
        for name in ("words", "series"):
            version = client.repository.find(name)
            client.get(f"/v2/models/{name}")
            for function in version.functions.values():
                function.calls = []
                call = function._run
                function._run = counted(function, call)
        yield client


def counted(function, call):
    def called(inputs):
        function.calls.append(rows_of(inputs))
        return call(inputs)

    return called


def expect(client, model, signature, requests):
    """Has the next batch of a signature wait for this many requests."""
    version = client.repository.find(model)
    function = version.functions[signature]
    lane = version.lanes.get(signature)
    assert lane, "ask once before"
    lane.expected = requests
    function.calls.clear()
    return function


def test_texts_of_unlike_length_are_joined_and_answered_as_alone(joining):
    bodies = [{"inputs": words_of(n)} for n in (1, 7, 3)]
    bodies += [{"inputs": ["", "a b"]}, {"instances": [{"text": ""}]}]
    alone = [asked(joining, [body])[0] for body in bodies]
    assert alone[1][1]["outputs"]["tokens"] == [[f"w{n}" for n in range(7)]]
    assert alone[4][1]["predictions"] == [{"tokens": [""], "lengths": [0], "count": 0}]
    function = expect(joining, "words", "serving_default", len(bodies))
    assert asked(joining, bodies) == alone
    assert function.calls == [6], "one batch of all rows"


def test_one_clients_fault_is_no_others(joining):
    good = asked(joining, [{"inputs": words_of(2)}])[0]
    expect(joining, "words", "serving_default", 3)
    bodies = [{"inputs": words_of(2)}, {"inputs": ["so bad"]}, {"inputs": words_of(2)}]
    first, second, third = asked(joining, [{"inputs": ["so bad"]}, *bodies][1:])
    assert first == third == good
    assert second == (400, {"error": "no text may have the word bad"})


def test_unlike_costs_are_not_joined_and_a_batch_has_a_largest_size(joining):
    def body(rows, tokens):
        columns = {"text": ["x"] * rows, "max_tokens": [tokens] * rows}
        return {"signature_name": "repeat", "inputs": columns}

    asked(joining, [body(1, 1)])
    function = expect(joining, "words", "repeat", 4)
    answers = asked(joining, [body(2, 5), body(2, 5), body(2, 9), body(13, 5)])
    assert [len(answer["outputs"]) for _, answer in answers] == [2, 2, 2, 13]
    assert {value for _, answer in answers for value in answer["outputs"]} == {"x5", "x9"}
    assert sum(function.calls) == 19 and 2 in function.calls and max(function.calls) <= 16


def test_series_are_padded_only_where_their_lengths_are_an_input(joining):
    draw = np.random.default_rng(0)
    lengths = [3, 5, 2]
    bodies = [
        {"inputs": {"values": draw.normal(size=(1, n, 2)).tolist(), "lengths": [9 * n]}}
        for n in lengths
    ]
    alone = [asked(joining, [body], "series")[0] for body in bodies]
    for body, (_, answer) in zip(bodies, alone, strict=True):
        values = np.array(body["inputs"]["values"][0])
        weights = 1.0 + np.arange(len(values))
        np.testing.assert_allclose(answer["outputs"][0], weights @ values, rtol=1e-4)
    function = expect(joining, "series", "serving_default", 3)
    for (_, one), (_, other) in zip(alone, asked(joining, bodies, "series"), strict=True):
        np.testing.assert_allclose(one["outputs"], other["outputs"], rtol=1e-5)
    assert function.calls == [3]
    plain = [{"signature_name": "plain", "inputs": body["inputs"]["values"]} for body in bodies]
    asked(joining, plain[:1], "series")
    function = expect(joining, "series", "plain", 3)
    asked(joining, plain, "series")
    assert function.calls == [1, 1, 1]


def test_what_forms_can_be_joined(folder):
    with serving(folder) as client:
        version = client.repository.find("words")
        assert Form.of(version.functions["serving_default"]) == Form(
            True, False, ("lengths", "tokens")
        )
        assert not Form.of(client.repository.find("echo").functions["string"]).joins
        assert Form.of(client.repository.find("series").functions["serving_default"]).padded


def test_widths_that_cannot_be_told_are_asked_again(folder):
    """Two outputs of strings are as wide, and one request would have them unlike."""
    form = Form(True, False, ("a", "b", "number"))
    texts = {"a": [[b"x", b"y"], [b"x", b""]], "b": [[b"x", b"y"], [b"x", b"y"]]}
    outputs = {name: np.array(rows, object) for name, rows in texts.items()}
    outputs["number"] = np.ones((2, 2))
    first, second = form.split(outputs, [1, 1])
    assert first["number"].shape == (1, 2)
    assert second is None


def test_a_full_queue_is_429_and_a_late_answer_504(folder):
    with serving(folder, queue=1, timeout=0.2, batch_wait=0.0) as client:
        version = client.repository.find("words")
        function = version.functions["serving_default"]
        go, call = threading.Event(), function._run
        function._run = lambda inputs: (go.wait(5), call(inputs))[1]
        body = json.dumps({"inputs": words_of(1)}).encode()
        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda _: client.post("/v1/models/words:predict", content=body), range(4))
            )
        codes = sorted(answer.status_code for answer in answers)
        assert set(codes) == {429, 504} and 429 in codes, codes
        late = next(answer for answer in answers if answer.status_code == 504)
        assert "no answer within 0.2 seconds" in late.json()["error"]
        go.set()
        function._run = call
        assert client.post("/v1/models/words:predict", content=body).status_code == 200
