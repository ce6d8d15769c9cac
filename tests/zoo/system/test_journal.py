import errno
import json

import pytest

from zoo.system import journal
from zoo.system.journal import Journal


def test_events_are_there_when_the_file_is_opened_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    first = Journal(path)
    first.append({"event": "begin", "trial": "0"})
    first.append({"event": "end", "trial": "ä"})
    assert (
        Journal(path).events
        == first.events
        == [json.loads(line) for line in path.read_text().splitlines()]
    )


def test_a_line_that_was_cut_off_is_taken_away(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "begin"}\n{"event": "en')
    found = Journal(path)
    assert found.events == [{"event": "begin"}]
    found.append({"event": "end"})
    assert Journal(path).events == [{"event": "begin"}, {"event": "end"}]


def test_on_a_full_disk_an_event_is_left_out_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    found = Journal(path)
    found.append({"event": "begin"})

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            found.append({"event": "end"})
    assert found.events == Journal(path).events == [{"event": "begin"}]
