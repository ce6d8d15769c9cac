"""Answers in seconds whether a download can begin; tensorflow-datasets alone tries for minutes."""

import socket
import threading
from collections.abc import Iterable
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

_PORTS = {"http": 80, "https": 443, "ftp": 21}
_MOST_TRIED = 3


def reachable(addresses: Iterable[str], timeout: float = 3.0) -> bool:
    """Whether one of the servers behind some addresses answers; all are tried at the same time.

    Where a proxy is set in the environment (`https_proxy` and its siblings), the proxy is tried
    instead. Nothing is sent. Of the servers of many URLs the first three are tried, `timeout`
    seconds, the look-up of their names included.
    """
    answered = threading.Event()
    threads = [
        # A daemon, because a look-up of a name cannot be interrupted and must not hold up the exit.
        threading.Thread(target=_connect, args=(*server, timeout, answered), daemon=True)
        for server in _servers(addresses)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    return answered.is_set()


def _servers(addresses: Iterable[str]) -> list[tuple[str, int]]:
    proxies = [url for scheme, url in getproxies_environment().items() if scheme != "no"]
    servers = dict.fromkeys(_server(address) for address in proxies or addresses)
    return [server for server in servers if server[0]][:_MOST_TRIED]


def _server(address: str) -> tuple[str, int]:
    parts = urlsplit(address if "//" in address else f"//{address}")
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)


def _connect(host: str, port: int, timeout: float, answered: threading.Event) -> None:
    try:
        with socket.create_connection((host, port), timeout=timeout):
            answered.set()
    except OSError:
        return
