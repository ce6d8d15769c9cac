"""`python -m recipes NAME tune`: on the smallest recipe, with real kills."""

import csv
import dataclasses
import json
import subprocess
import sys
import time

import numpy as np
import pytest

from recipes import cli, registry
from recipes.data.items import Example
from recipes.data.splits import Splits, share_of
from recipes.ner import NerRecipe
from recipes.origin import OriginRecipe
from recipes.run import stored_options
from recipes.training import loop
from recipes.tuning import command
from recipes.tuning import measure as tune
from tests.sweeps import swept
from zoo.errors import InputError
from zoo.tuning.storage import Records
from zoo.tuning.study import Study
from zoo.tuning.trials import StudyError

ner = NerRecipe()
origin = OriginRecipe()

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


def test_the_best_options_train_and_others_override_them(study, tmp_path, capsys):
    run, file = tmp_path / "run", study / "best.json"
    words = ["origin", "train", "--config", str(file), "--epochs", "1"]
    assert cli.main([*words, "--run-dir", str(run)]) == 0
    assert "overrides" not in capsys.readouterr().out
    assert cli.main([*words[:4], "--run-dir", str(tmp_path / "other")]) == 0
    assert f"epochs: 2, from {file}; --epochs overrides it\n" in capsys.readouterr().out
    config = json.loads((run / "config.json").read_text())
    best = json.loads((study / "best.json").read_text())
    assert (config["units"], config["epochs"]) == (best["units"], 1)


def test_a_smaller_share_gets_more_epochs_but_not_without_end():
    assert [tune.scaled_epochs(3, share) for share in (1.0, 0.5, 0.25, 0.01)] == [3, 6, 12, 12]


