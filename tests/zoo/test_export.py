"""Vectorizer + model -> a SavedModel that answers as they do, or no SavedModel."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import zoo
from zoo import export
from zoo.errors import InputError
from zoo.export import PROBES, ExportError, check, export_text_classifier, newest, versions
from zoo.text import Vectorizer

CLASSES = ["so, so", "sehr schön", "👍🏽"]
SENTENCES = ["a good film", "a bad film", "it isn't bad!", "great 👍🏽 day"]
RAW = [text.encode() if isinstance(text, str) else text for text in PROBES]
# answers in a fraction of a second, without TensorFlow: two texts, in the way of `export.CHECKER`
QUICK = """
import json, os, sys
job = json.load(sys.stdin)
json.dump({{"labels": ["so, so"] * len(job["texts"]),
           "probabilities": [{row}] * len(job["texts"]),
           "classes": [], "foreign": {foreign}}}, sys.stdout)
"""


def trained(seed):
    """A classifier with weights far from those that a model begins with."""
    vectorizer = Vectorizer.learn(SENTENCES, max_length=20)
    size = len(vectorizer.vocabulary)
    keras.utils.set_random_seed(seed)
    model = zoo.build("many_to_one", vocabulary_size=size, num_classes=3, units=4, embedding_dim=4)
    draw = np.random.default_rng(seed)
    model.set_weights([draw.normal(size=weight.shape) for weight in model.get_weights()])
    return model, vectorizer


@pytest.fixture(scope="module")
def parts():
    return trained(1)


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    """A folder with one version in it, really checked in a fresh process."""
    directory = tmp_path_factory.mktemp("saved_models") / "sentiment"
    assert export_text_classifier(*parts, CLASSES, directory) == directory / "1"
    return directory


@pytest.fixture(scope="module")
def served(folder):
    return tf.saved_model.load(str(folder / "1"))


@pytest.fixture
def unchecked(monkeypatch):
    """Saves the seconds of a fresh process where the test is about something else."""
    monkeypatch.setattr(export, "check", lambda path, classify: None)


def constant_answer(row):
    """A classifier that has the same answer for every text."""

    def classify(texts):
        rows = tf.constant([row] * len(texts))
        return {"label": tf.fill([len(texts)], CLASSES[int(np.argmax(row))]), "probabilities": rows}

    return classify


def test_a_version_alone_is_left_behind_and_others_may_read_it(folder):
    assert [path.name for path in folder.iterdir()] == ["1"]
    assert (folder / "1" / "saved_model.pb").is_file()
    assert (folder / "1").stat().st_mode & 0o777 == 0o755


def test_the_signature_has_named_inputs_and_outputs_with_a_dynamic_batch(served):
    assert list(served.signatures) == ["serving_default"]
    signature = served.signatures["serving_default"]
    (text,) = signature.structured_input_signature[1].values()
    assert (text.name, text.dtype, text.shape.as_list()) == ("text", tf.string, [None])
    outputs = signature.structured_outputs
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in outputs.items()} == {
        "label": (tf.string, [None]),
        "probabilities": (tf.float32, [None, 3]),
        "classes": (tf.string, [3]),
    }


@pytest.mark.parametrize("count", [1, 2, len(RAW)])
def test_the_loaded_model_answers_as_the_layers_in_memory_do(parts, served, count):
    model, vectorizer = parts
    outputs = served.signatures["serving_default"](text=tf.constant(RAW[-count:]))
    logits = model(vectorizer(tf.constant(RAW[-count:])), training=False).numpy()
    exact = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = exact / exact.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs["probabilities"].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(outputs["probabilities"].numpy().sum(axis=1), 1, atol=1e-6)
    assert [name.decode() for name in outputs["classes"].numpy()] == CLASSES
    labels = [label.decode() for label in outputs["label"].numpy()]
    assert labels == [CLASSES[place] for place in expected.argmax(axis=1)]


def test_the_answers_differ_between_texts(served):
    """Otherwise the comparisons in this file would say nothing."""
    rows = served.signatures["serving_default"](text=tf.constant(RAW))["probabilities"].numpy()
    assert len({tuple(row.round(4)) for row in rows}) > 4
    assert len(set(rows.argmax(axis=1))) > 1


@pytest.mark.parametrize("text", ["", "good", "\0", "a good day", " "])
def test_a_text_alone_is_answered_as_beside_longer_ones(served, text):
    classify = served.signatures["serving_default"]
    alone = classify(text=tf.constant([text]))["probabilities"].numpy()[0]
    beside = classify(text=tf.constant(["bad film " * 40, text, ""]))["probabilities"].numpy()[1]
    np.testing.assert_allclose(alone, beside, atol=1e-6)


def test_the_graph_holds_core_operations_alone(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "1" / "saved_model.pb").read_bytes())
    operations, functions = set(), set()
    for meta in saved.meta_graphs:
        functions |= {function.signature.name for function in meta.graph_def.library.function}
        operations |= {node.op for node in meta.graph_def.node}
        for function in meta.graph_def.library.function:
            operations |= {node.op for node in function.node_def}
    operations -= functions
    assert {"UnicodeTranscode", "LookupTableFindV2"} <= operations, "the text path is part of it"
    assert sorted(name for name in operations if not hasattr(tf.raw_ops, name)) == []
    assert sorted(name for name in operations if "PyFunc" in name or "Xla" in name) == []


def test_the_next_version_is_one_more_and_stray_names_do_not_count(parts, tmp_path, unchecked):
    for stray in (".part-x", "notes", "v7"):
        (tmp_path / stray).mkdir()
    (tmp_path / "README.md").write_text("exported by the recipe")
    assert export_text_classifier(*parts, CLASSES, tmp_path) == tmp_path / "1"
    assert export_text_classifier(*parts, CLASSES, tmp_path) == tmp_path / "2"
    (tmp_path / "2").rename(tmp_path / "10")
    assert export_text_classifier(*parts, CLASSES, tmp_path) == tmp_path / "11"
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {".part-x", "notes", "v7", "README.md", "1", "10", "11"}
    assert versions(tmp_path) == [1, 10, 11]
    assert newest(tmp_path) == tmp_path / "11"


def test_a_number_that_another_export_took_meanwhile_is_left_to_it(
    parts, tmp_path, unchecked, monkeypatch
):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("of another")
    monkeypatch.setattr(export, "versions", lambda directory: [])
    assert export_text_classifier(*parts, CLASSES, tmp_path) == tmp_path / "2"
    assert (tmp_path / "1" / "saved_model.pb").read_text() == "of another"


def test_what_answers_otherwise_is_not_published_and_the_version_before_stays(
    parts, folder, monkeypatch
):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write, (other, _) = export._write, trained(2)

    def write_other(model, vectorizer, classify, path):
        write(other, vectorizer, export.text_classifier(other, vectorizer, CLASSES), path)

    monkeypatch.setattr(export, "_write", write_other)
    with pytest.raises(ExportError, match="does not answer as the one in memory"):
        export_text_classifier(*parts, CLASSES, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_what_does_not_load_is_not_published(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHECKER", "raise OSError('no such op: Foo')")
    with pytest.raises(ExportError, match="does not load: OSError: no such op: Foo"):
        export_text_classifier(*parts, CLASSES, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_failure_while_writing_leaves_nothing_behind(parts, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(export, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        export_text_classifier(*parts, CLASSES, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        ([0.5, 0.3, 0.2], True),
        ([0.500001, 0.299999, 0.2], True),
        ([0.501, 0.299, 0.2], False),
        ([0.3, 0.5, 0.2], False),
    ],
)
def test_answers_are_compared_closely(tmp_path, monkeypatch, row, fits):
    monkeypatch.setattr(export, "CHECKER", QUICK.format(row=[0.5, 0.3, 0.2], foreign=[]))
    if fits:
        check(tmp_path, constant_answer(row))
    else:
        with pytest.raises(ExportError, match="does not answer"):
            check(tmp_path, constant_answer(row))


def test_labels_are_compared_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHECKER", QUICK.format(row=[0.2, 0.3, 0.5], foreign=[]))
    with pytest.raises(ExportError, match="does not answer"):
        check(tmp_path, constant_answer([0.2, 0.3, 0.5]))


def test_a_model_that_needs_this_project_is_refused(tmp_path, monkeypatch):
    row = [0.5, 0.3, 0.2]
    monkeypatch.setattr(export, "CHECKER", QUICK.format(row=row, foreign=["zoo.text"]))
    with pytest.raises(ExportError, match="imports zoo.text"):
        check(tmp_path, constant_answer(row))


def test_the_real_checker_looks_for_this_project_among_the_imports():
    assert '("zoo", "recipes")' in export.CHECKER and "sys.modules" in export.CHECKER


def test_the_fresh_process_sees_neither_the_folder_nor_the_path_of_this_one(tmp_path, monkeypatch):
    row = [0.5, 0.3, 0.2]
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "there"))
    near = f"[p for p in [os.getcwd(), *sys.path] if p == '' or p.startswith({str(tmp_path)!r})]"
    monkeypatch.setattr(export, "CHECKER", QUICK.format(row=row, foreign=near))
    check(tmp_path, constant_answer(row))
    assert os.getcwd() == str(tmp_path / "here")


def test_a_folder_without_a_version_has_none_and_says_how_to_make_one(tmp_path):
    (tmp_path / "notes").mkdir()
    for directory in (tmp_path, tmp_path / "nowhere"):
        assert versions(directory) == []
        with pytest.raises(InputError, match="run the recipe's export first") as caught:
            newest(directory)
        assert str(directory) in str(caught.value)


def test_versions_are_ordered_as_numbers(tmp_path):
    for name in ("9", "10", "2"):
        (tmp_path / name).mkdir()
    assert versions(tmp_path) == [2, 9, 10]
    assert newest(tmp_path) == tmp_path / "10"
