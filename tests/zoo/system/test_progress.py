"""The progress line: what it says while the model compiles, and when it estimates."""

import io
import sys

import pytest

from zoo.system import progress
from zoo.system.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(stream: io.StringIO) -> list[str]:
    return [line.removeprefix("\x1b[K") for line in stream.getvalue().split("\r")]


def test_it_says_that_the_model_compiles_and_estimates_from_the_second_step_on(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    line = Progress("epoch 1/3", 11, compiling=True)
    assert lines(stream) == ["epoch 1/3  compiling ..."]
    clock[0] = 20.0  # compiling does not count as a step's time
    line.update(1, "loss 1.0")
    clock[0] = 22.0
    line.update(2, "loss 0.9")
    line.done()
    assert lines(stream)[1:] == [
        "epoch 1/3  step 1/11  loss 1.0",
        "epoch 1/3  step 2/11  loss 0.9  18 s left",
        "",
    ]


def test_a_later_epoch_does_not_compile(monkeypatch: pytest.MonkeyPatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    Progress("epoch 2/3", 11)
    assert stream.getvalue() == ""


def test_a_file_gets_a_line_every_half_minute(clock: list[float], monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    line = Progress("epoch 1/3", 100, compiling=True)
    for step in range(1, 100):
        clock[0] = float(step)
        line.update(step, "loss 1.0")
    assert [text.split("  ")[1] for text in stream.getvalue().splitlines()] == [
        *("step 30/100", "step 60/100", "step 90/100")
    ]
