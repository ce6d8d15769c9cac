"""The command `serve`."""

import argparse
import importlib
from pathlib import Path
from typing import Any

from zoo.errors import InputError, require_package
from zoo.system import startup

PACKAGES = ("uvicorn", "starlette", "httptools", "prometheus_client", "orjson")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=Path("saved_models"),
        help="folder of NAME/VERSION, as export writes it (default: saved_models)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8501, help="0: any free one")


def run(parsed: argparse.Namespace) -> int:
    """Serves until it is interrupted; returns the exit status.

    Raises:
        InputError: The folder has no exported model, an option is wrong, or a package is missing.
    """
    if not parsed.folder.is_dir():
        raise InputError(f"{parsed.folder} is no folder: export a model first, or give its folder")
    for name in PACKAGES:
        require_package(name, "serve", "the command serve")
    with startup.importing():
        server: Any = importlib.import_module("zoo.serving.server")
    return int(server.run(parsed))
