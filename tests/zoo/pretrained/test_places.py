"""Where trained models are looked for, and what is listed of them."""

import sys
from importlib.metadata import entry_points

import pytest

import zoo
from zoo import pretrained
from zoo.__main__ import main
from zoo.errors import InputError
from zoo.pipelines import Classifier
from zoo.text import NgramVectorizer

CARD = {"language": "en", "licence": "MIT", "metric": {"name": "accuracy", "value": 0.98765}}


@pytest.fixture(scope="module")
def made():
    model = zoo.build("one_to_one", num_features=20, num_classes=2, units=2)
    return Classifier(model, NgramVectorizer(20), ["no", "yes"])


@pytest.fixture
def places(made, tmp_path, monkeypatch):
    """A package of models, and a folder of the user's own: two models, one of them in both."""
    package = tmp_path / "site" / "some_models"
    package.parent.mkdir()
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('imported')\n")
    made.save(package / "origin-x", recipe="origin", about={"task": "origins", **CARD})
    info = package.parent / "some_models-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: some-models\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[rnn_zoo.models]\nsome = some_models\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(package.parent)])
    found = [each for each in entry_points(group="rnn_zoo.models") if each.value == "some_models"]
    monkeypatch.setattr("zoo.pretrained.places.entry_points", lambda group: found)
    home = tmp_path / "home"
    monkeypatch.setenv("RNN_ZOO_HOME", str(home))
    made.save(home / "origin-x", recipe="origin")
    made.save(home / "mine", recipe="sentiment", about={"language": "fr"})
    return package, home


def test_a_name_is_looked_up_in_packages_and_then_in_the_users_folder(places):
    package, home = places
    assert zoo.pretrained() == ["mine", "origin-x"]
    assert pretrained.find("origin-x") == package / "origin-x"
    assert pretrained.find("mine") == home / "mine"
    assert zoo.load("mine").classes == ["no", "yes"]


def test_a_folder_comes_before_a_name(places, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()  # no model
    assert pretrained.find("mine") == places[1] / "mine"
    (tmp_path / "mine").rmdir()
    made.save(tmp_path / "mine")
    assert pretrained.find("mine").resolve() == tmp_path / "mine"


def test_what_is_no_model_is_one_sentence(places, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = {
        "origin-y": "no trained model 'origin-y', .*: did you mean 'origin-x'",
        "runs/ner": "runs/ner does not exist: give a name",
        str(tmp_path): "holds no trained model: give a name",
        "http://x/y": "http://x/y is no address of a model: give hf://USER/NAME",
        "hf://only": "hf://only is no address",
    }
    for name, sentence in cases.items():
        with pytest.raises(InputError, match=sentence):
            zoo.load(name)
    (tmp_path / "runs" / "ner" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "ner" / "one" / "config.json").write_text('{"recipe": "ner"}')
    with pytest.raises(InputError, match="give one of its runs, such as runs/ner/one"):
        zoo.load("runs/ner")
    (tmp_path / "saved_model.pb").write_text("")
    with pytest.raises(InputError, match="is an exported model, which tf.saved_model.load"):
        zoo.load(tmp_path)
    monkeypatch.setenv("RNN_ZOO_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("zoo.pretrained.places.entry_points", lambda group: [])
    with pytest.raises(InputError, match="install some with `pip install rnn-zoo-models`"):
        zoo.load("pos-en")


def test_names_are_filtered_and_a_misspelt_filter_names_the_nearest(places):
    assert zoo.pretrained(task="origins") == zoo.pretrained(language="en") == ["origin-x"]
    assert zoo.pretrained(task="sentiment") == ["mine"]
    assert zoo.pretrained(topology="one_to_one") == ["mine", "origin-x"]
    assert zoo.pretrained(task="origins", language="fr") == []
    with pytest.raises(InputError, match="no trained model has the task 'origin': did you mean"):
        zoo.pretrained(task="origin")


def test_the_command_prints_a_table(places, capsys):
    assert main(["list", "--pretrained"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "task", "language", "metric", "size", "licence"]
    assert lines[1].split() == ["mine", "sentiment", "fr", "0.0", "MB"]
    cells = ["origin-x", "origins", "en", "accuracy", "0.9877", "0.0", "MB", "MIT"]
    assert lines[2].split() == cells and lines[4] == 'zoo.load("mine") loads one of them.'
    assert main(["list", "--pretrained", "--language", "en"]) == 0
    assert "mine" not in capsys.readouterr().out
    assert main(["list", "--language", "en"]) == 2
    assert "give --pretrained, too" in capsys.readouterr().err


def test_the_users_folder_is_in_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("RNN_ZOO_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pretrained.home() == tmp_path / "rnn-zoo"
    monkeypatch.setenv("RNN_ZOO_HOME", "~/models")
    assert pretrained.home().name == "models" and pretrained.home().is_absolute()
