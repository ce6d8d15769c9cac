"""The command in a process of its own: slow and vanishing clients, signals, a killed export."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.zoo.serving import models

ROOT = Path(__file__).parents[3]
BODY = b'{"instances": [1.0]}'
REQUEST = b"POST /v1/models/halves:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


class Running:
    """A server in a process, its port and what it prints."""

    def __init__(self, folder, log, *options):
        self.log = log
        command = [sys.executable, "-m", "zoo", "serve", str(folder), "--port", "0", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        line = self.wait_for("listening on http://127.0.0.1:")
        self.port = int(line.rpartition(":")[2])

    def wait_for(self, start, seconds=120):
        """The first line that begins like this."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.log.read_text().splitlines():
                if line.startswith(start):
                    return line
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"no line {start!r}: {self.log.read_text()}")

    def post(self, path="/v1/models/halves:predict", body=BODY):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def raw(self, *parts, pause=0.0):
        """Sends bytes and returns all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            for part in parts:
                client.sendall(part)
                time.sleep(pause)
            found = b""
            with contextlib.suppress(ConnectionError):
                while part := client.recv(65536):
                    found += part
            return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "server.log"
    options = ("--client-timeout", "2", "--max-body", "100000", "--access-log", "json")
    running = Running(folder, log, *options)
    yield running
    running.process.kill()
    running.process.wait()


def status_of(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_a_process_answers_and_refuses_slow_large_and_wrong_requests(server):
    assert server.post() == (200, {"predictions": [2.5]})
    for parts, status, sentence in (
        ((b"GET / HT",), 408, b"the headers did not arrive within 2 seconds"),
        ((REQUEST % 20, b'{"inst'), 408, b"the body did not arrive within 2 seconds"),
        ((REQUEST % 10**6, b"x" * 10**6), 413, b"the body must have at most 100,000 bytes"),
        ((b"no http\r\n\r\n",), 400, b"Invalid HTTP request received."),
        ((b"GET / HTTP/1.1\r\n" + b"a: " + b"x" * 70_000,), 431, b"more than 65,536 bytes"),
    ):
        found, body = status_of(server.raw(*parts))
        assert found == status, (parts[0][:40], body)
        assert sentence in body and list(json.loads(body)) == ["error"]
    for parts in ((), (b"POST",), (REQUEST % 20, b"{"), (REQUEST % len(BODY), BODY)):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"".join(parts))  # and goes away
    assert server.post() == (200, {"predictions": [2.5]})
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line[0] == "{"]
    assert {"POST"} == {line["method"] for line in lines}
    assert {200, 408, 413} <= {line["status"] for line in lines}
    assert "Traceback" not in server.log.read_text()


def test_events_come_one_by_one_and_a_client_that_goes_ends_the_stream(server):
    body = json.dumps({"text_input": "", "max_tokens": 7}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v2/models/writer/generate_stream", body)
    answer = connection.getresponse()
    first = answer.readline()
    assert json.loads(first.removeprefix(b"data: "))["text_output"] == "a"
    connection.close()
    assert server.post("/v2/models/writer/generate", body)[1]["text_output"] == "a bé👍 b"


def test_a_stopped_server_finishes_what_runs(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(REQUEST % len(BODY))
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        client.sendall(BODY)
        with client.makefile("rb") as answer:  # the server closes the connection after it
            assert status_of(answer.read()) == (200, b'{"predictions":[2.5]}')
    assert server.process.wait(60) == 0
    assert server.log.read_text().splitlines()[-1] == "stopped"


def test_a_wrong_command_is_refused_in_one_sentence(tmp_path):
    from zoo.__main__ import main

    for words, sentence in (
        ([str(tmp_path / "none")], "is no folder: export a model first"),
        ([str(tmp_path)], "no exported model in"),
        ([str(tmp_path), "--batch-size", "0"], "--batch-size must be at least 1, got 0"),
        ([str(tmp_path), "--port", "99999"], "--port must be a number from 0 to 65535, got 99999"),
        ([str(tmp_path), "--label", "a"], "--label must be NAME:LABEL=VERSION, got 'a'"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            said = []
            patch.setattr("sys.stderr.write", said.append)
            assert main(["serve", *words]) == 2
            assert sentence in "".join(said)


KILLED = """
import os, sys, signal
from pathlib import Path
from tests.zoo.serving import models
from zoo.system import durable

rename = os.rename
os.rename = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
models.write(Path(sys.argv[1]), models.halves(9.0))
"""


@pytest.mark.slow
def test_a_killed_export_leaves_the_old_version_in_service(tmp_path):
    models.write(tmp_path / "halves", models.halves(1.0))
    running = Running(tmp_path, tmp_path / "log", "--poll", "0.1")
    try:
        command = [sys.executable, "-c", KILLED, str(tmp_path / "halves")]
        killed = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert killed.returncode == -signal.SIGKILL
        names = sorted(path.name for path in (tmp_path / "halves").iterdir())
        assert names[-1] == "1" and names[0].startswith(".part-")
        time.sleep(0.5)
        assert running.post() == (200, {"predictions": [1.5]})
        models.write(tmp_path / "halves", models.halves(2.0))
        running.wait_for("serves halves version 2")
        assert running.post() == (200, {"predictions": [2.5]})
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize("given", ["", "1"])
def test_onednns_cache_is_off_unless_a_user_wants_it(tmp_path, monkeypatch, given):
    """Memory grew by 5 MB a minute for each size of batch that it keeps; measured in benchmarks."""
    from zoo.__main__ import main
    from zoo.serving import server

    seen = []
    monkeypatch.setattr(server, "run", lambda _: seen.append(os.environ[name]) or 0)
    name = "TF_ENABLE_ONEDNN_OPTS"
    monkeypatch.setenv(name, given)
    if not given:
        monkeypatch.delenv(name)
    assert main(["serve", str(tmp_path)]) == 0
    assert seen == [given or "0"]
