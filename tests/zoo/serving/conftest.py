"""The models that are served in these tests, written once a process."""

import contextlib

import pytest
from starlette.testclient import TestClient

from tests.zoo.serving import models
from zoo.serving.access_log import AccessLog
from zoo.serving.app import App
from zoo.serving.repository import Repository
from zoo.serving.settings import Settings


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """`saved_models` with `halves` in version 123, `echo`, `words`, `series` and `writer`."""
    root = tmp_path_factory.mktemp("served") / "saved_models"
    models.write(root / "halves", models.halves()).rename(root / "halves" / "123")
    for build in (models.echo, models.words, models.series, models.writer):
        models.write(root / build.__name__, build(), about='{"pipeline": "Tagger"}')
    return root


@contextlib.contextmanager
def serving(folder, **options):
    """A client of a server in this process, with what the server says and its repository."""
    said = []
    options = {"access_log": "off", "poll": 3600, **options}
    settings = Settings(folder, **options)
    repository = Repository(settings, said.append)
    repository.look()
    app = App(settings, repository, AccessLog(settings.access_log))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.said, client.repository = said, repository
        yield client


@pytest.fixture(scope="module")
def client(folder):
    """A client of a server with all models and small limits."""
    limits = {"max_body": 100_000, "max_rows": 50, "max_text": 1000, "max_tokens": 30}
    labels = {"halves": {"stable": 123}}
    with serving(folder, labels=labels, client_timeout=5.0, **limits) as client:
        yield client
