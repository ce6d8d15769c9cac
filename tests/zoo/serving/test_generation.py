"""Text at once and as a stream of server-sent events, as Triton's generate extension has it."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.zoo.pipelines import test_serving_rules as pipelines
from tests.zoo.serving import models
from tests.zoo.serving.conftest import serving
from zoo.serving.access_log import AccessLog
from zoo.serving.app import App
from zoo.serving.refusals import wrong
from zoo.serving.repository import Repository
from zoo.serving.settings import Settings
from zoo.serving.tensors import rows_of

PATH = "/v2/models/writer/generate"


def whole(client, **document):
    return client.post(PATH, content=json.dumps(document).encode())


def events(client, **document):
    """The events' objects, after a look at how they are sent."""
    answer = client.post(f"{PATH}_stream", content=json.dumps(document).encode())
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    lines = answer.text.split("\n\n")
    assert lines.pop() == "" and all(line.startswith("data: ") for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.mark.parametrize(
    ("seed", "most", "expected", "reason"),
    [
        (0, 20, "a bé👍 ba", "stop"),
        (0, 3, "a b\ufffd", "length"),
        (4, 4, "👍 ba", "length"),
        (8, 5, "", "stop"),
        (1, 0, "", "length"),
    ],
)
def test_the_pieces_of_a_stream_are_the_text_that_comes_at_once(
    client, seed, most, expected, reason
):
    prompt = "é" * 9  # 18 bytes: the sequence begins at the seed
    document = {"text_input": prompt, "parameters": {"max_tokens": most, "seed": seed}}
    at_once, pieces = whole(client, **document).json(), events(client, **document)
    assert at_once["text_output"] == expected
    assert "".join(piece["text_output"] for piece in pieces) == expected
    assert [piece.get("finish_reason") for piece in pieces][-1] == reason
    assert not any("finish_reason" in piece for piece in pieces[:-1])
    tokens = [piece["log_probability"] for piece in pieces if "log_probability" in piece]
    assert len(tokens) == at_once["num_tokens"] <= most
    assert sum(tokens) == at_once["log_probability"]
    for answer in (at_once, *pieces):
        assert (answer["model_name"], answer["model_version"]) == ("writer", "1")


def test_no_piece_has_a_part_of_a_character(client):
    pieces = events(client, text_input="", max_tokens=7, stream=True, id="1")
    assert [piece["text_output"] for piece in pieces] == ["a", " b", "", "é", "", "👍", " b"]


@pytest.mark.parametrize("path", [PATH, f"{PATH}_stream"])
@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "text_input must be a string, got null"),
        ({"text_input": 5}, "text_input must be a string, got 5"),
        ({"text_input": "a", "max_token": 5}, "did you mean 'max_tokens'?"),
        ({"text_input": "a", "max_tokens": 31}, "max_tokens must be at most 30, got 31"),
        ({"text_input": "a", "max_tokens": -1}, "max_tokens must be at least 0, got -1"),
        ({"text_input": "a", "max_tokens": 1.5}, "max_tokens must be a whole number, got 1.5"),
        ({"text_input": "a", "max_tokens": "5"}, 'max_tokens must be a number, got "5"'),
        ({"text_input": "a", "seed": 2**31}, "seed must be at most 2147483647"),
        ({"text_input": "a", "parameters": 5}, "parameters must be an object, got 5"),
        ({"text_input": "a" * 1001}, "text_input must have at most 1,000 characters, got 1,001"),
    ],
)
def test_a_wrong_request_is_refused_before_a_stream_begins(client, path, document, sentence):
    answer = client.post(path, content=json.dumps(document).encode())
    assert answer.status_code in (400, 413)
    assert answer.headers["content-type"] == "application/json"
    assert sentence in answer.json()["error"]


def test_a_model_that_does_not_write_says_so(client):
    answer = client.post("/v2/models/words/generate", content=b'{"text_input": "a"}')
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the model words does not generate text: use predict")


def test_an_error_in_the_middle_of_a_stream_is_its_last_event(client, monkeypatch):
    draw = client.repository.find("writer").functions["draw"]
    calls = []

    def fails(inputs):
        calls.append(inputs)
        if len(calls) == 3:
            raise wrong("no third token")
        return call(inputs)

    call = draw._run
    monkeypatch.setattr(draw, "_run", fails)
    found = events(client, text_input="", max_tokens=7)
    assert [piece.get("text_output") for piece in found] == ["a", " b", None]
    assert found[-1] == {"error": "no third token"}


def test_streams_at_the_same_time_are_drawn_in_one_batch(client, monkeypatch):
    version = client.repository.find("writer")
    draw, lane, rows = version.functions["draw"], version.lanes["draw"], []
    call = draw._run

    def patient(inputs):
        """The first token waits until the three other streams want theirs."""
        last = time.monotonic() + 20
        while not rows and len(lane.entries) < 3 and time.monotonic() < last:
            time.sleep(0.005)
        rows.append(rows_of(inputs))
        return call(inputs)

    monkeypatch.setattr(draw, "_run", patient)
    monkeypatch.setattr(lane, "parallel", 1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: events(client, text_input="x" * n, max_tokens=5), range(4)))
    for start, pieces in enumerate(found):
        alone = events(client, text_input="x" * start, max_tokens=5)
        assert pieces == alone
    assert rows[:2] == [1, 3] and sum(rows) == 2 * sum(map(len, found))


@pytest.mark.slow
@pytest.mark.parametrize("build", [pipelines.generation, pipelines.melodies])
def test_the_projects_own_writers_stream_what_they_write_at_once(tmp_path, build):
    pipeline = build()
    found = pipeline.signatures()
    functions = {name: found[name].function for name in ("generate", "read", "draw", "spell")}
    weights = [weight.value for weight in pipeline.model.weights]
    models.write(tmp_path / "writer", functions, [*weights, *pipeline.text_paths.values()])
    start = "C4" if hasattr(pipeline, "labels") else "a good"
    with serving(tmp_path) as client:
        for seed in range(8):
            document = {"text_input": start, "max_tokens": 20, "seed": seed, "top_p": 0.9}
            at_once, pieces = whole(client, **document).json(), events(client, **document)
            assert "".join(piece["text_output"] for piece in pieces) == at_once["text_output"]
            tokens = [piece["log_probability"] for piece in pieces]
            assert len(tokens) == at_once["num_tokens"]
            assert sum(tokens) == pytest.approx(at_once["log_probability"], rel=1e-4)


def test_a_client_that_goes_ends_its_stream(folder):
    settings = Settings(folder, access_log="off")
    repository = Repository(settings, lambda line: None)
    repository.look()
    version = repository.find("writer")
    draw = version.functions["draw"]
    call, calls, sent = draw._run, [], []
    draw._run = lambda inputs: (calls.append(1), call(inputs))[1]
    body = json.dumps({"text_input": "", "max_tokens": 9}).encode()
    path = f"{PATH}_stream"
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "client": None}

    async def exchange():
        gone, parts = asyncio.Event(), [{"type": "http.request", "body": body}]

        async def receive():
            if parts:
                return parts.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == 3:  # the head and two events
                gone.set()
                await asyncio.sleep(0.05)

        app = App(settings, repository, AccessLog("off"))
        await app(scope, receive, send)
        app.batcher.close()

    asyncio.run(exchange())
    assert [b"text_output" in each.get("body", b"") for each in sent[:3]] == [False, True, True]
    assert len(calls) < 5
    repository.close()
    assert version.session.closed, "the stream no longer uses the version"
