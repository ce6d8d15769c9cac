"""Timing side by side: every contender in each round, A B C A B C, under the same load.

In a round each is called twice, and the second call counts: a call directly after one of another
library would meet its busy threads and its data in the caches.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Contender:
    """Something to time: its name, a call that ends when its results are there, and its times.

    Attributes:
        name: Its name in the table.
        call: Runs one pass, or None where it cannot run here.
        why_not: Text in the table instead.
        peer: Whether ours is compared with it.
        first_s: Seconds of the first call, which traces and compiles.
        seconds: Seconds of each round.
        compilations: XLA programs that the first call compiled, or None where not counted.
    """

    name: str
    call: Callable[[], Any] | None
    why_not: str = ""
    peer: bool = True
    first_s: float = 0.0
    seconds: list[float] = field(default_factory=list)
    compilations: int | None = None


def seconds_of(call: Callable[[], Any]) -> float:
    """The seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleave(contenders: list[Contender], rounds: int) -> None:
    """Calls each contender twice to warm it up, and then twice in each round; the last counts."""
    able = [contender for contender in contenders if contender.call]
    for contender in able:
        contender.first_s = seconds_of(contender.call)
        contender.call()
    for _ in range(rounds):
        for contender in able:
            contender.call()
            contender.seconds.append(seconds_of(contender.call))


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and the highest value."""

    median: float
    lowest: float
    highest: float


def spread(values: list[float]) -> Spread:
    """The median, the lowest and the highest of the values.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        Spread(median=2.0, lowest=1.0, highest=3.0)
    """
    return Spread(statistics.median(values), min(values), max(values))


def ratio(peer: list[float], ours: list[float]) -> Spread:
    """How many times as long a peer takes: of both medians, and the extremes of the rounds' own.

    Example:
        >>> ratio([2.0, 3.0, 8.0], [1.0, 1.0, 2.0])
        Spread(median=3.0, lowest=2.0, highest=4.0)
    """
    by_round = [theirs / own for theirs, own in zip(peer, ours, strict=True)]
    median = statistics.median(peer) / statistics.median(ours)
    return Spread(median, min(by_round), max(by_round))
