"""Runs the application until it is interrupted."""

import argparse
import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

from zoo.errors import InputError
from zoo.serving.app import App
from zoo.serving.repository import Repository
from zoo.serving.settings import Settings


def run(parsed: argparse.Namespace) -> int:
    """Serves with the command's options; returns the exit status."""
    settings = Settings(parsed.folder)
    repository = Repository(settings)
    if not repository.folders():
        raise InputError(
            f"no exported model in {parsed.folder}: run a recipe's export first, or give another "
            "folder"
        )
    place = listening(parsed.host, parsed.port)
    repository.look()
    if not repository.models:
        raise InputError("no model could be loaded")
    host, port = place.getsockname()[:2]
    print(f"listening on http://{host}:{port}", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        App(settings, repository), log_level="warning", access_log=False, lifespan="off"
    )
    asyncio.run(serve(config, place, repository, settings))
    return 0


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

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


async def serve(
    config: uvicorn.Config, place: socket.socket, repository: Repository, settings: Settings
) -> None:
    """Serves on a socket, and looks for new versions meanwhile."""
    async with looking(repository, settings):
        await uvicorn.Server(config).serve([place])
    repository.close()


@contextlib.asynccontextmanager
async def looking(repository: Repository, settings: Settings) -> AsyncIterator[None]:
    """Looks for new versions every `poll` seconds."""

    async def forever() -> None:
        while True:
            await asyncio.sleep(settings.poll)
            await asyncio.to_thread(repository.look)

    task: asyncio.Task[Any] = asyncio.create_task(forever())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
