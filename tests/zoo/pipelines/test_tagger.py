"""Text path + tagger -> two functions and a SavedModel that answer as the model does."""

import itertools
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import zoo
from tests.references.weights import assign_random
from tests.sweeps import swept
from zoo import export
from zoo.errors import InputError
from zoo.export import ExportError
from zoo.pipelines.tagger import TEXTS, TOKENS, Tagger
from zoo.text import TokenVectorizer, allowed_transitions

TAGS = ["O", "B-PER", "I-PER", "B-ört", "I-ört"]
ALLOWED = allowed_transitions(TAGS, "bio")
SENTENCES = [["Ann", "met", "Bob", "in", "Oslo"], ["Bob", "2nd", "!"], ["naïve", "👍🏽", "Ann"]]
ROWS = [["Ann", "met", "Bob", "Oslo"], ["in", "in"], [], ["Bob"], ["qxz", "ANN", "!"]]


def trained(seed=1, **options):
    """A tagger with weights far from those that a model begins with."""
    vectorizer = TokenVectorizer.learn(SENTENCES, letters_min_count=1)
    options = {"cell": "gru", "bidirectional": True, "units": 3, "embedding_dim": 4, **options}
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_tags": len(TAGS)}
    if "characters" in options:
        options |= {"character_vocabulary_size": len(vectorizer.letters), "character_dim": 3}
        options |= {"character_units": 4}
    model = zoo.build("many_to_many", **sizes, **options)
    return assign_random(model, seed, scale=1.5), vectorizer


LETTERS_CRF = {"head": "crf", "allowed": ALLOWED, "characters": "cnn", "casing_dim": 2}
KINDS = {
    "softmax": {"casing_dim": 2},
    "crf": {"head": "crf"},
    "constraints": {**LETTERS_CRF, "constrained": "decoding"},
}


@pytest.fixture(
    scope="module", params=swept(KINDS.values(), lambda kind: kind != KINDS["crf"]), ids=KINDS
)
def parts(request):
    """Model, vectorizer, and their function of tokens."""
    model, vectorizer = trained(**request.param)
    return model, vectorizer, Tagger(model, vectorizer, TAGS)._tag_tokens


@pytest.fixture(scope="module")
def crf_parts():
    return trained(bidirectional=False, head="crf", allowed=ALLOWED, casing_dim=2)


@pytest.fixture(scope="module")
def folder(crf_parts, tmp_path_factory):
    """A folder with one version in it, really checked in a fresh process."""
    directory = tmp_path_factory.mktemp("saved_models") / "ner"
    assert Tagger(*crf_parts, TAGS).export(directory) == directory / "1"
    return directory


@pytest.fixture(scope="module")
def served(folder):
    return tf.saved_model.load(str(folder / "1"))


def dense(rows, width=None):
    width = width or max(map(len, rows))
    return tf.constant([[*row, *[""] * (width - len(row))] for row in rows], tf.string)


def numpy_of(outputs):
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def strings(array):
    return [[entry.decode() for entry in row] for row in array.tolist()]


def expected_of(model, vectorizer, row, constrained=True):
    """Tags, their probabilities and that of the whole, over all C^T paths of one sentence."""
    body = keras.Model(model.input, model.get_layer("logits").output)
    ids = vectorizer(tf.constant([row]))
    takes = isinstance(model.input, dict)
    logits = body({n: ids[n] for n in model.input} if takes else ids["token_ids"]).numpy()[0]
    transitions, start, end = np.zeros((5, 5)), np.zeros(5), np.zeros(5)
    if model.layers[-1].name == "crf":
        crf = model.layers[-1]
        transitions, start, end = [w.numpy() for w in (crf.transitions, crf.start, crf.end)]
        if constrained and crf.tables["allowed_transitions"] is not None:
            transitions = np.where(ALLOWED.transitions, transitions, -np.inf)
            start, end = (
                np.where(ALLOWED.start, start, -np.inf),
                np.where(ALLOWED.end, end, -np.inf),
            )
    paths = np.array(list(itertools.product(range(5), repeat=len(row))))
    scores = (
        start[paths[:, 0]] + end[paths[:, -1]] + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    )
    scores = scores + logits[np.arange(len(row)), paths].sum(axis=1, dtype="float64")
    shares = np.exp(scores - np.logaddexp.reduce(scores))
    best = paths[scores.argmax()]
    confidence = [shares[paths[:, place] == tag].sum() for place, tag in enumerate(best)]
    return [TAGS[tag] for tag in best], confidence, np.log(shares.max())