@pytest.mark.sweep
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
        (["--units", "4,8", "--strategy", "none,multiworker"], "share the search itself by"),
        (["--seed", "0,1"], "--seed takes one value in a search, got 0, 1"),
        (["--objective", "acuracy"], "did you mean 'accuracy'"),
        (["--units", "4,8", "--ngrams", '"1,2'], "ngrams: a value in quotes must end"),
        (["--trial", "x", "--study-dir", "nowhere"], "study.json does not exist"),
        (["--worker", "a"], "give --study-dir alone"),
        (["--resume", "--study-dir", "nowhere"], "study.json does not exist"),
    ],
)
def test_what_cannot_be_searched_is_told_in_a_sentence(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["origin", "tune", *words]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A table of 60 names whose path has a comma, and another one without."""
    folder = tmp_path_factory.mktemp("names")
    for name in ("a,b.tsv", "c.tsv"):
        rows = [
            f"{'Ivan' if n % 2 else 'Jean'} {n}\t{'ru' if n % 2 else 'fr'}\n" for n in range(60)
        ]
        (folder / name).write_text("text\tlabel\n" + "".join(rows))
    return folder


def tuned(folder, *words):
    few = ["--epochs", "1", "--seeds", "1", "--num-features", "64", "--units", "4"]
    return cli.main(["origin", "tune", *few, "--study-dir", str(folder), *words])


@pytest.mark.sweep
def test_texts_with_commas_are_fixed_and_searched(names, tmp_path, monkeypatch):
    monkeypatch.chdir(names)
    words = ["--data", "a,b.tsv", "--ngrams", '"1,2",3', "--activation", "relu"]
    assert tuned(tmp_path / "study", *words) == 0
    rows = list(Records(tmp_path / "study").rows())
    assert [row["values"] for row in rows] == [{"ngrams": "1,2"}, {"ngrams": "3"}]
    stored = json.loads((tmp_path / "study" / "study.json").read_text())
    assert stored["fixed"]["data"] == "a,b.tsv"
    fixed = command.planned(origin, {"ngrams": '"1,2,3"', "units": "4,8"})
    assert fixed.fixed == {"ngrams": "1,2,3"}
    both = command.planned(origin, {"data": "a,b.tsv,c.tsv"})
    assert both.axes[0].values == ("a,b.tsv", "c.tsv")


def test_a_search_most_of_which_failed_exits_with_1_and_says_so(names, tmp_path, capsys):
    words = ["--data", str(names / "c.tsv"), "--activation", "relu,nosuch,nothing"]
    assert tuned(tmp_path / "study", *words) == 1
    printed = capsys.readouterr()
    assert "trial 2 failed: " in printed.out
    assert "Careful: 2 of 3 settings failed and were not compared: trial 2: " in printed.out
    assert "failed: only 1 of 3 settings could be trained" in printed.err
    assert "Traceback" not in printed.err
    best = tmp_path / "study" / "best.json"
    assert "2 of 3 settings failed" in json.loads(best.read_text())["warning"]
    assert stored_options(origin, best)["activation"] == "relu"
    assert "warning" not in stored_options(origin, best)


def test_a_search_all_of_which_failed_exits_with_1(names, tmp_path, capsys):
    words = ["--data", str(names / "c.tsv"), "--activation", "nosuch,nothing"]
    assert tuned(tmp_path / "study", *words) == 1
    assert "nothing to report: trial 1: " in capsys.readouterr().err


def test_a_search_by_loss_takes_the_smallest_and_the_epoch_where_it_was(names, tmp_path):
    words = ["--data", str(names / "c.tsv"), "--units", "2,8", "--objective", "loss"]
    assert tuned(tmp_path / "study", *words, "--epochs", "3") == 0
    stored = Study.load(tmp_path / "study")
    assert (stored.objective, stored.direction) == ("loss", "min")
    rows = {row["values"]["units"]: row["loss"] for row in Records(tmp_path / "study").rows()}
    best = json.loads((tmp_path / "study" / "best.json").read_text())
    assert best["units"] == min(rows, key=rows.get)
    for row in Records(tmp_path / "study").rows():
        path = tmp_path / "study" / "trials" / row["trial"] / "fraction-1-seed-0" / "history.csv"
        with path.open(newline="") as file:
            losses = [float(line["validation_loss"]) for line in csv.DictReader(file)]
        assert row["loss"] == pytest.approx(min(losses))


def test_a_metric_that_the_data_lacks_ends_the_search_with_those_that_it_has(
    names, tmp_path, capsys
):
    words = ["--data", str(names / "c.tsv"), "--units", "2,8", "--objective", "entity_f1"]
    assert tuned(tmp_path / "study", *words) == 2
    told = "validation has no entity_f1, but accuracy, loss: give --objective one of them"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        *((name, "min") for name in ("loss", "perplexity", "bits_per_character")),
        *((name, "max") for name in ("accuracy", "entity_f1", "f1_macro", "bleu", "chrf")),
        ("exact_match", "max"),
    ],
)
def test_errors_are_minimised_and_the_rest_is_maximised(name, direction):
    assert loop.direction_of(name) == direction


@pytest.mark.parametrize("name", registry.BUILTIN)
def test_a_recipes_own_objective_has_a_direction(name):
    task = registry.find(name)
    study = command.planned(task, {})
    smaller = study.objective in ("loss", "word_error_rate")
    assert study.direction == ("min" if smaller else "max")


SENTENCES = [[("Ann", "B-PER"), ("sees", "O"), ("Rome", "B-LOC")], [("Bo", "B-PER"), ("ran", "O")]]


def write_conll(path, tag=lambda tag: tag):
    rows = [
        "".join(f"{word}{number} {tag(name)}\n" for word, name in row)
        for number in range(20)
        for row in SENTENCES
    ]
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize(
    ("axis", "fixed"),
    swept(
        [
            (("--characters", "none,cnn"), ("--casing-dim", "0")),
            (("--characters", "cnn,none"), ("--casing-dim", "0")),
            (("--casing-dim", "0,8"), ("--characters", "none")),
            (("--affix-dim", "0,4"), ("--characters", "none", "--casing-dim", "0")),
        ],
        lambda axis, fixed: axis[1] == "0,8",
    ),
)
@pytest.mark.usefixtures("eagerly")
def test_a_search_over_what_a_tagger_reads_of_a_word_trains_every_setting(axis, fixed, tmp_path):
    data = write_conll(tmp_path / "mine.conll")
    words = ["--data", str(data), "--units", "4", "--embedding-dim", "4", "--head", "softmax"]
    words += ["--epochs", "1", "--seeds", "1", "--study-dir", str(tmp_path / "study")]
    assert cli.main(["ner", "tune", *words, *axis, *fixed]) == 0
    name = axis[0].removeprefix("--").replace("-", "_")
    rows = {str(row["values"][name]): row for row in Records(tmp_path / "study").rows()}
    assert set(rows) == set(axis[1].split(","))
    sizes = [rows[value]["parameters"] for value in axis[1].split(",")]
    assert sizes[0] != sizes[1]
    best = max(rows, key=lambda value: rows[value]["entity_f1"])
    stored = json.loads((tmp_path / "study" / "best.json").read_text())[name]
    assert rows[str(stored)]["entity_f1"] == rows[best]["entity_f1"]


def test_prepared_data_is_shared_by_runs_of_equal_data_options_and_by_no_others(tmp_path):
    data = write_conll(tmp_path / "mine.conll")
    trainings = tune.Trainings(ner, {}, tmp_path / "data")
    first = ner.configured({"data": str(data)})
    kept = trainings.data(first)
    for changed in ({"characters": "none"}, {"units": 7}, {"seed": 3}, {"learning_rate": 1.0}):
        assert trainings.data(dataclasses.replace(first, **changed)) is kept
    for changed in ({"batch_size": 3}, {"min_count": 2}, {"train_fraction": 0.5}):
        found = trainings.data(dataclasses.replace(first, **changed))
        assert found is not kept
    assert trainings.data(dataclasses.replace(first, batch_size=3)).batches["train"].batch_size == 3
    unlabelled = dataclasses.replace(first, unlabelled="text.txt")
    other = dataclasses.replace(unlabelled, seed=3)
    assert ner.data_of(unlabelled) != ner.data_of(other), "a language model is trained by the seed"


@pytest.mark.parametrize("name", registry.BUILTIN)
def test_no_option_of_the_model_reaches_the_data(name):
    recipe = registry.find(name)
    config = recipe.configured({"epochs": 1})
    data = {field.name for field in dataclasses.fields(recipe.data_options)}
    assert dataclasses.asdict(recipe.data_of(config)).keys() == data
    shared = data & set(recipe.model_options(config))
    # which say what a vector is, and how many steps of a waveform are one of the model
    assert shared <= {"num_features", "features", "hop_ms"}


def test_tags_that_mark_no_entities_are_searched_by_accuracy(tmp_path, capsys):
    data = write_conll(tmp_path / "plain.conll", lambda tag: tag.removeprefix("B-"))
    study = command.planned(ner, {"data": str(data), "units": "2,4"})
    assert study.objective == "entity_f1"
    measure = tune.Trainings(ner, study.fixed, tmp_path / "data", study.objective)
    found = command.judged(study, measure, chosen=False)
    assert (found.objective, measure.objective) == ("accuracy", "accuracy")
    assert "compared by accuracy" in capsys.readouterr().out
    assert command.judged(study, measure, chosen=True) is study
    whole = write_conll(tmp_path / "whole.conll")
    study = command.planned(ner, {"data": str(whole), "units": "2,4"})
    measure = tune.Trainings(ner, study.fixed, tmp_path / "data", study.objective)
    assert command.judged(study, measure, chosen=False) is study


def test_a_search_over_data_that_is_not_there_begins_no_study(tmp_path, capsys):
    assert tuned(tmp_path / "study", "--units", "2,4", "--data", "nosuch.tsv") == 2
    assert "got 'nosuch.tsv'" in capsys.readouterr().err
    assert not (tmp_path / "study" / "study.json").exists()


def test_data_that_cannot_be_read_ends_the_search_unless_it_is_searched(tmp_path):
    trainings = tune.Trainings(ner, {}, tmp_path)
    config = ner.configured({"data": "nosuch.conll"})
    with pytest.raises(StudyError, match=r"nosuch\.conll"):
        trainings.data(config, ["units"])
    with pytest.raises(InputError, match=r"nosuch\.conll") as error:
        trainings.data(config, ["data"])
    assert not isinstance(error.value, StudyError)


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
    corpus = Splits(["abcdef", "ghij"], ["k"], ["l"], continuous=True)
    assert share_of(corpus, 0.5, 0).train == ["abcde"]
    assert share_of(corpus, 0.8, 0).train == ["abcdef", "gh"]
    assert share_of(corpus, 1.0, 0) is corpus
