"""Epochs and patience where the user gives none: by the size of the training split."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from recipes import cli, commands, registry
from recipes.config import TrainingConfig
from recipes.run import Run
from recipes.training import epochs, loop
from recipes.training.checkpoint import Progression
from recipes.training.epochs import EpochRule
from recipes.tuning import command, measure
from tests.recipes import tiny
from tests.sweeps import swept
from zoo.options import divided
from zoo.tuning.storage import Run as TrialRun

pytestmark = pytest.mark.usefixtures("eagerly")

RECIPES = tuple(registry.BUILTIN)


def task_of(name: str) -> Any:
    return registry.find(name)


@pytest.mark.parametrize(
    ("name", "size", "expected", "patience"),
    [
        ("sentiment", 22_500, 3, 2),  # IMDB
        ("sentiment", 1_600, 15, 10),
        ("sentiment", 3_000_000, 3, 2),
        ("origin", 15_992, 30, 8),  # the surnames
        ("names", 14_410, 16, 4),
        ("melodies", 229, 20, 4),  # the chorales
        ("generation", 1_003_854, 6, 3),  # tiny Shakespeare
        ("generation", 100_000, 24, 12),
        ("translation", 29_000, 10, 5),  # Multi30k
        ("translation", 2_900, 40, 20),
        ("pos", 12_544, 8, 5),  # EWT
        ("pos", 1_000, 37, 24),
        ("signals", 2_430, 30, 8),  # the spoken digits
    ],
)
def test_the_sizes_that_defaults_were_measured_on_keep_them_and_smaller_ones_get_more(
    name, size, expected, patience
):
    rule = task_of(name).config.RULE
    assert (rule.epochs(size), rule.patience_for(size)) == (expected, patience)


@pytest.mark.parametrize("name", RECIPES)
def test_less_data_never_takes_more_time_in_all_and_no_split_more_than_100_epochs(name):
    rule = task_of(name).config.RULE
    sizes = [1, 10, 100, 1_000, 10_000, 100_000, 10**6, 10**9]
    chosen = [rule.epochs(size) for size in sizes]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] == 100 and chosen[-1] == rule.least
    passes = [(count - 1) * size for count, size in zip(chosen, sizes, strict=True)]
    assert passes == sorted(passes)
    assert rule.epochs(0) == 100


@pytest.mark.parametrize("name", RECIPES)
def test_own_data_leaves_the_epochs_open_and_the_built_in_corpus_has_its_own(name):
    task = task_of(name)
    own = task.configured({"data": "mine.tsv"})
    assert (own.epochs, own.patience) == (None, None)
    builtin = task.configured({})
    assert builtin.epochs >= 1 and builtin.patience >= 1
    given = task.configured({"data": "mine.tsv", "epochs": 7, "patience": 4})
    settled = epochs.settled(given, 10)
    assert (settled.epochs, settled.patience) == (7, 4)


@pytest.mark.parametrize(
    ("size", "given", "expected"),
    [
        (3_394, {}, (10, 5)),  # WNUT-17
        (7_999, {}, (10, 5)),
        (8_000, {}, (40, 10)),
        (14_041, {}, (40, 10)),  # CoNLL-2003
        (300, {}, (40, 20)),
        (14_041, {"epochs": 4}, (4, 10)),
        (14_041, {"patience": 3}, (40, 3)),
        (14_041, {"keep_epoch": 45}, (45, 10)),
    ],
)
def test_named_entities_of_larger_data_get_more_epochs(size, given, expected):
    config = epochs.settled(task_of("ner").configured({"data": "mine", **given}), size)
    assert (config.epochs, config.patience) == expected
    letters = ("2,3,4", 100) if size >= 8_000 else ("3", 50)
    assert (config.character_widths, config.character_units) == letters


def test_an_epoch_that_is_to_be_kept_is_reached():
    config = task_of("sentiment").config(data="mine.tsv", keep_epoch=9)
    assert epochs.settled(config, 10**6).epochs == 9
    assert epochs.settled(config, 1_600).epochs == 15


def test_the_size_of_plain_text_is_its_characters():
    assert epochs.size_of(["abc", "de"]) == 5
    assert epochs.size_of([object()] * 3) == 3
    assert epochs.size_of([]) == 0


def own_files(folder: Path) -> dict[str, list[str]]:
    """Recipe -> the options that name a small data set of its kind."""
    table = tiny.write_tsv(folder / "reviews.tsv")
    sentence = "\n".join(f"word{n} {tag}" for n, tag in enumerate(["O", "B-x", "I-x", "O"]))
    (folder / "tags.txt").write_text(
        "\n\n".join(sentence.replace("word1", f"w{n}") for n in range(50)) + "\n", encoding="utf-8"
    )
    lines = [f"line {n} of the text\tZeile {n} des Textes\n" for n in range(60)]
    (folder / "pairs.tsv").write_text("".join(lines), encoding="utf-8")
    text = "".join(f"Line {n} of a text that is short.\n" for n in range(400))
    (folder / "text.txt").write_text(text, encoding="utf-8")
    tags = ["--data", str(folder / "tags.txt")]
    marks = [f"{n % 3},{n % 5},{n % 7},{n % 2}:{'ab'[n % 2]}\n" for n in range(50)]
    series = "@classLabel true a b\n@data\n" + "".join(marks)
    (folder / "series.ts").write_text(series, encoding="utf-8")
    hours = "".join(f"{n},{n % 24}\n" for n in range(400))
    (folder / "hours.csv").write_text("time,load\n" + hours, encoding="utf-8")
    series_file = ["--data", str(folder / "series.ts")]
    return {
        "signals": series_file,
        "digits": series_file,
        "forecasting": ["--data", str(folder / "hours.csv")],
        "sentiment": tiny.options(table),
        "origin": tiny.options(table),
        "names": tiny.options(table),
        "ner": tags,
        "pos": tags,
        "translation": ["--data", str(folder / "pairs.tsv"), "--source", "0", "--target", "1"],
        "generation": ["--data", str(folder / "text.txt")],
    }


@pytest.mark.parametrize(
    "name",
    swept(
        [name for name in RECIPES if name != "melodies"],
        lambda name: name in ("names", "ner"),
    ),
)
def test_each_recipe_reports_what_it_chose_for_own_data_and_counts_the_share(
    name, tmp_path, capsys
):
    task = task_of(name)
    parsed = commands.parse(task, "train", own_files(tmp_path)[name])
    given, _ = divided(task.config, parsed)
    chosen = []
    for share in (1.0, 0.5):
        run = Run.begin(task, {**given, "train_fraction": share}, tmp_path / str(share))
        prepared, config = run.load_data(), run.config
        size = epochs.size_of(prepared.splits.train)
        assert config.epochs == task.config.RULE.epochs(size)
        assert config.patience == task.config.RULE.patience_for(size)
        said = f"epochs: {config.epochs} at most ({size:,} {task.config.RULE.unit}; --epochs sets"
        assert said in capsys.readouterr().out
        chosen.append((config.epochs, size))
    assert chosen[0][1] > chosen[1][1]
    assert chosen[0][0] <= chosen[1][0]


def test_the_choice_is_stored_and_a_resumed_run_keeps_it(tmp_path, capsys):
    data = tiny.write_tsv(tmp_path / "reviews.tsv")
    words = ["origin", "train", *tiny.options(data), "--run-dir", str(tmp_path / "run")]
    assert cli.main([*words, "--units", "4", "--learning-rate", "0.05", "--minutes", "1e-9"]) == 0
    said = capsys.readouterr().out
    stored = json.loads((tmp_path / "run" / "config.json").read_text())
    assert f"epochs: {stored['epochs']} at most" in said
    assert (stored["epochs"], stored["patience"]) == (100, 27)
    assert "epoch 1/100" in said
    config = Run.resume(task_of("origin"), {}, tmp_path / "run").config
    assert (config.epochs, config.decay) == (100, "cosine")
    words = ["origin", "train", "--resume", "--run-dir", str(tmp_path / "run"), "--epochs", "9"]
    assert cli.main(words) == 2
    assert "--epochs 9 (the run has 100)" in capsys.readouterr().err


def test_a_run_that_was_cut_before_the_choice_takes_any_number_of_epochs(tmp_path):
    task = task_of("origin")
    config = task.configured({"data": "mine.tsv"})
    Run(task, config, tmp_path).write_config()
    assert Run.resume(task, {"epochs": 9}, tmp_path).config.epochs == 9


def test_the_help_says_that_the_epochs_are_chosen(capsys):
    with pytest.raises(SystemExit):
        cli.main(["sentiment", "train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "chosen by its size: 3 for 22,000 training rows or more, more for fewer" in said


def test_a_search_chooses_for_each_share_unless_its_algorithm_needs_one_number(tmp_path, capsys):
    task = task_of("origin")
    data = tiny.write_tsv(tmp_path / "reviews.tsv")
    plain = {"data": str(data), "text_column": "review", "label_column": "stars", "units": "4,8"}
    assert command.planned(task, dict(plain)).fixed.get("epochs") is None
    study = command.planned(task, {**plain, "algorithm": "hyperband"})
    assert study.epochs == study.fixed["epochs"] == 100
    assert "epochs: 100 at most" in capsys.readouterr().out
    trainings = measure.Trainings(task, {"data": str(data)}, tmp_path)
    run = TrialRun("0", {"units": 4}, fraction=0.5, seed=0, directory=tmp_path / "run")
    assert trainings.config(run).epochs is None
    trainings = measure.Trainings(task, {"data": str(data), "epochs": 3}, tmp_path)
    assert trainings.config(run).epochs == 6


def test_a_search_over_layers_settles_each_setting_before_it_prepares_the_data(
    tmp_path, monkeypatch
):
    """Two layers allow no neighbouring words; the data of one layer has labels for them."""
    monkeypatch.setattr("recipes.ner.config.LARGE", 20)
    task, files = task_of("ner"), own_files(tmp_path)["ner"]
    trainings = measure.Trainings(task, {"data": files[1], "epochs": 1}, tmp_path)
    found = []
    for layers in (1, 2, 1):
        values = {"num_layers": layers}
        run = TrialRun("0", values, fraction=1.0, seed=0, directory=tmp_path / "run")
        config = trainings.settled(trainings.config(run), values)
        prepared = trainings.data(config, values)
        model = task.build(config, prepared)
        batches = task.batches(model, config, prepared, "train")
        found.append((config.neighbour_words, sorted(batches.encoded.others)))
    both = ["next_word", "previous_word"]
    assert found == [(2_000, both), (0, []), (2_000, both)]


def progression(*scores: float, name: str = "validation_accuracy") -> Progression:
    best = max(range(len(scores)), key=lambda n: scores[n] * (-1 if "loss" in name else 1))
    rows = [{"epoch": n, "loss": 1.0, name: score} for n, score in enumerate(scores, 1)]
    return Progression(epoch=len(scores), best_epoch=best + 1, history=rows)


@pytest.mark.parametrize(
    ("scores", "changes", "expected"),
    [
        ((0.5, 0.6, 0.7), {}, "continue the run with: RESUME --epochs 6"),
        ((0.5, 0.6, 0.7), {"decay": "cosine"}, "train a new run with: AGAIN --epochs 6"),
        ((0.5, 0.7), {"minutes": 2.0}, "continue the run with: RESUME --minutes 4"),
        ((0.5, 0.7, 0.6), {}, None),
        ((0.5, 0.7, 0.7001), {}, None),
        ((0.5, 0.6, 0.7), {"keep_epoch": 3}, None),
        ((0.7,), {"epochs": 1}, None),
    ],
)
def test_a_training_that_still_improved_says_how_to_go_on(scores, changes, expected):
    config = dataclasses.replace(TrainingConfig(epochs=3), **changes)
    said = loop.how_to_go_on(progression(*scores), config, "RESUME", "AGAIN")
    if expected is None:
        assert said is None
    else:
        assert expected in said
        assert said.startswith("validation was still improving in the last epoch; ")


def test_a_falling_validation_loss_is_an_improvement():
    done = progression(3.0, 2.0, 1.5, name="validation_loss")
    said = loop.how_to_go_on(done, TrainingConfig(epochs=3), "RESUME", "AGAIN")
    assert "RESUME --epochs 6" in said


def test_a_rule_rounds_up_but_not_by_a_last_bit():
    rule = EpochRule(least=10, reference=1_000, patience=2)
    assert [rule.epochs(size) for size in (1_000, 999, 1_001)] == [10, 11, 10]