@pytest.mark.usefixtures("eagerly")
def test_each_row_has_the_best_of_all_its_paths(parts):
    model, vectorizer, of_tokens = parts
    found = numpy_of(of_tokens(dense(ROWS)))
    for number, row in enumerate(ROWS):
        tags, confidence, log_probability = [], [], 0.0
        if row:
            tags, confidence, log_probability = expected_of(model, vectorizer, row)
        missing = 4 - len(row)
        assert strings(found["tags"])[number] == [*tags, *[""] * missing]
        np.testing.assert_allclose(
            found["confidence"][number], [*confidence, *[0] * missing], atol=2e-6
        )
        np.testing.assert_allclose(found["log_probability"][number], log_probability, atol=2e-5)


def test_the_answers_differ_between_tokens(parts):
    """Otherwise the comparisons in this file would say nothing."""
    found = numpy_of(parts[-1](dense(ROWS)))
    assert len(set(found["tags"].ravel())) > 2
    assert len(set(found["confidence"].round(4).ravel())) > 5


def test_the_constraints_matter_to_the_rows_that_are_compared(crf_parts):
    rows = [row for row in ROWS if row]
    free = [expected_of(*crf_parts, row, constrained=False)[0] for row in rows]
    assert free != [expected_of(*crf_parts, row)[0] for row in rows]


def test_a_row_alone_is_answered_as_beside_longer_ones(parts):
    of_tokens = parts[-1]
    together = numpy_of(of_tokens(dense(ROWS, width=9)))
    for number, row in enumerate(ROWS):
        alone = numpy_of(of_tokens(dense([row])))
        width = alone["tags"].shape[1]
        for name in ("tokens", "tags"):
            assert together[name][number, :width].tolist() == alone[name][0].tolist()
            assert set(together[name][number, width:]) == {b""}
        np.testing.assert_allclose(
            together["confidence"][number, :width], alone["confidence"][0], atol=1e-6
        )
        assert not together["confidence"][number, width:].any()
        np.testing.assert_allclose(
            together["log_probability"][number], alone["log_probability"][0], atol=1e-5
        )


@pytest.mark.parametrize("tokens", [np.zeros((2, 0), object), [[""], [""]], [["", ""], ["", ""]]])
def test_rows_without_a_token_have_padding_and_a_probability_of_one(parts, tokens):
    found = numpy_of(parts[-1](tf.constant(tokens, tf.string)))
    assert found["tags"].shape[0] == 2 and set(found["tags"].ravel()) == {b""}
    assert set(found["tokens"].ravel()) == {b""}
    assert not found["confidence"].any()
    assert found["log_probability"].tolist() == [0, 0]


def test_texts_are_answered_as_their_tokens_are_and_with_their_places(served):
    of_texts, of_tokens = (served.signatures[n] for n in ("serving_default", "tag_tokens"))
    texts = ["Ann  met Bob, in Oslo!", "", "\n", "naïve👍🏽 Ann"]
    found = numpy_of(of_texts(text=tf.constant(texts)))
    words = [["Ann", "met", "Bob", ",", "in", "Oslo", "!"], [], []]
    assert [[t for t in row if t] for row in strings(found["tokens"])][:3] == words
    for number, text in enumerate(texts):
        places = zip(found["starts"][number], found["ends"][number], strict=True)
        assert [text[start:end] for start, end in places] == strings(found["tokens"])[number]
    assert found["starts"][0, :3].tolist() == [0, 5, 9]
    again = numpy_of(of_tokens(tokens=tf.constant(found["tokens"])))
    for name in ("tokens", "tags"):
        assert again[name].tolist() == found[name].tolist()
    np.testing.assert_allclose(again["confidence"], found["confidence"], atol=1e-6)
    np.testing.assert_allclose(again["log_probability"], found["log_probability"], atol=1e-5)
    assert found["log_probability"][1:3].tolist() == [0, 0]
    assert found["log_probability"][0] < -0.01


def test_the_share_of_unknown_tokens_is_reported_for_each_row(served):
    found = numpy_of(served.signatures["tag_tokens"](tokens=dense(ROWS)))
    np.testing.assert_allclose(found["unknown_share"], [0, 0, 0, 0, 1 / 3], atol=1e-6)


def test_no_probability_is_above_one(parts):
    """Not by rounding either: a very sure model, a long sentence."""
    kernel = parts[0].get_layer("logits").kernel
    before = kernel.numpy()
    kernel.assign(before * 50)
    found = numpy_of(parts[-1](dense([["Ann", "met", "Bob"] * n for n in (1, 7, 40, 100)])))
    kernel.assign(before)
    assert found["log_probability"].max() <= 0 and np.isfinite(found["log_probability"]).all()
    assert found["confidence"].min() >= 0 and found["confidence"].max() <= 1 + 1e-6


