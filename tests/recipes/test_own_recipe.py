"""A recipe and an architecture of the user's own, outside of the package."""

import json
import re
import shlex
import sys
from pathlib import Path

import keras
import pytest

from recipes import cli, registry
from recipes.recipe import Recipe
from recipes.run import Run
from tests.recipes import tiny
from zoo.errors import InputError
from zoo.registry import architecture, registered

PAGE = (Path(__file__).parents[2] / "docs" / "own_recipe.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setattr(registry, "modules_of_user", [])
    yield tmp_path
    for name in ("majority", "deep"):
        sys.modules.pop(name, None)
        registry._RECIPES.pop(name, None)


@pytest.mark.sweep
def test_the_recipe_of_the_page_runs_by_the_commands_of_the_page(folder, capsys):
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    (folder / "majority.py").write_text(first)
    (folder / "deep.py").write_text(second)
    (shell,) = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    for command in shell.splitlines():
        program, *words = shlex.split(command)
        assert program == "rnn-zoo"
        assert cli.main(words) == 0
    said = capsys.readouterr().out
    (run,) = (folder / "runs" / "majority").iterdir()
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.8
    (study,) = (folder / "studies" / "majority").iterdir()
    assert {"report.md", "best.json"} <= {path.name for path in study.iterdir()}
    hint = re.search(r"ask it with: python -m recipes (.*)", said)
    assert hint and "--module majority" in hint[1]
    assert (folder / "saved_models" / "majority" / "1").is_dir()
    registry.import_module("deep")
    deep = registry.find("deep")
    config = deep.configured({"bits": 15, "split_seed": 3})
    assert {len(row.text) for row in deep.load(deep.data_of(config)).train} == {15}
    assert cli.main(["--module", "majority"]) == 0
    assert "the bit that occurs more often" in capsys.readouterr().out


def test_a_page_that_stands_in_a_runs_folder_and_in_an_export_names_their_files(folder):
    data = tiny.write_tsv(folder / "reviews.tsv")
    words = ["origin", *tiny.options(data), "--units", "4", "--epochs", "1", "--run-dir", "run"]
    assert cli.main(words) == 0
    page = (folder / "run" / "README.md").read_text()
    for path in (folder / "run").iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in page, path.name
    version = folder / "saved_models" / "origin" / "1"
    page = (version / "README.md").read_text()
    assert "## `serving_default`" in page
    assert "- input `text`: string (B)" in page
    assert "- output `probabilities`: float32 (B, 5)" in page
    assert "README.md" in (version / "SHA256SUMS").read_text()


def bag_of_vectors(
    *,
    vocabulary_size: int,
    num_classes: int,
    embedding_dim: int = 8,
    hidden: int = 0,
    squashed: bool = False,
    name: str = "bag_of_vectors",
) -> keras.Model:
    """The mean of the tokens' vectors.

    Args:
        vocabulary_size: V.
        num_classes: C.
        embedding_dim: E.
        hidden: Units of a hidden layer; 0 = none.
        squashed: Apply tanh to the mean.
        name: The model's name.
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    vectors = keras.layers.Embedding(vocabulary_size, embedding_dim)(token_ids)
    mean = keras.layers.GlobalAveragePooling1D()(vectors)
    mean = keras.ops.tanh(mean) if squashed else mean
    mean = keras.layers.Dense(hidden, "relu", name="hidden")(mean) if hidden else mean
    return keras.Model(token_ids, keras.layers.Dense(num_classes)(mean), name=name)


@pytest.mark.usefixtures("eagerly")
def test_an_architecture_without_a_cell_trains_and_refuses_the_cells_flag(folder, capsys):
    data = tiny.write_tsv(folder / "reviews.tsv")
    words = ["sentiment", "train", *tiny.options(data), "--architecture", "bag_of_vectors"]
    words += ["--epochs", "2", "--min-count", "1", "--embedding-dim", "6", "--run-dir", "run"]
    with registered("bag_of_vectors", bag_of_vectors, topology="many_to_one"):
        assert cli.main(words) == 0
        assert "model: bag_of_vectors" in capsys.readouterr().out
        assert cli.main([*words[:-1], "other", "--cell", "gru"]) == 2
        assert "bag_of_vectors has no option 'cell'" in capsys.readouterr().err


@pytest.mark.sweep
@pytest.mark.usefixtures("eagerly")
def test_an_architectures_own_options_are_flags_of_train_and_tune(folder, capsys):
    data = tiny.write_tsv(folder / "reviews.tsv")
    words = [*tiny.options(data), "--architecture", "bag_of_vectors", "--epochs", "1"]
    words += ["--min-count", "1", "--embedding-dim", "6"]
    own = ["--hidden", "3", "--squashed", "--run-dir", "run"]
    with registered("bag_of_vectors", bag_of_vectors, topology="many_to_one"):
        assert cli.main(["sentiment", "train", *words, *own]) == 0
        stored = json.loads(Path("run/config.json").read_text())
        assert (stored["hidden"], stored["squashed"], stored["embedding_dim"]) == (3, True, 6)
        assert "cell" not in stored
        model = Run.open(registry.find("sentiment"), Path("run")).best_model()
        assert model.get_layer("hidden").units == 3
        resumed = ["sentiment", "train", "--resume", "--run-dir", "run", "--hidden", "4"]
        assert cli.main(resumed) == 2
        assert "--hidden 4 (the run has 3)" in capsys.readouterr().err
        assert cli.main(["sentiment", "evaluate", "--run-dir", "run"]) == 0
        search = ["--hidden", "2,4", "--seeds", "1", "--fractions", "1", "--study-dir", "study"]
        assert cli.main(["sentiment", "tune", *words, *search]) == 0
    best = json.loads(Path("study/best.json").read_text())
    assert best["hidden"] in (2, 4) and best["architecture"] == "bag_of_vectors"


@pytest.mark.usefixtures("eagerly")
def test_a_run_without_newer_options_in_its_file_opens_with_their_defaults(folder):
    data = tiny.write_tsv(folder / "reviews.tsv")
    words = ["sentiment", "train", *tiny.options(data), "--epochs", "1", "--units", "4"]
    assert cli.main([*words, "--min-count", "1", "--run-dir", "run"]) == 0
    path = Path("run/config.json")
    stored = json.loads(path.read_text())
    newer = ("zoneout", "cell_options", "residual", "learned_initial_state", "dense_layers")
    path.write_text(json.dumps({k: v for k, v in stored.items() if k not in newer}))
    assert cli.main(["sentiment", "evaluate", "--run-dir", "run"]) == 0


@pytest.mark.parametrize("name", registry.BUILTIN)
def test_every_option_of_the_builder_has_a_flag_but_those_that_the_data_decide(name):
    recipe = registry.find(name)
    options = architecture(recipe.config.architecture).options
    flags = {
        each.name
        for group in recipe.option_groups([recipe.config.architecture]).values()
        for each in group
    }
    assert set(options) - flags <= {*recipe.sized_by_data, *recipe.unused, "name"}
    assert {"units", "num_layers", "dropout"} <= flags


def test_a_recipe_cannot_take_the_name_of_another():
    with pytest.raises(InputError, match="'sentiment' is a recipe already"):

        @registry.register
        class Sentiment(Recipe):
            name = "sentiment"


def test_an_unknown_module_is_one_sentence(capsys):
    assert cli.main(["sentiment", "train", "--module", "no_such_module"]) == 2
    assert "--module no_such_module" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["{}/valued.py", "{}/valued"])
def test_a_module_may_be_a_path(tmp_path, monkeypatch, word):
    (tmp_path / "valued.py").write_text("VALUE = 3")
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(registry, "modules_of_user", [])
    registry.import_module(word.format(tmp_path))
    assert sys.modules.pop("valued").VALUE == 3
    assert registry.modules_of_user == [word.format(tmp_path)]
