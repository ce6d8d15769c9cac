"""Runs the application until it is stopped."""

import argparse
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.middleware.cors import CORSMiddleware

from zoo.errors import Failure, InputError
from zoo.serving.access_log import AccessLog
from zoo.serving.app import App
from zoo.serving.protocol import GuardedProtocol
from zoo.serving.repository import Repository, labels
from zoo.serving.settings import Settings

BACKLOG = 2048  # connections that wait to be accepted
IDLE = 60  # seconds that a connection may stay open without a request
STOPPING = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """uvicorn's server; being stopped is no error."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal lets what runs finish, the second does not."""
        old = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)


def settings_of(parsed: argparse.Namespace) -> Settings:
    """The command's options.

    Raises:
        InputError: A label has another form.
    """
    return Settings(
        folder=parsed.folder,
        labels=dict(labels(parsed.label)),
        keep=parsed.keep,
        poll=parsed.poll,
        batch_rows=parsed.batch_size,
        batch_wait=parsed.batch_wait / 1000,
        workers=parsed.workers or max(2, os.cpu_count() or 1),
        queue=parsed.queue,
        timeout=parsed.timeout,
        client_timeout=parsed.client_timeout,
        max_body=parsed.max_body,
        max_rows=parsed.max_rows,
        max_text=parsed.max_text,
        max_tokens=parsed.max_tokens,
        origins=tuple(parsed.cors),
        access_log=parsed.access_log,
    )


def run(parsed: argparse.Namespace) -> int:
    """Serves with the command's options; returns the exit status.

    Raises:
        InputError: There is no model, or the address cannot be used.
        Failure: No model can be loaded.
    """
    settings = settings_of(parsed)
    repository = Repository(settings)
    folders = repository.folders()
    if not folders:
        raise InputError(
            f"no exported model in {parsed.folder}: run a recipe's export first, or give another "
            "folder"
        )
    for name in sorted(set(settings.labels) - set(folders)):
        raise InputError(f"--label names the model {name!r}; there are {', '.join(folders)}")
    with contextlib.closing(listening(parsed.host, parsed.port)) as place:
        repository.look()
        if not any(model.versions for model in repository.models.values()):
            raise Failure("no model could be loaded: see above, and export them again")
        place.listen(BACKLOG)  # from here on clients can connect
        host, port = place.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        print(f"listening on http://{shown}:{port}", file=sys.stderr, flush=True)
        app = App(settings, repository, AccessLog(settings.access_log))
        Server(config_of(app, settings, parsed.grace)).run([place])
    print("stopped", file=sys.stderr, flush=True)
    return 0


def listening(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        InputError: The address cannot be used.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        place = socket.socket(family, kind, protocol)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot listen on {host} port {port} ({reason}): give another --host or --port"
        ) from error
    return place


def config_of(app: Any, settings: Settings, grace: float) -> uvicorn.Config:
    """The options of uvicorn."""
    if settings.origins:
        app = CORSMiddleware(
            app, allow_origins=settings.origins, allow_methods=["*"], allow_headers=["*"]
        )
    protocol = type("Protocol", (GuardedProtocol,), {"seconds": settings.client_timeout})
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="on",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=max(1, round(grace)),
    )
