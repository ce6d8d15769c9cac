"""Limits, the page, the list of models, metrics, the access log and the description."""

import io
import json

import pytest
from starlette.testclient import TestClient

from tests.zoo.serving.conftest import serving
from zoo.serving import page
from zoo.serving.access_log import AccessLog
from zoo.serving.app import App
from zoo.serving.repository import Repository
from zoo.serving.server import config_of
from zoo.serving.settings import Settings


def predict(client, document, model="words", **more):
    body = json.dumps(document).encode()
    return client.post(f"/v1/models/{model}:predict", content=body, **more)


@pytest.mark.parametrize(
    ("document", "status", "sentence"),
    [
        ({"inputs": ["x"] * 51}, 413, "at most 50 rows in a request, got 51"),
        ({"inputs": ["é" * 1001]}, 413, "text must have at most 1,000 characters, got 1,001"),
        ({"inputs": ["é" * 1000]}, 200, ""),
        ({"inputs": ["x" * 100_000]}, 413, "the body must have at most 100,000 bytes"),
        (
            {"signature_name": "repeat", "instances": [{"text": "x", "max_tokens": 31}]},
            400,
            "max_tokens must be at most 30, got 31",
        ),
        (
            {"signature_name": "repeat", "inputs": {"text": ["x"], "max_tokens": [1, 2]}},
            400,
            "the inputs differ in their number of rows: max_tokens 2, text 1",
        ),
        ({"inputs": [["x"]]}, 400, "input 'text' has shape [1,1], but the signature expects [-1]"),
        ({"inputs": "x"}, 400, "input 'text' has shape []"),
    ],
)
def test_what_is_too_large_is_refused(client, document, status, sentence):
    answer = predict(client, document)
    assert answer.status_code == status
    assert sentence in answer.text


def test_a_compressed_body_is_refused(client):
    answer = predict(client, {"inputs": ["x"]}, headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": ["\xff"]}',
        b'{"instances": [NaN, "\xff"]}',
        b'{"instances": ["\\ud800"]}',
        b'{"instances": ["\\ud800", NaN]}',
        b"[" * 100_000,
        b'{"instances": [NaN' + b"[" * 90_000,
        b'{"instances": [' + b"9" * 5000 + b", NaN]}",
        b'{"instances": ["a"]} more',
    ],
)
def test_bytes_that_are_no_json_in_utf_8_are_refused(client, body):
    answer = client.post("/v1/models/words:predict", content=body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


def test_the_page_has_tags_kinds_and_a_policy(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = client.get("/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head("/").content == b""
    assert client.post("/").status_code == 405


def test_nothing_but_the_pages_own_files_can_be_read(client):
    for path in (
        "/page",
        "/page/",
        "/../app.py",
        "/%2e%2e/app.py",
        "/app.py",
        "//etc/passwd",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert answer.json() == {"error": "there is nothing at this path"}


def test_files_in_folders_keep_their_kind(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.mjs").write_text("export {}")
    (tmp_path / "style.css").write_text("p {}")
    (tmp_path / "notes.py").write_text("")
    found = page.Files(dict(page._walked(tmp_path, "")))
    assert sorted(found.contents) == ["/js/a.mjs", "/style.css"]
    assert page.KINDS["mjs"].startswith("text/javascript")


def test_the_list_of_models_has_no_paths(client, folder):
    (folder / "words" / "1" / "assets.extra" / "provenance.json").write_text(
        json.dumps({"recipe": "pos", "run": "/home/me/runs/pos", "data": "/home/me/tags.csv"})
    )
    answer = client.get("/zoo/models")
    found = {each["name"]: each for each in answer.json()["models"]}
    assert sorted(found) == ["echo", "halves", "series", "words", "writer"]
    words = found["words"]
    assert (words["version"], words["versions"], words["pipeline"]) == ("1", ["1"], "Tagger")
    assert words["provenance"] == {"recipe": "pos", "data": "tags.csv"}
    assert words["signatures"]["repeat"]["inputs"] == [
        {"name": "max_tokens", "dtype": "int32", "shape": [-1]},
        {"name": "text", "dtype": "string", "shape": [-1]},
    ]
    assert found["halves"]["labels"] == {"stable": "123"}
    assert "/home" not in answer.text and str(folder) not in answer.text


def test_another_method_is_405_and_names_the_right_one(client):
    answer = client.post("/zoo/models")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


def test_requests_and_batches_are_counted(folder):
    with serving(folder) as client:
        predict(client, {"inputs": ["x", "y"]})
        predict(client, {"inputs": 5})
        found = client.get("/metrics").text
        assert client.get("/monitoring/prometheus/metrics").status_code == 200
    start = 'rnn_zoo_requests_total{api="predict",model="words",status='
    assert f'{start}"200",version="1"}} 1.0' in found
    assert f'{start}"400",version="1"}} 1.0' in found
    assert 'rnn_zoo_batch_rows_sum{model="words",version="1"} 2.0' in found
    assert 'rnn_zoo_model_versions{model="words",version="1"} 1.0' in found


@pytest.mark.parametrize("form", ["text", "json", "off"])
def test_the_access_log_has_a_line_for_each_request(form):
    stream = io.StringIO()
    log = AccessLog(form, stream)
    log.write("::1", method="GET", path="/" + "x" * 500, status=404, milliseconds=1.5, model=None)
    log.close()
    line = stream.getvalue()
    if form == "json":
        found = json.loads(line)
        assert (found["client"], found["status"], len(found["path"])) == ("::1", 404, 200)
        assert "model" not in found
    elif form == "text":
        assert "::1 GET /x" in line and line.endswith("404 milliseconds=1.5\n")
    else:
        assert line == ""


def test_the_description_has_each_path(client):
    found = client.get("/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    for path in ("/v1/models/{model}:predict", "/v2/models/{model}/generate_stream", "/zoo/models"):
        assert path in found["paths"]
    assert (
        found["components"]["schemas"]["PredictRequest"]["properties"]["instances"]["maxItems"]
        == 50
    )


def test_pages_of_other_origins_may_call_only_where_the_command_names_them(folder):
    ask = {"origin": "https://a.example", "access-control-request-method": "POST"}
    for origins, allowed in (((), None), (("https://a.example",), "https://a.example")):
        settings = Settings(folder, origins=origins, access_log="off")
        repository = Repository(settings, lambda line: None)
        app = App(settings, repository, AccessLog("off"))
        client = TestClient(config_of(app, settings, 1.0).app)  # no lifespan: no model is loaded
        answer = client.options("/v1/models/words:predict", headers=ask)
        assert answer.headers.get("access-control-allow-origin") == allowed
        answer = client.get("/v2/health/live", headers={"origin": "https://a.example"})
        assert answer.headers.get("access-control-allow-origin") == allowed
        answer = client.get("/v2/health/live", headers={"origin": "https://b.example"})
        assert "access-control-allow-origin" not in answer.headers
        app.batcher.close()
