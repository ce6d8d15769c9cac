"""The models of the distribution: their declarations, and a tiny one made from two trainings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import zoo
from models import cards, entries, overview, packaging
from models.__main__ import main
from models.entries import MODELS
from models.licences import text as licences
from models.records import Record, words_of_all
from models.training import DONE, value_of, words_of
from recipes import commands, registry
from zoo.errors import Failure
from zoo.system.artefact import read_config

FOLDER = Path(__file__).parents[2] / "models"
ENTRIES = {entry.name: entry for entry in MODELS}
TINY = replace(
    ENTRIES["origin"],
    name="tiny",
    data="builtin",
    options=("--num-features", "64", "--units", "4", "--epochs", "2"),
    seeds=(0, 1),
)


def test_names_are_unique_and_each_topology_has_a_model():
    assert len(ENTRIES) == len(MODELS)
    known = {entry.recipe for entry in MODELS}
    assert known >= set(registry.BUILTIN)
    assert {entry.language for entry in MODELS} == {"", "en", "en-fr", "fr-en"}


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.name)
def test_the_options_of_a_model_are_those_of_its_recipe(entry):
    recipe = registry.find(entry.recipe)
    for seed in entry.seeds:
        words = words_of(entry, seed, Path("data"), Path("runs"))
        options = commands.parse(recipe, "train", words)
        assert not any("{" in word for word in words) and options["seed"] == seed
        for name in ("config", "resume", "run_dir", "monitor", "find_rate"):
            options.pop(name, None)
        recipe.configured(options)


def test_the_packaged_models_are_declared_whole_and_small_enough():
    folders = [
        path for path in (FOLDER / "rnn_zoo_models").iterdir() if (path / "card.md").exists()
    ]
    assert folders, "no model is packaged"
    for folder in folders:
        content = read_config(folder)
        entry = ENTRIES[folder.name]
        assert content["recipe"] == entry.recipe and content["about"]["licence"] == entry.licence
        assert content["about"]["task"] == entry.task and "name" in content["model"]
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        value = value_of(entry.metric, metrics)
        assert content["about"]["metric"]["value"] == round(value, 4)
        card = (folder / "card.md").read_text(encoding="utf-8")
        assert f"| **{value:.4g}** |" in card and entry.limits.split()[0] in card
    assert packaging.check_budget(FOLDER / "rnn_zoo_models") <= entries.BUDGET
    assert (FOLDER / "LICENSES.md").read_text(encoding="utf-8") == licences(MODELS)


def test_the_page_has_a_row_for_each_packaged_model(tmp_path):
    page = overview.PAGE.read_text(encoding="utf-8")
    assert overview.table(FOLDER / "rnn_zoo_models") in page
    copy = tmp_path / "page.md"
    copy.write_text(page.replace("| [pos-en]", "| [gone]"), encoding="utf-8")
    overview.write(FOLDER / "rnn_zoo_models", copy)
    assert copy.read_text(encoding="utf-8") == page


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two tiny trainings, packaged."""
    place = tmp_path_factory.mktemp("models")
    words = ["--runs", str(place / "runs"), "--out", str(place / "package" / "models")]
    (place / "package").mkdir()
    assert main(words, [TINY]) == 0
    return place, words


def test_a_model_is_that_of_the_best_seed_with_a_card(made):
    place, _ = made
    folder = place / "package" / "models" / "tiny"
    runs = [place / "runs" / "tiny" / f"seed-{seed}" for seed in (0, 1)]
    metrics = [json.loads((run / "metrics.json").read_text()) for run in runs]
    validation = [each["validation"]["accuracy"] for each in metrics]
    best = metrics[validation.index(max(validation))]
    assert json.loads((folder / "metrics.json").read_text()) == best
    content = read_config(folder)
    assert content["about"]["metric"] == {
        "name": "accuracy",
        "value": round(best["test"]["accuracy"], 4),
    }
    pipeline = zoo.load(folder)
    assert pipeline.model.count_params() == best["parameters"]
    card = (folder / "card.md").read_text()
    values = ", ".join(f"{each['test']['accuracy']:.4g}" for each in metrics)
    assert f"| accuracy | **{best['test']['accuracy']:.4g}** | {values} |" in card
    assert f"{best['parameters']} parameters" in card and "Licence of the weights: MIT." in card
    assert "python -m models tiny --data DATA" in card
    assert "--num-features 64 --units 4 --epochs 2 --seed 0" in card
    wrong = card.partition("wrong answers on the test split")[2].split("\n")[2]
    text, _, rest = wrong.removeprefix("- ").partition(" -> ")
    predicted, _, expected = rest.removesuffix(")").partition(" (expected ")
    assert pipeline(text) == [predicted] != [expected]
    assert all(len(line) <= 100 for line in card.splitlines() if not line.startswith("python"))


