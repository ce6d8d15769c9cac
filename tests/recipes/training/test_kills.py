"""Twenty kills at random moments of a search and of a training; by hand, with `-m slow`."""

import csv
import random
import subprocess
import sys

import pytest

from zoo.tuning.storage import Records

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
KILLS = 20
STUDY = ["tune", "--units", "4:64:log", "--epochs", "16", "--fractions", "0.2,1", "--seeds", "2"]
TRAINING = ["train", "--epochs", "240", "--patience", "240"]


def command(words, directory, resume):
    place = "--study-dir" if words[0] == "tune" else "--run-dir"
    again = ["--resume"] if resume else []
    return [sys.executable, "-m", "recipes", "origin", *words, *again, place, str(directory)]


def killed(words, directory, begun, shortest, longest):
    """Starts a command again and again and kills it after a random time; the last one ends."""
    chance, kills = random.Random(0), 0
    while kills < KILLS:
        process = subprocess.Popen(
            command(words, directory, (directory / begun).exists()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=chance.uniform(shortest, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            break
    subprocess.run(command(words, directory, True), check=True)
    return kills


def figures(directory):
    """The training's figures, but for the seconds."""
    with (directory / "history.csv").open(newline="") as file:
        return [
            {name: value for name, value in row.items() if name != "seconds"}
            for row in csv.DictReader(file)
        ]


def test_a_training_ends_as_one_that_was_not_killed(tmp_path):
    subprocess.run(command(TRAINING, tmp_path / "whole", False), check=True)
    assert killed(TRAINING, tmp_path / "killed", "config.json", 8, 16) == KILLS
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")


def test_a_search_ends_as_one_that_was_not_killed(tmp_path):
    subprocess.run(command(STUDY, tmp_path / "whole", False), check=True)
    assert killed(STUDY, tmp_path / "killed", "study.json", 4, 20) == KILLS
    whole, found = (
        [
            {
                name: value
                for name, value in row.items()
                if "seconds" not in name and "ms" not in name
            }
            for row in Records(tmp_path / place).rows()
        ]
        for place in ("whole", "killed")
    )
    assert found == whole
