"""The probe before a download; everything here stays on this machine."""

import socket
import time
from collections.abc import Iterator

import pytest

from recipes.data.network import reachable

PROXIES = ("http", "https", "ftp", "all", "no")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in PROXIES:
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_a_server_that_listens_is_reachable(server: int, closed: int) -> None:
    assert reachable([f"http://127.0.0.1:{server}/a/file.zip"])
    assert not reachable([f"http://127.0.0.1:{closed}/a/file.zip"])


def test_one_server_that_answers_is_enough(server: int, closed: int) -> None:
    assert reachable([f"http://127.0.0.1:{closed}/", f"https://127.0.0.1:{server}/"])


def _record(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    tried: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        assert timeout == 3.0
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


def test_three_servers_are_tried_at_their_usual_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = _record(monkeypatch)
    hosts = ["http://a.org/1", "http://a.org/2", "https://b.org/", "ftp://c.org/", "http://d.org/"]
    assert not reachable(hosts)
    assert sorted(tried) == [("a.org", 80), ("b.org", 443), ("c.org", 21)]


def test_what_has_no_server_is_not_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = _record(monkeypatch)
    assert not reachable([])
    assert not reachable(["file:///data/archive.zip"])
    assert tried == []


@pytest.mark.parametrize("value", ["http://me:secret@proxy.org:3128", "proxy.org:3128"])
def test_a_proxy_is_tried_instead(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    tried = _record(monkeypatch)
    monkeypatch.setenv("https_proxy", value)
    monkeypatch.setenv("no_proxy", "localhost")
    assert not reachable(["https://a.org/", "https://b.org/"])
    assert tried == [("proxy.org", 3128)]


def test_no_proxy_alone_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = _record(monkeypatch)
    monkeypatch.setenv("no_proxy", "localhost")
    reachable(["https://a.org/"])
    assert tried == [("a.org", 443)]


def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(address: tuple[str, int], timeout: float) -> socket.socket:
        time.sleep(30)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", hang)
    start = time.monotonic()
    assert not reachable(["https://a.org/"], timeout=0.1)
    assert time.monotonic() - start < 10
