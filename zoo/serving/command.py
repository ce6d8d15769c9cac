"""The command `serve`."""

import argparse
import importlib
import os
from pathlib import Path
from typing import Any

from zoo.errors import InputError, require_package
from zoo.serving.settings import Settings
from zoo.system import startup

PACKAGES = ("uvicorn", "starlette", "httptools", "prometheus_client", "orjson")
DEFAULT = Settings(Path("saved_models"))
MOST = 65_535  # of a port
LEAST = {  # an option's lowest value
    "keep": 1,
    "poll": 0.1,
    "batch_size": 1,
    "batch_wait": 0,
    "workers": 0,
    "queue": 1,
    "timeout": 0.001,
    "client_timeout": 0.1,
    "max_body": 1,
    "max_rows": 1,
    "max_text": 1,
    "max_tokens": 0,
    "grace": 0,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.epilog = (
        "POST /v1/models/NAME:predict and GET /v1/models/NAME are TensorFlow Serving's, "
        "/v2/models/NAME/infer, generate and generate_stream those of the Open Inference Protocol "
        "and Triton; GET /zoo/models lists the models, /metrics is for Prometheus, /openapi.json "
        "describes all, / is a page. See docs/serving.md."
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=DEFAULT.folder,
        help="folder of NAME/VERSION, as export writes it, or of the versions of one model",
    )
    where = parser.add_argument_group("where")
    where.add_argument("--host", default="127.0.0.1", help="address to listen on")
    where.add_argument("--port", type=int, default=8501, help="0 takes a free one")
    where.add_argument(
        "--cors",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="pages of this origin may call the server, such as https://example.org; * for all",
    )
    models = parser.add_argument_group("versions")
    models.add_argument("--keep", type=int, default=DEFAULT.keep, help="newest versions to serve")
    models.add_argument(
        "--label",
        metavar="NAME:LABEL=VERSION",
        action="append",
        default=[],
        help="a name for a version, which is served as well: /v1/models/NAME/labels/LABEL",
    )
    models.add_argument(
        "--poll", type=float, default=DEFAULT.poll, help="seconds between looks for new versions"
    )
    batches = parser.add_argument_group("batches")
    batches.add_argument(
        "--batch-size", type=int, default=DEFAULT.batch_rows, help="rows at most; 1 joins nothing"
    )
    batches.add_argument(
        "--batch-wait",
        type=float,
        default=1000 * DEFAULT.batch_wait,
        help="milliseconds that a request waits for others",
    )
    batches.add_argument(
        "--workers",
        type=int,
        default=0,
        help="batches at the same time, of all models; 0: one a core, two at least",
    )
    limits = parser.add_argument_group("limits")
    for option, default, text in (
        ("queue", DEFAULT.queue, "requests that wait"),
        ("timeout", DEFAULT.timeout, "seconds until a request is given up"),
        ("client-timeout", DEFAULT.client_timeout, "seconds for a client to send or to read"),
        ("max-body", DEFAULT.max_body, "bytes of a request"),
        ("max-rows", DEFAULT.max_rows, "rows of a request"),
        ("max-text", DEFAULT.max_text, "characters of a text"),
        ("max-tokens", DEFAULT.max_tokens, "tokens of a generated text"),
        ("grace", 30.0, "seconds for what runs to finish, when the server is stopped"),
    ):
        limits.add_argument(f"--{option}", type=type(default), default=default, help=text)
    parser.add_argument(
        "--access-log",
        choices=("text", "json", "off"),
        default=DEFAULT.access_log,
        help="a line for each request, on standard output",
    )


def run(parsed: argparse.Namespace) -> int:
    """Serves until it is stopped; returns the exit status.

    Raises:
        InputError: The folder has no exported model, an option is wrong, or a package is missing.
    """
    for name, least in LEAST.items():
        value = getattr(parsed, name)
        if not value >= least:
            raise InputError(f"--{name.replace('_', '-')} must be at least {least}, got {value}")
    if not 0 <= parsed.port <= MOST:
        raise InputError(f"--port must be a number from 0 to {MOST}, got {parsed.port}")
    if not parsed.folder.is_dir():
        raise InputError(f"{parsed.folder} is no folder: export a model first, or give its folder")
    for name in PACKAGES:
        require_package(name, "serve", "the command serve")
    # oneDNN keeps what it makes for each size of batch, in each thread: memory would grow for long
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with startup.importing():
        server: Any = importlib.import_module("zoo.serving.server")
    return int(server.run(parsed))
