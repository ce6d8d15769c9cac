"""`python -m recipes NAME tune`: on the smallest recipe, with real kills."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from recipes import cli, tune
from recipes.sources.corpus import Corpus
from recipes.sources.share import share_of
from recipes.sources.splits import Splits
from recipes.sources.table import Example
from zoo.tuning.records import Records

SMALL = ["--units", "4,8", "--epochs", "2", "--seeds", "1", "--fractions", "0.05,0.2"]


def scores(directory):
    return {
        (row["trial"], row["fraction"], row["seed"]): (row["accuracy"], row["train_loss"])
        for row in Records(directory).rows()
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tune") / "study"
    assert cli.main(["origin", "tune", *SMALL, "--study-dir", str(directory)]) == 0
    return directory


def test_a_study_leaves_report_trials_pictures_and_the_best_options(study):
    assert len(scores(study)) == 4
    names = {path.name for path in study.iterdir()}
    assert names >= {"report.md", "trials.csv", "best.json", "study.json", "objective.png"}
    best = json.loads((study / "best.json").read_text())
    assert best["recipe"] == "origin"
    assert best["units"] in (4, 8)
    assert best["epochs"] == 2
    rows = list(Records(study).rows())
    assert [row["latency_ms"] > 0 for row in rows if "latency_ms" in row] == [True, True]
    assert not list(study.glob("trials/*/*/checkpoints"))


def test_a_trial_that_is_run_again_gives_its_number(study, capsys):
    assert cli.main(["origin", "tune", "--trial", "1", "--study-dir", str(study)]) == 0
    told = capsys.readouterr().out
    assert told.count("now: the same") == 2
    assert "NOT" not in told


def test_a_run_of_a_study_trains_again_from_its_own_config(study, tmp_path):
    row = next(row for row in Records(study).rows() if row["fraction"] == 0.05)
    config = study / "trials" / row["trial"] / "fraction-0.05-seed-0" / "config.json"
    run = tmp_path / "run"
    assert cli.main(["origin", "train", "--config", str(config), "--run-dir", str(run)]) == 0
    history = (run / "history.csv").read_text().splitlines()
    best = max(float(line.split(",")[3]) for line in history[1:])
    assert f"{best:.6f}" == f"{row['accuracy']:.6f}", history[0]


def test_the_best_options_train_and_others_override_them(study, tmp_path):
    run = tmp_path / "run"
    words = ["origin", "train", "--config", str(study / "best.json"), "--epochs", "1"]
    assert cli.main([*words, "--run-dir", str(run)]) == 0
    config = json.loads((run / "config.json").read_text())
    best = json.loads((study / "best.json").read_text())
    assert (config["units"], config["epochs"]) == (best["units"], 1)


def test_a_smaller_share_gets_more_epochs_but_not_without_end():
    assert [tune.stretched(3, share) for share in (1.0, 0.5, 0.25, 0.01)] == [3, 6, 12, 12]


def test_a_killed_study_ends_as_one_that_was_not(study, tmp_path):
    directory = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "recipes", "origin", "tune", *SMALL, "--study-dir", str(directory)],
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 200
    while time.monotonic() < end and not list(directory.glob("trials/0/*/history.csv")):
        time.sleep(0.05)
    process.kill()
    process.wait()
    again = ["origin", "tune", "--resume", "--study-dir", str(directory)]
    assert cli.main([*again, "--units", "4,16"]) == 2  # another study
    assert cli.main([*again, *SMALL]) == 0
    assert scores(directory) == scores(study)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--units", "8"], "nothing to search over with --units 8"),
        (["--units", "16:4"], "units must be"),
        (["--unts", "4,8"], "did you mean '--units'"),
        (["--fractions", "much"], "fractions must be numbers"),
        (["--algorithm", "gird"], "did you mean 'grid'"),
        (["--learning-rate", "1e-4:1e-2:log"], "a grid needs steps"),
        (["--units", "4,8", "--dropout", "2"], "dropout"),
        (["--trial", "1", "--study-dir", "nowhere"], "study.json does not exist"),
        (["--units", "4,8", "--strategy", "multiworker"], "share the search itself by --chief"),
        (["--worker", "a"], "give --study-dir alone"),
        (["--resume", "--study-dir", "nowhere"], "study.json does not exist"),
    ],
)
def test_what_cannot_be_searched_is_told_in_a_sentence(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["origin", "tune", *words]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_config_of_another_recipe_is_refused(study, capsys):
    words = ["sentiment", "train", "--config", str(study / "best.json")]
    assert cli.main(words) == 2
    assert "is not of the recipe sentiment" in capsys.readouterr().err


def examples(labels):
    return [Example(f"text {number}", label) for number, label in enumerate(labels)]


def test_a_smaller_share_lies_in_each_larger_one_and_has_every_label():
    train = examples(np.random.default_rng(0).choice(["a", "b"], 200).tolist() + ["rare"])
    splits = Splits(train, examples("ab"), examples("ab"))
    shares = [set(share_of(splits, share, 0).train) for share in (0.02, 0.1, 0.5, 1.0)]
    for share, count in zip(shares, (5, 21, 101, 201), strict=True):
        assert len(share) in (count, count + 1)  # one more where the rare label was not drawn
    for smaller, larger in zip(shares, shares[1:], strict=False):
        assert smaller < larger
        assert {example.label for example in smaller} == {"a", "b", "rare"}
    assert share_of(splits, 0.1, 1).train != share_of(splits, 0.1, 0).train
    assert share_of(splits, 0.1, 0).validation == splits.validation


def test_the_share_of_a_corpus_is_its_beginning():
    corpus = Corpus(["abcdef", "ghij"], ["k"], ["l"])
    assert share_of(corpus, 0.5, 0).train == ["abcde"]
    assert share_of(corpus, 0.8, 0).train == ["abcdef", "gh"]
    assert share_of(corpus, 1.0, 0) is corpus
