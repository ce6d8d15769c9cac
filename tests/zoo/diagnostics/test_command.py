"""The folder of a diagnostics command: one process at a time writes into it."""

from pathlib import Path

import filelock
import pytest

from zoo.__main__ import main
from zoo.system import lock


def test_a_command_locks_its_folder_while_it_works_and_leaves_only_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "made" / "bptt"
    during: list[list[str]] = []
    write_json = lock.durable.write_json

    def recorded(path: Path, content: object) -> None:
        during.append(sorted(each.name for each in folder.iterdir()))
        write_json(path, content)

    monkeypatch.setattr("zoo.diagnostics.command.durable.write_json", recorded)
    words = ["bptt", "--length", "5", "--units", "2", "--draws", "3", "--out", str(folder)]
    assert main(words) == 0
    assert during == [[".lock", ".lock.json", "bptt.png"]]
    assert sorted(each.name for each in folder.iterdir()) == ["bptt.json", "bptt.png"]

    before = (folder / "bptt.json").read_bytes()
    capsys.readouterr()
    with filelock.FileLock(folder / lock.LOCK):
        assert main([*words, "--seed", "1"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err == (
        f"error: the folder {folder} is in use by another process: wait until it ends, or give "
        "another --out\n"
    )
    assert (folder / "bptt.json").read_bytes() == before


def test_a_refused_option_leaves_no_folder_and_a_file_in_its_place_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "made" / "gates"
    assert main(["gates", "--cells", "nothing", "--out", str(folder)]) == 2
    assert not folder.parent.exists()
    file = tmp_path / "notes.txt"
    file.write_text("kept", encoding="utf-8")
    assert main(["bptt", "--length", "5", "--units", "2", "--draws", "3", "--out", str(file)]) == 2
    assert file.read_text(encoding="utf-8") == "kept"
    assert f"{file} is a file, expected a folder" in capsys.readouterr().err
