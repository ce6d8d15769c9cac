"""A chief and two workers on this machine, each a process of its own."""

import socket
import subprocess
import sys
import time

import grpc
import pytest

from tests.zoo.tuning import toy
from zoo.tuning.storage import Records
from zoo.tuning.trials import PatientCalls, conduct

PATIENCE = 6
STUDY = 'toy.study("random", trials=6, seeds=1, fractions=(1.0,))'
PROCESS = """
import os, sys, time
from pathlib import Path
import grpc
import pytest

from tests.zoo.tuning import toy
from zoo.tuning.trials import follow, lead

role, directory, address = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
study = STUDY

def measure(run):
    time.sleep(1)
    if role == "dies" and run.trial != "0":
        os._exit(9)
    if run.trial == "4":
        raise ValueError("the fourth is wrong")
    return toy.measure(run)

if role == "chief":
    lead(study, directory, address, PATIENCE)
else:
    follow(study, measure, directory, role, address)
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(role, directory, address):
    text = PROCESS.replace("STUDY", STUDY).replace("PATIENCE", str(PATIENCE))
    return subprocess.Popen(
        [sys.executable, "-c", text, role, str(directory), address],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_killed_workers_trial_is_given_to_the_other_one(tmp_path):
    address = f"127.0.0.1:{free_port()}"
    there = {role: start(role, tmp_path / "shared", address) for role in ("chief", "dies")}
    told = {"dies": there["dies"].communicate(timeout=120)[0]}
    assert there["dies"].returncode == 9
    there["lives"] = start("lives", tmp_path / "shared", address)
    for role in ("lives", "chief"):
        told[role] = there[role].communicate(timeout=120)[0]
        assert there[role].returncode == 0, told[role]
    assert "worker dies gives no sign of life: its trial is given out again" in told["chief"]

    def measure(run):
        if run.trial == "4":
            raise ValueError("the fourth is wrong")
        return toy.measure(run)

    study = toy.study("random", trials=6, seeds=1, fractions=(1.0,))
    conduct(study, measure, tmp_path / "alone")
    assert toy.scores(tmp_path / "shared") == toy.scores(tmp_path / "alone")
    for place in ("shared", "alone"):
        assert Records(tmp_path / place).failures() == {"4": "ValueError: the fourth is wrong"}
    assert toy.scores(tmp_path / "shared").keys() >= {("0", 1.0, 0), ("1", 1.0, 0)}


@pytest.mark.sweep
def test_a_chief_that_was_killed_goes_on_where_it_was(tmp_path):
    address = f"127.0.0.1:{free_port()}"
    there = {role: start(role, tmp_path, address) for role in ("chief", "lives")}
    end = time.monotonic() + 120
    while len(toy.scores(tmp_path)) < 2 and time.monotonic() < end:
        time.sleep(0.2)
    there["chief"].kill()
    there["chief"].communicate()
    there["chief"] = start("chief", tmp_path, address)
    for process in there.values():
        told = process.communicate(timeout=120)[0]
        assert process.returncode == 0, told
    assert sorted(trial for trial, _, _ in toy.scores(tmp_path)) == ["0", "1", "2", "3", "5"]


class Ended(grpc.RpcError):
    def __init__(self, code):
        self._code = code

    def code(self):
        return self._code


def test_a_call_waits_for_a_chief_that_starts_again_and_passes_on_other_errors(monkeypatch, capsys):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    codes = grpc.StatusCode

    class Stub:
        answers = [Ended(codes.UNAVAILABLE), Ended(codes.UNAVAILABLE), 7, Ended(codes.UNKNOWN)]

        def GetSpace(self, request, timeout):
            answer = self.answers.pop(0)
            if isinstance(answer, Ended):
                raise answer
            return answer + request + timeout

    calls = PatientCalls(Stub())
    assert calls.GetSpace(10, timeout=100) == 117
    assert capsys.readouterr().out.count("the chief has ended: waiting") == 2
    with pytest.raises(Ended):
        calls.GetSpace(10, timeout=100)
