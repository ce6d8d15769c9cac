"""`rnn-zoo convert`: a trained model as a SavedModel or an ONNX bundle, with its card."""

import json

import pytest
import tensorflow as tf

import zoo
from zoo import pretrained
from zoo.__main__ import main
from zoo.formats import LITERT_SIZES
from zoo.litert.graphs import Sizes
from zoo.pipelines import Classifier
from zoo.text import NgramVectorizer

ABOUT = {
    "licence": "MIT",
    "data": ["names"],
    "metric": {"name": "accuracy", "value": 0.9},
    "examples": ["Ann"],
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = zoo.build("one_to_one", num_features=20, num_classes=2, units=2)
    pipeline = Classifier(model, NgramVectorizer(20), ["no", "yes"])
    folder = tmp_path_factory.mktemp("saved") / "mine"
    pipeline.save(folder, recipe="origin", about=ABOUT, metrics={"test": {}}, card="# mine\n")
    return folder, pipeline


def test_an_export_answers_as_the_model_and_says_what_it_is(saved, tmp_path, capsys):
    folder, pipeline = saved
    assert main(["convert", str(folder), "--export-dir", str(tmp_path)]) == 0
    assert f"exported: {tmp_path / 'mine' / '1'} (loaded" in capsys.readouterr().out
    version = tmp_path / "mine" / "1"
    served = tf.saved_model.load(str(version)).signatures["serving_default"]
    texts = ["Ann", "Bob"]
    assert [x.decode() for x in served(text=tf.constant(texts))["label"].numpy()] == pipeline(texts)
    known = json.loads((version / "assets.extra" / "provenance.json").read_text())
    assert known["model"] == "mine" and known["recipe"] == "origin" and known["data"] == "names"
    assert known["licence"] == "MIT" and known["metric"] == ABOUT["metric"]
    assert known["examples"] == ["Ann"]
    assert (version / "assets.extra" / "card.md").read_text() == "# mine\n"
    assert json.loads((version / "assets.extra" / "metrics.json").read_text()) == {"test": {}}


def test_another_format_has_a_folder_of_its_own(saved, tmp_path):
    version = pretrained.export(saved[0], tmp_path, "onnx", int8=True)
    assert version == tmp_path / "mine-onnx" / "1" and (version / "runtime.json").is_file()
    assert (version / "assets.extra" / "card.md").is_file()


def test_the_sizes_that_help_shows_are_those_of_litert():
    assert {name: default for name, (_, default) in LITERT_SIZES.items()} == Sizes()._asdict()


def test_a_wrong_request_is_one_sentence(saved, tmp_path, capsys):
    cases = {
        (str(saved[0]), "--int8"): "--int8 is for --format onnx, triton and litert: leave it out",
        ("no-such-model",): "there is no trained model 'no-such-model'",
    }
    for words, sentence in cases.items():
        assert main(["convert", *words, "--export-dir", str(tmp_path / "none")]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
