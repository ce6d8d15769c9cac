"""Load on the server: many clients on loopback, with batches and without, and beside LitServe.

    pip install -e '.[serve]'
    rnn-zoo convert sentiment-builtin
    python -m venv lit && lit/bin/pip install litserve 'tensorflow>=2.21,<2.22'
    python benchmarks/serving.py --litserve lit/bin/python --record

Each server serves the newest version of `saved_models/sentiment-builtin`; clients send texts of the
built-in test split, one text a request, and ask again as soon as they are answered. The servers
take turns, A B C A B C, each in a new process. The client is a process of its own on the same
cores.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from recipes.corpora.reviews import corpus  # noqa: E402
from zoo import export  # noqa: E402

HERE = Path(__file__).parent / "speed"
COLUMNS = [
    *("server", "requests a second", "p50, ms", "p99, ms", "errors"),
    *("memory at first, MB", "memory at last, MB"),
]
DIGITS = [0, 1, 1, 0, 0, 0]
BATCH, WAIT = 64, 0.002  # rows of a batch, seconds


class Contender(NamedTuple):
    """A server.

    Attributes:
        name: Its name in the table.
        command: What starts it; `{port}` is the port.
        path: Of a request.
        body: What a request holds, for a text.
    """

    name: str
    command: list[str]
    path: str
    body: Any


def contenders(model: Path, litserve: str) -> list[Contender]:
    """Ours with batches and without, and LitServe where its Python is given."""
    own = [sys.executable, "-m", "zoo", "serve", str(model), "--port", "{port}"]
    own += ["--access-log", "off"]
    predict = f"/v1/models/{model.name}:predict"

    def row(text: str) -> Any:
        return {"instances": [{"text": text}]}

    found = [
        Contender("`zoo serve`", own, predict, row),
        Contender("`zoo serve --batch-size 1`", [*own, "--batch-size", "1"], predict, row),
    ]
    if litserve:
        child = [litserve, str(HERE / "litserve_child.py"), str(export.newest(model)), "{port}"]
        for size in (BATCH, 1):
            name = "LitServe" if size > 1 else "LitServe, without batches"
            command = [*child, str(size), str(WAIT if size > 1 else 0.0)]
            found.append(Contender(name, command, "/predict", lambda text: {"text": text}))
    return found


@contextlib.contextmanager
def running(contender: Contender) -> Iterator[tuple[int, int]]:
    """A server in a process: its port and the process's number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [word.format(port=port) for word in contender.command]
    # as `zoo serve` sets it: LitServe, too, is faster so, and its memory does not grow
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_ENABLE_ONEDNN_OPTS": "0"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            _wait(contender, port, process)
            yield port, process.pid
        except BaseException:
            log.seek(0)
            sys.stderr.buffer.write(log.read()[-4000:])
            raise
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with contextlib.suppress(ProcessLookupError):  # and processes that it has left behind
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(contender: Contender, port: int, process: Any, seconds: float = 180.0) -> None:
    """Until it answers."""
    body = json.dumps(contender.body("a good film")).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{contender.path}", body, {"Content-Type": "application/json"}
    )
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
            return
        except OSError as error:
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError(f"{contender.name} does not answer: {error}") from error
            time.sleep(0.2)


def loaded(
    contender: Contender, texts: Sequence[str], clients: int, seconds: float
) -> dict[str, Any]:
    """What a load of some seconds measures, after a short one that warms it up."""
    bodies = [json.dumps(contender.body(text)) for text in texts]
    with running(contender) as (port, pid), tempfile.TemporaryDirectory() as folder:
        job = {"port": port, "path": contender.path, "bodies": bodies, "clients": clients}
        place = Path(folder) / "job.json"
        found: dict[str, Any] = {}
        for length in (min(3.0, seconds), seconds):
            place.write_text(json.dumps({**job, "pid": pid, "seconds": length}))
            result = subprocess.run(
                [sys.executable, str(HERE / "load.py"), str(place)],
                capture_output=True,
                text=True,
                check=True,
            )
            found = json.loads(result.stdout)
    return found


def row_of(found: Sequence[dict[str, Any]]) -> list[Any]:
    """The numbers of a row, as `COLUMNS` names them: a median, the lowest, the highest round."""
    rates = [len(each["seconds"]) / each["elapsed"] for each in found]
    times = [
        [1000 * sorted(each["seconds"])[int(share * len(each["seconds"]))] for each in found]
        for share in (0.5, 0.99)
    ]
    memory = [[each["memory"][place] / 1e6 for each in found] for place in (0, -1)]
    errors = sum(len(each["errors"]) for each in found)
    spreads = [[statistics.median(v), min(v), max(v)] for v in (rates, *times)]
    return [*spreads, errors, *(statistics.median(values) for values in memory)]


def texts_of(count: int) -> list[str]:
    """Reviews of the built-in corpus that the model has not been trained on."""
    return [text for text, _ in corpus.generate((0, 0, count), seed=1)[2]]


def main() -> None:
    """Reads the options, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("saved_models/sentiment-builtin"))
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--litserve", metavar="PYTHON", default="", help="with LitServe installed")
    measurements.add_flag(parser)
    options = parser.parse_args()
    recorder = measurements.Recorder("serving", COLUMNS) if options.record else None
    print(machine.note(machine.cores()), flush=True)
    texts, found = texts_of(500), {}
    servers = contenders(options.model, options.litserve)
    for number in range(options.rounds):
        for server in servers:
            measured = loaded(server, texts, options.clients, options.seconds)
            found.setdefault(server.name, []).append(measured)
            shown = [
                measurements.formatted(*each)
                for each in zip(row_of([measured]), DIGITS, strict=True)
            ]
            pairs = zip(COLUMNS[1:], shown, strict=True)
            text = "; ".join(f"{name} {value}" for name, value in pairs)
            print(f"round {number + 1}, {server.name}: {text}", flush=True)
            print("".join(f"  error: {each}\n" for each in measured["errors"][:3]), end="")
    rows = {name: row_of(each) for name, each in found.items()}
    first = rows[servers[0].name][0][0]
    for name, values in rows.items():
        print(f"{servers[0].name} has {first / values[0][0]:.2f} times the requests of {name}")
        if recorder:
            recorder.add([name], values, DIGITS)
    if recorder:
        recorder.store(machine.line())


if __name__ == "__main__":
    main()
