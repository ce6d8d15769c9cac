"""Heartbeats of the workers of a search: each worker regularly changes its own file."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

BEAT = 2.0  # seconds between a worker's heartbeats


def live(directory: Path, worker: str, ended: threading.Event) -> None:
    """Changes the worker's file every few seconds, until `ended`."""
    path = _sign(directory, worker)
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    while not ended.is_set():
        part = path.with_suffix(".part")  # not synced: it is useless after a power cut
        part.write_text(f"{os.getpid()} {count}")
        os.replace(part, path)
        count += 1
        ended.wait(BEAT)


def watch_workers(made: Any, directory: Path, patience: float, ended: threading.Event) -> None:
    """Gives up workers whose heartbeat has not changed for too long."""
    seen: dict[str, tuple[str, float]] = {}
    while not ended.wait(min(1.0, patience / 4)):
        if made.broken:  # KerasTuner's server would keep answering with errors
            print(f"failed: {made.broken}", file=sys.stderr, flush=True)
            os._exit(1)
        for worker in {*made.ongoing_trials, *made.tuner_ids}:
            path = _sign(directory, worker)
            sign = path.read_text() if path.exists() else ""
            if worker not in seen or seen[worker][0] != sign:
                seen[worker] = sign, time.monotonic()
            elif time.monotonic() - seen[worker][1] > patience:
                print(f"worker {worker} gives no sign of life: its trial is given out again")
                made.give_up(worker)
                del seen[worker]


def _sign(directory: Path, worker: str) -> Path:
    return directory / "workers" / f"{worker}.txt"
