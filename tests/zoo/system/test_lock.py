"""One process at a time in a folder: the others are told who holds it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import export
from zoo.system import lock
from zoo.system.lock import InUseError

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from zoo.system import lock
with lock.hold(Path(sys.argv[1]), "the run", "wait"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""
EXPORTER = """
import sys, time
from pathlib import Path
from zoo import export
export._write = lambda functions, tracked, path: (
    (path / "saved_model.pb").write_text(sys.argv[2]), print("part", flush=True),
    time.sleep(float(sys.argv[3])))
export.check = lambda *_: None
print(export.publish({}, [], {}, Path(sys.argv[1])).name, flush=True)
"""


def started(code: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_another_process_is_told_who_holds_the_folder_and_a_dead_holder_loses_it(tmp_path: Path):
    folder = tmp_path / "runs" / "one"
    with started(HOLDER, folder, 600) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(InUseError) as caught, lock.hold(folder, "the run", "wait"):
            pass
        since = r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: wait"
        said = f"the run {folder} is in use by process {other.pid} on .+ {since}"
        assert re.fullmatch(said, str(caught.value))
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert (folder / lock.HOLDER).exists(), "it was killed"
    with lock.hold(folder, "the run", "wait"):
        (folder / "config.json").write_text("{}")
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_a_process_may_hold_a_folder_several_times_and_leaves_no_empty_one(tmp_path: Path):
    folder = tmp_path / "runs" / "one"
    with lock.hold(folder, "the run", "wait"):
        with lock.hold(folder, "the run", "wait"):
            pass
        assert (folder / lock.LOCK).exists(), "it is still held"
    assert list(tmp_path.iterdir()) == []
    tmp_path.joinpath("kept").mkdir()
    with pytest.raises(KeyError), lock.hold(tmp_path / "kept", "the run", "wait"):
        raise KeyError
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"], "it was there before"


def test_half_files_of_a_killed_process_are_swept_and_those_of_users_are_not(tmp_path: Path):
    kept = [".config.part.json", "config.123.part.json", ".hidden", "notes.part"]
    for name in [".config.123.part.json", ".vocabulary.7.part", *kept]:
        (tmp_path / name).write_text("")
    with lock.hold(tmp_path, "the run", "wait"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_exports_of_two_processes_get_versions_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Another process is in the middle of its export while this one begins and ends its own."""
    monkeypatch.setattr(
        export, "_write", lambda *given: (given[2] / "saved_model.pb").write_text("a")
    )
    monkeypatch.setattr(export, "check", lambda *_: None)
    folder = tmp_path / "model"
    with started(EXPORTER, folder, "b", 1) as other:
        assert other.stdout is not None and other.stdout.readline() == "part\n"
        mine = export.publish({}, [], {}, folder).name
        theirs = other.communicate(timeout=200)[0].strip()
    assert sorted([mine, theirs]) == ["1", "2"]
    written = {name: (folder / name / "saved_model.pb").read_text() for name in (mine, theirs)}
    assert written == {mine: "a", theirs: "b"}
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]


def test_what_a_killed_export_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path):
    (tmp_path / ".part-of-a-user").mkdir()
    with started(EXPORTER, tmp_path, "x", 600) as other:
        assert other.stdout is not None and other.stdout.readline() == "part\n"
        export.sweep(tmp_path)
        parts = [path for path in tmp_path.glob(".part-*") if (path / "saved_model.pb").exists()]
        assert len(parts) == 1
        other.kill()
        other.wait()
    export.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".part-of-a-user"]
