import errno
import json
import random
import shutil

import pytest

from tests.zoo.tuning import toy
from zoo.errors import InputError
from zoo.tuning import oracles
from zoo.tuning.space import parse
from zoo.tuning.storage import Records
from zoo.tuning.study import Study
from zoo.tuning.trials import StudyError, conduct


class Killed(BaseException):
    """Ends a search in the middle, as a signal would."""


def counted(measure, seen):
    def measured(run):
        seen.append((run.trial, run.fraction, run.seed))
        return measure(run)

    return measured


def events(directory):
    lines = (directory / "journal.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_grid_tries_each_setting_once_with_each_seed_and_fraction(tmp_path):
    study, seen = toy.study(trials=100), []
    conduct(study, counted(toy.measure, seen), tmp_path)
    assert len(seen) == len(set(seen)) == study.settings * 4
    tried = {tuple(values.items()) for values, _ in toy.scores(tmp_path).values()}
    assert tried == {tuple(point.items()) for point in study.space.grid()}


@pytest.mark.parametrize("algorithm", ["random", "hyperband"])
def test_the_same_seed_suggests_the_same_trials(tmp_path, algorithm):
    for place in ("a", "b"):
        conduct(toy.study(algorithm), toy.measure, tmp_path / place)
    conduct(toy.study(algorithm, seed=1), toy.measure, tmp_path / "c")
    assert toy.scores(tmp_path / "a") == toy.scores(tmp_path / "b") != toy.scores(tmp_path / "c")


@pytest.mark.parametrize("algorithm", ["grid", "random", "hyperband"])
def test_twenty_kills_lose_and_repeat_nothing(tmp_path, algorithm):
    conduct(toy.study(algorithm), toy.measure, tmp_path / "whole")
    chance, seen, kills = random.Random(0), [], 0

    def killed(run):
        if chance.random() < 0.3:
            raise Killed
        return toy.measure(run)

    finished = []
    while True:
        try:
            conduct(toy.study(algorithm), counted(killed, seen), tmp_path / "killed")
            break
        except Killed:
            kills += 1
            done = toy.scores(tmp_path / "killed")
            assert set(finished) <= set(done)
            finished = list(done)
    assert kills >= 10
    assert toy.scores(tmp_path / "whole") == toy.scores(tmp_path / "killed")
    assert len(seen) - kills == len(finished) or len(seen) - kills == len(
        toy.scores(tmp_path / "whole")
    )


def test_a_search_goes_on_from_each_place_of_its_journal(tmp_path):
    whole = tmp_path / "whole"
    study = toy.study("random", trials=4, seeds=1)
    conduct(study, toy.measure, whole)
    content = (whole / "journal.jsonl").read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == 10]
    for end in [0, *ends, *(end - 7 for end in ends)]:
        cut = tmp_path / f"cut-{end}"
        shutil.copytree(whole, cut)
        (cut / "journal.jsonl").write_bytes(content[:end])
        seen = []
        conduct(study, counted(toy.measure, seen), cut)
        assert toy.scores(cut) == toy.scores(whole)
        assert not seen  # the runs' own files were all there


@pytest.mark.sweep
def test_a_bayesian_search_that_was_killed_goes_on_as_if_it_was_not(tmp_path):
    axes = (parse("units", "4:64:log", int), parse("learning_rate", "1e-4:1e-2:log", float))
    study = Study("toy", axes, {}, "accuracy", algorithm="bayesian", trials=9)
    conduct(study, toy.measure, tmp_path / "whole")

    def killed(run):
        if run.trial == "7" and not (tmp_path / "killed" / "once").exists():
            (tmp_path / "killed" / "once").touch()
            raise Killed
        return toy.measure(run)

    with pytest.raises(Killed):
        conduct(study, killed, tmp_path / "killed")
    conduct(study, killed, tmp_path / "killed")
    assert toy.scores(tmp_path / "whole") == toy.scores(tmp_path / "killed")


def test_hyperband_goes_on_from_the_trials_that_were_best(tmp_path):
    runs = []

    def measured(run):
        runs.append(run)
        return toy.measure(run)

    conduct(toy.study("hyperband", seeds=1, fractions=(1.0,)), measured, tmp_path)
    longer = [run for run in runs if run.start is not None]
    assert longer
    for run in longer:
        before = next(other for other in runs if other.directory == run.start)
        assert before.values == run.values
        assert before.epochs < run.epochs <= 9


def test_a_trial_that_fails_is_put_down_with_its_reason_and_the_search_goes_on(tmp_path):
    def measured(run):
        if run.values["units"] == 64:
            raise MemoryError("no room for 64 units\nand a long trace")
        if run.values["units"] == 32:
            return {"accuracy": float("nan")}
        return toy.measure(run)

    study = toy.study(trials=100)
    conduct(study, measured, tmp_path)
    reasons = Records(tmp_path).failures()
    assert set(reasons.values()) == {
        "MemoryError: no room for 64 units",
        "ValueError: accuracy is nan",
    }
    ended = [event["status"] for event in events(tmp_path) if event["event"] == "end"]
    assert ended.count("FAILED") == len(reasons) == 2 * study.settings // 5
    assert ended.count("COMPLETED") == 3 * study.settings // 5


