"""Versions are picked up, replaced, refused and freed while requests run."""

import json
import shutil
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from tests.zoo.serving import models
from tests.zoo.serving.conftest import serving
from zoo.errors import InputError
from zoo.serving.repository import Repository, labels
from zoo.serving.settings import Settings

BODY = b'{"instances": [1.0]}'


@pytest.fixture
def root(tmp_path):
    """`saved_models` with version 1 of `halves`, which adds 1."""
    models.write(tmp_path / "halves", models.halves(1.0))
    return tmp_path


def export(root, plus, **more):
    return models.write(root / "halves", models.halves(plus), **more)


def answer(client, which=""):
    found = client.post(f"/v1/models/halves{which}:predict", content=BODY)
    return found.json()["predictions"][0] if found.status_code == 200 else found.status_code


def test_a_new_version_answers_and_the_old_one_is_freed(root):
    with serving(root) as client:
        first = client.repository.find("halves")
        assert answer(client) == 1.5
        export(root, 2.0)
        assert answer(client) == 1.5, "nobody has looked"
        client.repository.look()
        assert answer(client) == 2.5
        assert answer(client, "/versions/2") == 2.5
        assert answer(client, "/versions/1") == 404
        assert first.session.closed
        assert client.said[-1] == "no longer serves halves version 1"
        shutil.rmtree(root / "halves")
        models.write(root / "other", models.halves(5.0))
        client.repository.look()
        assert answer(client) == 404
        assert client.post("/v1/models/other:predict", content=BODY).json() == {
            "predictions": [5.5]
        }


def test_the_memory_of_old_versions_is_freed(root):
    with serving(root) as client:
        graph = weakref.ref(client.repository.find("halves").session.graph)
        export(root, 2.0)
        client.repository.look()
        client.repository.look()
        assert answer(client) == 2.5
        assert graph() is None


def test_versions_are_kept_by_number_or_by_label(root):
    export(root, 2.0)
    export(root, 3.0)
    with serving(root, keep=2, labels={"halves": {"first": 1, "last": 3}}) as client:
        assert [answer(client, f"/versions/{n}") for n in (1, 2, 3)] == [1.5, 2.5, 3.5]
        assert [answer(client, f"/labels/{name}") for name in ("first", "last")] == [1.5, 3.5]
    with serving(root) as client:
        assert [answer(client, f"/versions/{n}") for n in (1, 2, 3)] == [404, 404, 3.5]


def test_a_version_that_answers_a_request_is_freed_after_it(root):
    with serving(root) as client:
        version = client.repository.find("halves")
        function = version.functions["serving_default"]
        begun, go, call = threading.Event(), threading.Event(), function._run

        def slow(inputs):
            begun.set()
            go.wait(20)
            return call(inputs)

        function._run = slow
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(answer, client)
            begun.wait(20)
            export(root, 2.0)
            client.repository.look()
            assert answer(client) == 2.5
            assert not version.session.closed
            go.set()
            assert late.result() == 1.5
        assert version.session.closed


@pytest.mark.parametrize("damage", ["graph", "weights", "warm-up", "signatures"])
def test_a_broken_version_is_refused_and_the_old_one_goes_on(root, damage):
    with serving(root) as client:
        probes = {"serving_default": {"x": tf.constant(["text"])}} if damage == "warm-up" else None
        path = export(root, 2.0, probes=probes)
        if damage == "graph":
            (path / "saved_model.pb").write_bytes(b"\x0a\xff\xff")
        elif damage == "weights":
            next((path / "variables").iterdir()).write_bytes(b"")
            (path / "SHA256SUMS").write_text(f"{'0' * 64}  saved_model.pb\n")
        elif damage == "signatures":
            shutil.rmtree(path)
            tf.saved_model.save(tf.Module(), str(path))
        client.repository.look()
        assert answer(client) == 1.5
        sentence = client.said[-1]
        assert sentence.startswith("refused halves version 2: ")
        assert sentence.endswith("; version 1 goes on")
        assert "\n" not in sentence
        state = client.get("/v1/models/halves").json()["model_version_status"][0]
        assert (state["version"], state["state"]) == ("2", "END")
        assert state["status"]["error_message"] and str(root) not in json.dumps(state)
        client.repository.look()
        assert client.said[-1] is sentence, "it is not tried again"
        shutil.rmtree(path)
        export(root, 4.0).rename(path.with_name("3"))
        client.repository.look()
        assert answer(client) == 4.5
        assert len(client.get("/v1/models/halves").json()["model_version_status"]) == 1


def test_requests_for_warming_up_are_answered_before_a_version_is_served(root):
    with serving(root) as client:
        export(root, 2.0, probes={"serving_default": {"x": tf.constant([1.0, 2.0])}})
        client.repository.look()
        assert client.said[-2] == "serves halves version 2 (warm-up requests: 1)"
        assert answer(client) == 2.5


def test_unfinished_and_foreign_folders_are_no_versions(root):
    (root / "halves" / ".part-1").mkdir()
    (root / "halves" / "7").mkdir()
    (root / "halves-onnx" / "1").mkdir(parents=True)
    (root / ".hidden" / "1").mkdir(parents=True)
    with serving(root) as client:
        assert list(client.repository.models) == ["halves"]
        assert answer(client) == 1.5
    folder = Repository(Settings(root / "halves")).folders()
    assert folder == {"halves": root / "halves"}


def test_labels_are_read_from_words():
    assert labels(["a:stable=3", "a:new=4", "b:x=1"]) == {
        "a": {"stable": 3, "new": 4},
        "b": {"x": 1},
    }
    for word in ("a", "a:b", "a:b=c", ":b=1", "a:=1"):
        with pytest.raises(InputError, match="must be NAME:LABEL=VERSION, got"):
            labels([word])


@pytest.mark.parametrize(
    ("requests", "replacements"),
    [(60, 2), pytest.param(1000, 10, marks=pytest.mark.slow)],
)
def test_no_request_is_lost_while_versions_are_replaced(root, requests, replacements):
    with serving(root) as client, ThreadPoolExecutor(8) as pool:
        found = [pool.submit(answer, client) for _ in range(requests // 2)]
        for number in range(replacements):
            export(root, 2.0 + number)
            client.repository.look()
            count = requests // (2 * replacements)
            found += [pool.submit(answer, client) for _ in range(count)]
        values = [each.result() for each in found]
    assert len(values) == requests
    assert set(values) <= {1.5 + number for number in range(replacements + 1)}
    assert values[0] == 1.5 and values[-1] == 1.5 + replacements
    assert sorted(int(each.name) for each in (root / "halves").iterdir()) == [
        *range(1, replacements + 2)
    ]
