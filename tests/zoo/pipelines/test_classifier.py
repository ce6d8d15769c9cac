"""Text path + classifier -> a SavedModel that answers as they do, or no SavedModel."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import zoo
from zoo import export
from zoo.export import ExportError
from zoo.pipelines.classifier import PROBES, Classifier
from zoo.text import NgramVectorizer, Vectorizer

CLASSES = ["so, so", "sehr schön", "👍🏽"]
SENTENCES = ["a good film", "a bad film", "it isn't bad!", "great 👍🏽 day"]
RAW = list(PROBES)


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
    assert Classifier(*parts, CLASSES).export(directory) == directory / "1"
    return directory


@pytest.fixture(scope="module")
def served(folder):
    return tf.saved_model.load(str(folder / "1"))


def test_the_signature_has_named_inputs_and_outputs_with_a_dynamic_batch(served):
    assert list(served.signatures) == ["serving_default", "explain"]
    signature = served.signatures["serving_default"]
    (text,) = signature.structured_input_signature[1].values()
    assert (text.name, text.dtype, text.shape.as_list()) == ("text", tf.string, [None])
    outputs = signature.structured_outputs
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in outputs.items()} == {
        "label": (tf.string, [None]),
        "probabilities": (tf.float32, [None, 3]),
        "classes": (tf.string, [None, 3]),
        "unknown_share": (tf.float32, [None]),
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
    names = [[name.decode() for name in row] for row in outputs["classes"].numpy()]
    assert names == [CLASSES] * count
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


def test_served_scores_are_the_gradients_in_memory(parts, served):
    """The tape's own gradient of the embedding's table has a row for each token."""
    model, vectorizer = parts
    texts = tf.constant(["a good film", "isn't", "great 👍🏽 day, a qxz day"])
    found = served.signatures["explain"](text=texts)
    ids = vectorizer(texts)
    with tf.GradientTape() as tape:
        logits = model(ids, training=False)
        highest = tf.reduce_max(logits, axis=1)
    table = model.get_layer("embedding").embeddings.value
    slopes = tf.reshape(tape.gradient(highest, table).values, [*ids.shape, -1])
    expected = np.where(ids == 0, 0, tf.reduce_sum(slopes * tf.gather(table, ids), axis=2))
    np.testing.assert_allclose(found["scores"], expected, atol=1e-5)
    assert np.abs(expected).max(axis=1).min() > 0.01
    tokens = [[token.decode() for token in row] for row in found["tokens"].numpy()]
    assert tokens[0] == ["a", "good", "film", "", "", "", "", ""]
    assert tokens[2] == ["great", "👍", "🏽", "day", ",", "a", "qxz", "day"]
    names = served.signatures["serving_default"](text=texts)
    for name, values in names.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_the_share_of_unknown_tokens_is_reported_for_each_text(served):
    texts = ["a good film", "a qxz film zzz", "qxz", "", "a bad day " * 20]
    found = served.signatures["serving_default"](text=tf.constant(texts))["unknown_share"]
    np.testing.assert_allclose(found, [0, 0.5, 1, 0, 0])


def test_n_grams_have_no_unknown_share():
    model = zoo.build("one_to_one", num_features=50, num_classes=3, units=4)
    found = Classifier(model, NgramVectorizer(50), CLASSES).classify(["Ann", ""])
    assert found["unknown_share"].tolist() == [0, 0]


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


@pytest.mark.sweep
def test_what_answers_otherwise_is_not_published_and_the_version_before_stays(
    parts, folder, monkeypatch
):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write, (other, vectorizer) = export._write, trained(2)

    def write_other(functions, tracked, path):
        functions = dict(
            functions, serving_default=Classifier(other, vectorizer, CLASSES)._classify
        )
        write(functions, [*tracked, vectorizer, *(weight.value for weight in other.weights)], path)

    monkeypatch.setattr(export, "_write", write_other)
    with pytest.raises(ExportError, match="answers differently from the one in memory"):
        Classifier(*parts, CLASSES).export(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_the_probes_hold_a_text_far_longer_than_what_is_kept():
    assert max(len(text.split()) for text in PROBES) == 5000
    assert {b"", b"\xff\xfe bad bytes", b"a\0b"} < set(PROBES)