def test_an_empty_token_before_others_is_refused(parts):
    with pytest.raises(tf.errors.InvalidArgumentError, match="padding, on the right alone"):
        parts[-1](tf.constant([["Ann", "met"], ["", "Bob"]]))


def test_tags_that_do_not_fit_the_model_are_refused(parts):
    with pytest.raises(InputError, match="gives 5 logits a token, but tags has 4 names"):
        Tagger(*parts[:2], TAGS[:4])


def test_the_signatures_have_named_inputs_and_outputs_of_unknown_lengths(served, folder):
    assert [path.name for path in folder.iterdir()] == ["1"]
    # the fixture reads one way: it streams as well, see test_tagger_stream.py
    assert sorted(served.signatures) == ["serving_default", "start", "step", "tag_tokens"]
    both = {
        "tokens": (tf.string, [None, None]),
        "tags": (tf.string, [None, None]),
        "confidence": (tf.float32, [None, None]),
        "log_probability": (tf.float32, [None]),
        "unknown_share": (tf.float32, [None]),
        "truncated": (tf.bool, [None]),
    }
    places = {"starts": (tf.int32, [None, None]), "ends": (tf.int32, [None, None])}
    for name, takes, shape, gives in (
        ("serving_default", "text", [None], {**both, **places}),
        ("tag_tokens", "tokens", [None, None], both),
    ):
        signature = served.signatures[name]
        (given,) = signature.structured_input_signature[1].values()
        assert (given.name, given.dtype, given.shape.as_list()) == (takes, tf.string, shape)
        outputs = signature.structured_outputs
        found = {n: (spec.dtype, spec.shape.as_list()) for n, spec in outputs.items()}
        assert found == gives


@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_loaded_model_answers_as_all_paths_say(crf_parts, served, count):
    rows = ROWS[-count:]
    found = numpy_of(served.signatures["tag_tokens"](tokens=dense(rows)))
    for number, row in enumerate(rows):
        if row:
            tags, confidence, log_probability = expected_of(*crf_parts, row)
            assert strings(found["tags"])[number][: len(row)] == tags
            np.testing.assert_allclose(
                found["confidence"][number, : len(row)], confidence, atol=2e-6
            )
            np.testing.assert_allclose(found["log_probability"][number], log_probability, atol=2e-5)


@pytest.mark.parametrize(
    ("signature", "probes"),
    [("serving_default", {"text": TEXTS}), ("tag_tokens", {"tokens": TOKENS})],
)
def test_whatever_is_asked_each_token_has_a_tag_and_a_probability(served, signature, probes):
    given = {name: tf.constant(values) for name, values in probes.items()}
    found = numpy_of(served.signatures[signature](**given))
    real = found["tokens"] != b""
    assert (np.isin(found["tags"], [tag.encode() for tag in TAGS]) == real).all()
    assert ((found["confidence"] > 0) == real).all() and found["confidence"].max() <= 1 + 1e-6
    assert ((found["log_probability"] < 0) == real.any(axis=1)).all()
    assert {0, 1} < set(real.sum(axis=1)), "rows of unequal lengths, one without a token"


def test_the_graph_holds_core_operations_alone(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "1" / "saved_model.pb").read_bytes())
    graphs = [meta.graph_def for meta in saved.meta_graphs]
    functions = {function.signature.name for graph in graphs for function in graph.library.function}
    operations = {node.op for graph in graphs for node in graph.node}
    operations |= {
        node.op for graph in graphs for f in graph.library.function for node in f.node_def
    }
    operations -= functions
    assert {"UnicodeTranscode", "LookupTableFindV2", "ReverseSequence"} <= operations
    assert sorted(name for name in operations if not hasattr(tf.raw_ops, name)) == []
    assert sorted(name for name in operations if "PyFunc" in name or "Xla" in name) == []


@pytest.mark.sweep
def test_what_answers_otherwise_is_not_published_and_the_version_before_stays(folder, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    def write_other(functions, tracked, path):
        shutil.copytree(folder / "1", path, dirs_exist_ok=True)

    monkeypatch.setattr(export, "_write", write_other)
    other = trained(2, bidirectional=False, head="crf", allowed=ALLOWED, casing_dim=2)
    with pytest.raises(ExportError, match="answers differently from the one in memory"):
        Tagger(*other, TAGS).export(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
