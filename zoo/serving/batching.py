"""Joins waiting requests into batches, which run in worker threads.

A signature with a free worker answers at once. While it is busy, requests wait and are joined; then
it waits up to `batch_wait` for as many as came last time, since those clients are about to ask
again. A client alone never waits for others.
"""

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from zoo.saved_model.session import Arrays
from zoo.serving.joining import Form
from zoo.serving.refusals import Refused
from zoo.serving.served import Function, Version
from zoo.serving.settings import Settings
from zoo.serving.tensors import rows_of

Outcome = Arrays | Exception


@dataclass(eq=False)
class Entry:
    """A request that waits.

    Attributes:
        inputs: Its tensors.
        rows: Its rows.
        key: Requests with equal keys can be joined.
        future: Its answer.
        since: When it came, in seconds of the loop's clock.
    """

    inputs: Arrays
    rows: int
    key: Hashable
    future: asyncio.Future[Arrays]
    since: float


class Batcher:
    """The queues of all signatures.

    Args:
        settings: Sizes and times.
        observe: Called with the requests and the rows of each batch and its seconds.

    Attributes:
        waiting: Requests that wait.
    """

    def __init__(
        self, settings: Settings, observe: Callable[[Version, int, int, float], None]
    ) -> None:
        self.settings, self.observe = settings, observe
        self.pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="batch")
        self.waiting = 0

    def ask(self, version: Version, function: Function, inputs: Arrays) -> asyncio.Future[Arrays]:
        """The answer of a signature, which comes later; a cancelled one is no longer computed.

        Raises:
            Refused: Too many requests wait.
        """
        if self.waiting >= self.settings.queue:
            raise Refused(429, f"{self.waiting:,} requests wait already: ask again later")
        lane = version.lanes.get(function.name)
        if lane is None:  # it goes with its version
            lane = version.lanes[function.name] = _Lane(self, version, function)
        loop = asyncio.get_running_loop()
        rows = rows_of(inputs)
        entry = Entry(inputs, rows, lane.form.key(inputs), loop.create_future(), loop.time())
        lane.add(entry)
        return entry.future

    def close(self) -> None:
        """Waits for what runs."""
        self.pool.shutdown()


class _Lane:
    """The requests of one signature of one version."""

    def __init__(self, batcher: Batcher, version: Version, function: Function) -> None:
        self.batcher, self.version, self.function = batcher, version, function
        self.form = Form.of(function)
        self.entries: deque[Entry] = deque()
        self.running, self.expected = 0, 1
        self.parallel = max(1, (os.cpu_count() or 1) // 2)
        self._timer: asyncio.TimerHandle | None = None

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.batcher.waiting += 1
        entry.future.add_done_callback(
            lambda future: self._drop(entry) if future.cancelled() else 0
        )
        self._start()

    def _drop(self, entry: Entry) -> None:
        """Makes room where a request is given up before its batch."""
        with contextlib.suppress(ValueError):  # it is in a batch already
            self.entries.remove(entry)
            self.batcher.waiting -= 1

    def _start(self) -> None:
        """Starts as many batches as may run and are worth it now."""
        settings, loop = self.batcher.settings, asyncio.get_running_loop()
        while self.entries and self.running < self.parallel:
            wait = self.entries[0].since + settings.batch_wait - loop.time()
            if wait > 0 and len(self.entries) < min(self.expected, settings.batch_rows):
                if self._timer is None:
                    self._timer = loop.call_later(wait, self._late)
                return
            self._run(self._taken())

    def _late(self) -> None:
        self._timer = None
        if self.entries:
            self.expected = 1
            self._start()

    def _taken(self) -> list[Entry]:
        """The first request, and others with its key as far as the batch has room."""
        first = self.entries.popleft()
        taken, left, rows = [first], deque[Entry](), first.rows
        while self.entries:
            entry = self.entries.popleft()
            fits = rows + entry.rows <= self.batcher.settings.batch_rows
            if fits and entry.key == first.key and first.key is not None:
                taken.append(entry)
                rows += entry.rows
            else:
                left.append(entry)
        self.entries = left
        self.batcher.waiting -= len(taken)
        return taken

    def _run(self, taken: list[Entry]) -> None:
        self.running += 1
        self.version.__enter__()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self.batcher.pool, self._outcomes, [e.inputs for e in taken])
        work.add_done_callback(lambda done: self._finished(taken, done))

    def _finished(self, taken: list[Entry], done: asyncio.Future[list[Outcome]]) -> None:
        self.running -= 1
        self.version.__exit__()
        self.expected = len(taken)
        error = None if done.cancelled() else done.exception()
        outcomes: list[Any] = [error] * len(taken) if error else done.result()
        for entry, outcome in zip(taken, outcomes, strict=True):
            if entry.future.done():  # its client has gone, or it took too long
                continue
            if isinstance(outcome, BaseException):
                entry.future.set_exception(outcome)
            else:
                entry.future.set_result(outcome)
        self._start()

    def _outcomes(self, requests: list[Arrays]) -> list[Outcome]:
        """The answers; in a thread. What fails together is tried alone: the fault is of one."""
        start = time.perf_counter()
        counts = [rows_of(inputs) for inputs in requests]
        try:
            outputs = self.function(self.form.join(requests))
            found: list[Arrays | None] = self.form.split(outputs, counts)
        except Refused as error:
            if len(requests) == 1:
                return [error]
            found = [None] * len(requests)
        outcomes = [
            self._alone(inputs) if answer is None else answer
            for inputs, answer in zip(requests, found, strict=True)
        ]
        seconds = time.perf_counter() - start
        self.batcher.observe(self.version, len(requests), sum(counts), seconds)
        return outcomes

    def _alone(self, inputs: Arrays) -> Outcome:
        try:
            return self.function(inputs)
        except Refused as error:
            return error