def test_a_trial_that_fails_is_one_line_with_the_number_that_the_others_count_from(
    tmp_path, capsys
):
    def measured(run):
        if run.values["units"] == 8:
            raise ValueError("eight is wrong\nand a long story")
        return {"accuracy": 0.5}

    study = Study("toy", (parse("units", "4,8,16", int),), {}, "accuracy")
    conduct(study, measured, tmp_path)
    printed = capsys.readouterr()
    first, second, third = printed.out.splitlines()
    assert first.startswith("trial 1 of 3  units 4: accuracy")
    assert second == "trial 2 failed: ValueError: eight is wrong (units 8)"
    assert third.startswith("trial 3 of 3  units 16: accuracy")
    assert "Traceback" not in printed.err


def test_what_fails_every_trial_ends_the_search(tmp_path, capsys):
    seen = []

    def measured(run):
        seen.append(run)
        raise StudyError("no such file")

    with pytest.raises(InputError, match="no such file"):
        conduct(toy.study(), measured, tmp_path)
    assert len(seen) == 1
    assert not Records(tmp_path).failures()
    assert "Traceback" not in capsys.readouterr().err


def test_a_full_disk_ends_the_search_and_is_no_failure_of_the_trial(tmp_path):
    def measured(run):
        if run.trial == "02":
            raise OSError(errno.ENOSPC, "No space left on device")
        return toy.measure(run)

    with pytest.raises(OSError, match="No space left"):
        conduct(toy.study(trials=1000), measured, tmp_path)
    assert not Records(tmp_path).failures()
    conduct(toy.study(trials=1000), toy.measure, tmp_path)
    assert len(toy.scores(tmp_path)) == 4 * toy.study(trials=1000).settings


def test_a_trial_that_kills_its_process_again_and_again_is_given_up(tmp_path):
    def measured(run):
        if run.values["learning_rate"] == 1e-3 and run.values["num_layers"] == 1:
            raise Killed
        return toy.measure(run)

    for _ in range(100):
        try:
            conduct(toy.study(trials=8), measured, tmp_path)
            break
        except Killed:
            pass
    reasons = Records(tmp_path).failures()
    begun = [event["trial"] for event in events(tmp_path) if event["event"] == "begin"]
    assert reasons
    for trial, reason in reasons.items():
        assert reason.startswith(f"the process ended {oracles.ATTEMPTS} times")
        assert begun.count(trial) == oracles.ATTEMPTS + 1


def test_no_trial_begins_that_would_end_after_the_budget(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(oracles.time, "monotonic", lambda: clock[0])

    def measured(run):
        clock[0] += 10
        return toy.measure(run)

    study = toy.study(trials=100, minutes=1.5, seeds=1, fractions=(1.0,))
    conduct(study, measured, tmp_path)
    assert len(toy.scores(tmp_path)) == 9
    conduct(study, measured, tmp_path)  # the time before counts
    assert len(toy.scores(tmp_path)) == 9


def test_another_study_does_not_mix_with_one_that_is_there(tmp_path):
    conduct(toy.study(trials=2), toy.measure, tmp_path)
    with pytest.raises(InputError, match="holds another study"):
        conduct(toy.study(trials=3), toy.measure, tmp_path)


def test_a_journal_of_another_version_is_refused(tmp_path):
    conduct(toy.study("random", trials=2), toy.measure, tmp_path)
    path = tmp_path / "journal.jsonl"
    path.write_text(path.read_text().replace('"units": ', '"units": 1'))
    with pytest.raises(InputError, match="written by another version"):
        conduct(toy.study("random", trials=2), toy.measure, tmp_path)


def test_a_study_is_the_same_after_it_was_written_and_read(tmp_path):
    study = toy.study("bayesian", minutes=2.5)
    study.save(tmp_path)
    assert Study.load(tmp_path) == study


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"fractions": (0.0,)}, "fractions must be above 0"),
        ({"minutes": -1.0}, "minutes must be at least 0"),
        ({"algorithm": "gird"}, "grid"),
        ({"epochs": 2.5}, "epochs must be a whole number, got 2.5"),
        ({"trials": True}, "trials must be a whole number"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"minutes": "long"}, "minutes must be a number"),
        ({"fractions": (True,)}, "fractions must be above 0"),
        ({"fractions": ()}, "fractions must be above 0"),
    ],
)
def test_a_budget_that_makes_no_sense_is_told(options, told):
    with pytest.raises(InputError, match=told):
        toy.study(**options)