@pytest.mark.sweep
def test_finished_trainings_are_kept_and_others_go_on(made, capsys, monkeypatch):
    place, words = made
    run = place / "runs" / "tiny" / "seed-1"
    (run / DONE).unlink()  # as if it was interrupted before it was measured
    state = (place / "runs" / "tiny" / "seed-0" / "metrics.json").stat().st_mtime_ns
    assert main(words, [TINY]) == 0
    printed = capsys.readouterr().out
    assert "seed 0" not in printed and "seed 1" in printed and "epoch 1/" not in printed
    assert (place / "runs" / "tiny" / "seed-0" / "metrics.json").stat().st_mtime_ns == state
    other = replace(TINY, options=(*TINY.options, "--dropout", "0.1"))
    assert main(words, [other]) == 2
    assert "was trained with other options" in capsys.readouterr().err
    assert main(["tinny"], [TINY]) == 2
    assert "did you mean 'tiny'?" in capsys.readouterr().err
    monkeypatch.setattr(packaging, "BUDGET", 100)
    assert main(words, [TINY]) == 1
    assert "more than 25" in capsys.readouterr().err


@pytest.mark.sweep
def test_seeds_are_trained_one_at_a_time_and_earlier_ones_stay_in_the_card(tmp_path, capsys):
    entry = replace(TINY, examples=("Moretti",))
    out = tmp_path / "package" / "models"
    for seed in (0, 1):
        words = ["--runs", str(tmp_path / f"runs-{seed}"), "--out", str(out)]
        assert main([*words, "--seeds", str(seed)], [entry]) == 0
    content = json.loads((out.parent / "records" / "tiny.json").read_text())
    runs = [
        json.loads((tmp_path / f"runs-{n}" / "tiny" / f"seed-{n}" / "metrics.json").read_text())
        for n in (0, 1)
    ]
    assert content["seeds"] == {"0": runs[0], "1": runs[1]}
    validation = [each["validation"]["accuracy"] for each in runs]
    better = validation.index(max(validation))
    assert content["packaged"]["seed"] == better
    assert json.loads((out / "tiny" / "metrics.json").read_text()) == runs[better]
    card = (out / "tiny" / "card.md").read_text()
    values = ", ".join(f"{each['test']['accuracy']:.4g}" for each in runs)
    assert "| metric | this model | seeds 0, 1 | mean (sd) |" in card and f"| {values} |" in card
    assert f"- Moretti -> {zoo.load(out / 'tiny')('Moretti')[0]}" in card
    changed = replace(entry, limits="Elsewhere.")
    assert main([*words, "--cards"], [changed]) == 0
    assert "\nElsewhere.\n" in (out / "tiny" / "card.md").read_text()
    assert zoo.load(out / "tiny")("Moretti") == [card.rpartition("Moretti -> ")[2].split("\n")[0]]
    other = replace(entry, options=(*entry.options, "--dropout", "0.1"))
    assert main([*words, "--cards"], [other]) == 2
    assert "tiny: there is no record of its trainings with these" in capsys.readouterr().err
    assert main([*words, "--seeds", "7"], [entry]) == 2
    assert "--seeds 7: tiny has the seeds 0, 1" in capsys.readouterr().err


def test_a_record_of_other_options_counts_no_more(made):
    folder = made[0] / "package" / "records"
    known = Record.read(TINY, folder)
    assert set(known.seeds) == {0, 1} and known.packaged.parameters > 0
    other = replace(TINY, options=(*TINY.options, "--dropout", "0.1"))
    assert Record.read(other, folder) == Record(words_of_all(other))


def test_the_card_of_a_packaged_model_is_that_of_its_record():
    names = [path.stem for path in (FOLDER / "records").glob("*.json")]
    assert names
    for name in names:
        record = Record.read(ENTRIES[name], FOLDER / "records")
        assert record.packaged, f"{name}: its options changed since it was trained"
        card = (FOLDER / "rnn_zoo_models" / name / "card.md").read_text(encoding="utf-8")
        assert card == cards.text(ENTRIES[name], record)


def test_a_stored_model_that_scores_otherwise_is_refused():
    before = {"accuracy": 0.95, "bleu": 33.0, "f1": {}}
    packaging.compare(TINY, before, {"accuracy": 0.9509, "bleu": 33.03})
    with pytest.raises(Failure, match=r"accuracy is 0.95 in float32 and 0.948 in float16"):
        packaging.compare(TINY, before, {"accuracy": 0.948})
    with pytest.raises(Failure, match="bleu is 33.0 in float32 and 33.2"):
        packaging.compare(TINY, before, {"bleu": 33.2})


def test_the_commands_are_listed(capsys):
    assert main(["pos-en", "--list", "--data", "d"]) == 0
    first, second, _ = capsys.readouterr().out.splitlines()
    assert "--unlabelled d/wikitext2/wiki.train.tokens.gz" in first
    assert "--context runs/models/pos-en/seed-0" in second and "--unlabelled" not in second
