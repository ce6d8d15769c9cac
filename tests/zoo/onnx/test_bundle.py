"""Bundles: what is in the folder, that it is complete or not there, and a client of its steps."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest

import zoo
from tests.zoo.onnx.running import run, session
from tests.zoo.onnx.test_models import build
from zoo import errors
from zoo.export import ExportError
from zoo.onnx import architectures, bundle
from zoo.onnx.graph import onnx_package
from zoo.pipelines import Classifier, Tagger, Writer
from zoo.pipelines.pipeline import Pipeline
from zoo.system import checksums
from zoo.text import TextCodec, TokenVectorizer, Vectorizer

ABOUT = {"pipeline": "Classifier", "options": {}}
SENTENCES = ["a good film", "a bad film", "it isn't bad!", "great 👍🏽 day"]


def writer():
    codec = TextCodec.learn(SENTENCES)
    model = build(
        "language_model",
        vocabulary_size=len(codec.vocabulary),
        units=6,
        embedding_dim=5,
        explicit_states=True,
    )
    return Writer(model, codec)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return writer().export_onnx(tmp_path_factory.mktemp("saved_models") / "poems-onnx")


def test_a_folder_has_graphs_words_options_and_checksums(folder):
    assert folder.name == "1"
    names = {each.name for each in folder.iterdir()}
    graphs = {"model.onnx", "read.onnx", "start.onnx", "step.onnx"}
    assert names == graphs | {"README.md", "SHA256SUMS", "codec.txt", "runtime.json"}
    checksums.verify_tree(folder)
    content = json.loads((folder / "runtime.json").read_text())
    assert content["format"] == 1 and content["opset"] == 18
    assert content["pipeline"] == "Writer" and content["options"] == {"ends": True}
    assert content["states"] == ["state_0_0", "state_0_1"]
    assert content["graphs"] == {name.removesuffix(".onnx"): name for name in graphs}
    assert content["text_paths"]["codec"]["class"] == "TextCodec"
    assert content["text_paths"]["codec"]["files"] == ["codec.txt"]
    assert TextCodec.load(folder, "codec", **content["text_paths"]["codec"]["options"])


def test_a_second_export_is_the_next_version(folder):
    assert writer().export_onnx(folder.parent).name == "2"


def test_the_readmes_client_carries_the_states(folder):
    readme = (folder / "README.md").read_text()
    assert "- input `token_ids`: int32 (batch)" in readme
    assert "- output `next_state_0_0`: float32 (batch, 6)" in readme
    code = readme.split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) <= 20
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    states = run(session(folder / "start.onnx"), streams=np.zeros(1, np.int32))
    ids = np.array([[2, 5, 7]], np.int32)
    whole = run(session(folder / "model.onnx"), token_ids=ids, **states)["logits"]
    assert shown.stdout.split() == [f"[{best}]" for best in whole[0].argmax(-1)]


def test_the_files_are_read_where_there_is_neither_tensorflow_nor_this_project(folder):
    code = """
import sys
for name in ("tensorflow", "keras", "zoo", "onnx"):
    sys.modules[name] = None
import numpy, onnxruntime
step = onnxruntime.InferenceSession("step.onnx")
inputs = {each.name: numpy.zeros((1, 6), "float32") for each in step.get_inputs()[1:]}
print(step.run(["logits"], {"token_ids": numpy.array([2], "int32"), **inputs})[0].shape)
"""
    shown = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    size = len(TextCodec.learn(SENTENCES).vocabulary)
    assert shown.stdout.strip() == f"(1, {size})"


def test_pipelines_of_texts_have_bundles(tmp_path):
    vectorizer = Vectorizer.learn(SENTENCES, max_length=20)
    size = len(vectorizer.vocabulary)
    model = zoo.build("many_to_one", vocabulary_size=size, num_classes=2, units=4)
    path = Classifier(model, vectorizer, ["good", "bad"]).export_onnx(tmp_path / "a")
    content = json.loads((path / "runtime.json").read_text())
    assert content["options"] == {"classes": ["good", "bad"]} and content["states"] == []
    words = TokenVectorizer.learn([text.split() for text in SENTENCES])
    model = zoo.build(
        "many_to_many", vocabulary_size=len(words.vocabulary), num_tags=2, units=4, head="crf"
    )
    path = Tagger(model, words, ["A", "B"]).export_onnx(tmp_path / "b")
    assert json.loads((path / "runtime.json").read_text())["states"][-1] == "message"


def test_a_graph_that_answers_otherwise_leaves_nothing_behind(tmp_path):
    model = zoo.build("many_to_one", vocabulary_size=9, num_classes=2, units=4)
    graphs = architectures.classifier(model)
    wrong = {"logits": graphs["model"].expected["logits"] + 1}
    changed = {"model": graphs["model"]._replace(expected=wrong)}
    with pytest.raises(ExportError, match="answers differently from the model in memory .logits"):
        bundle.publish(ABOUT, {}, changed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_does_not_run_leaves_nothing_behind(tmp_path):
    model = zoo.build("many_to_one", vocabulary_size=9, num_classes=2, units=4)
    graphs = architectures.classifier(model)
    file = onnx.ModelProto()
    file.CopyFrom(graphs["model"].file)
    del file.graph.initializer[:]
    with pytest.raises(ExportError, match="does not run"):
        bundle.publish(ABOUT, {}, {"model": graphs["model"]._replace(file=file)}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_of_int8_says_how_far_its_outputs_are(tmp_path):
    vectorizer = Vectorizer.learn(SENTENCES, max_length=20)
    size = len(vectorizer.vocabulary)
    model = build("many_to_one", vocabulary_size=size, num_classes=2, units=16)
    pipeline = Classifier(model, vectorizer, ["good", "bad"])
    path = pipeline.export_onnx(tmp_path / "a", int8=True)
    far = json.loads((path / "runtime.json").read_text())["int8"]["model"]
    found = run(session(path / "model.onnx"), **pipeline.onnx_graphs()["model"].probe)
    expected = pipeline.onnx_graphs()["model"].expected
    assert far == pytest.approx(np.abs(found["logits"] - expected["logits"]).max(), abs=1e-4)
    assert 0 < far < 1


def test_a_pipeline_without_graphs_says_so():
    class Own(Pipeline):
        path_names = ()

        def __call__(self):
            return []

        def signatures(self):
            return {}

    with pytest.raises(errors.InputError, match="a Own cannot be written as ONNX"):
        Own().export_onnx("nowhere")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(errors.InputError, match=r"pip install 'rnn-zoo\[onnx\]'"):
        onnx_package()
