"""Damaged files of a study are one sentence each that names the file."""

import json
from pathlib import Path

import filelock
import pytest

from zoo.errors import InputError
from zoo.system import lock
from zoo.system.journal import Journal
from zoo.tuning.space import Axis
from zoo.tuning.storage import Records
from zoo.tuning.study import Study
from zoo.tuning.trials import conduct

DEEP = "[" * 100_000 + "]" * 100_000
HUGE = "[" + "9" * 5_000 + "]"
STUDY = Study("toy", (Axis("units", (2, 4)),), {}, "accuracy")


def measure(run):
    return {"accuracy": 1 / run.values["units"], "parameters": run.values["units"]}


@pytest.fixture
def folder(tmp_path):
    """A finished study."""
    conduct(STUDY, measure, tmp_path)
    return tmp_path


@pytest.mark.parametrize("sums", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "[]",
        lambda text: DEEP,
        lambda text: HUGE,
        lambda text: text[:40],
        lambda text: "{}",
        lambda text: json.dumps({**json.loads(text), "fractions": 1}),
        lambda text: json.dumps({**json.loads(text), "fractions": ["a"]}),
        lambda text: json.dumps({**json.loads(text), "axes": [7]}),
        lambda text: json.dumps({**json.loads(text), "axes": [{"name": "units"}]}),
        lambda text: json.dumps({**json.loads(text), "trials": "many"}),
        lambda text: json.dumps({**json.loads(text), "colour": "red"}),
    ],
)
def test_a_damaged_study_is_one_sentence(folder, change, sums):
    path = folder / "study.json"
    path.write_text(change(path.read_text()))
    if not sums:
        (folder / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match=r"study.json .*: put back a copy of it, or begin a new"):
        Study.load(folder)


@pytest.mark.parametrize("name", ["result.json", "failed.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", DEEP, HUGE, '{"trial": 1, "reason": 3}'])
def test_a_damaged_result_is_one_sentence(folder, name, content):
    place = folder / "trials" / "0"
    path = place / name if name == "failed.json" else next(place.glob("*/result.json"))
    path.write_text(content)
    records = Records(folder)
    with pytest.raises(InputError, match=rf"{name} .*: delete it, and --resume runs the trial"):
        records.failures() if name == "failed.json" else list(records.rows())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{",
        DEEP,
        HUGE,
        '{"event": "begin"}',
        '{"event": "end", "trial": "77", "status": "COMPLETED", "elapsed": 1}',
        '{"event": "begin", "trial": "0", "elapsed": "long", "worker": "tuner0", "values": {}}',
        '{"event": "begin", "trial": "0", "elapsed": NaN, "worker": "tuner0", "values": {}}',
    ],
)
def test_a_damaged_journal_is_one_sentence(folder, line):
    path = folder / "journal.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([line, *lines[1:], ""]))
    with pytest.raises(InputError, match=r"journal.jsonl, line 1: .*: put back a copy of it, or"):
        conduct(STUDY, measure, folder)


def test_a_journals_last_line_that_was_cut_off_is_no_damage(folder):
    path = folder / "journal.jsonl"
    events = Journal(path).events
    path.write_text(path.read_text() + '{"event": "beg')
    assert Journal(path).events == events


def test_a_second_search_in_a_study_is_told_of_the_first(folder: Path):
    with filelock.FileLock(folder / lock.LOCK):
        (folder / lock.HOLDER).write_text('{"pid": 7, "host": "h", "since": "today"}')
        with pytest.raises(InputError, match="the study .* is in use by process 7 on h since toda"):
            conduct(STUDY, measure, folder)
