"""Gates equal the equations, step by step; tables show what the layers hold."""

import json

import keras
import numpy as np
import pytest

import zoo
from zoo import __main__ as command
from zoo.diagnostics import gates
from zoo.diagnostics.observation import directions_of
from zoo.diagnostics.reading import of_pipeline
from zoo.pipelines import Classifier, Tagger
from zoo.text import TokenVectorizer, Vectorizer

TEXT = "ann met bob in oslo"
SIZES = {"embedding_dim": 3, "units": 4}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    vectorizer = Vectorizer.learn([TEXT])
    model = zoo.build(
        "many_to_one",
        vocabulary_size=len(vectorizer.vocabulary),
        num_classes=2,
        cell="gru",
        pooling="attention",
        **SIZES,
    )
    for weight in model.weights:
        if "seed" not in weight.path:
            noise = np.random.default_rng(len(weight.path)).normal(scale=0.7, size=weight.shape)
            weight.assign(noise)
    return Classifier(model, vectorizer, ["x", "y"])


def test_the_gates_of_a_gru_equal_its_equations_step_by_step(classifier):
    reader = of_pipeline("trained", classifier)
    found = [each for each in gates.gates(reader, TEXT) if "forward" in each.layer]
    assert found[0].tokens == TEXT.split()
    (layer,) = [each for each in directions_of(classifier.model) if not each.backwards]
    w, u, (b, c) = (np.asarray(each, float) for each in layer.cell.weights[:3])
    ids = reader.read(TEXT).inputs
    vectors = np.asarray(classifier.model.get_layer("embedding")(ids))[0]
    h, update, reset = np.zeros(4), [], []
    for x in vectors:
        z, r, s = np.split(x @ w + b, 3)
        hz, hr, hs = np.split(h @ u + c, 3)
        z, r = sigmoid(z + hz), sigmoid(r + hr)
        h = z * h + (1 - z) * np.tanh(s + r * hs)
        update.append(z)
        reset.append(r)
    np.testing.assert_allclose(found[0].values["update"], update, rtol=1e-4)
    np.testing.assert_allclose(found[0].values["reset"], reset, rtol=1e-4)


def test_the_attention_of_a_pooling_is_its_equation(classifier):
    reader = of_pipeline("trained", classifier)
    found = gates.attention(reader, classifier, TEXT)
    (layer,) = [each for each in classifier.model.layers if "AttentionPooling" in str(type(each))]
    states = keras.Model(classifier.model.input, layer.input[0])(reader.read(TEXT).inputs)
    w, b, v = (np.asarray(each, float) for each in (layer.kernel, layer.bias, layer.context))
    scores = np.exp(np.tanh(np.asarray(states, float)[0] @ w + b) @ v)[:, 0]
    np.testing.assert_allclose(found.weights[0], scores / scores.sum(), rtol=1e-4)
    assert found.columns == TEXT.split()


@pytest.fixture(scope="module")
def tagger():
    words = TokenVectorizer.learn([TEXT.split()])
    allowed = [[True, False], [True, True]], [True, False], [True, True]
    model = zoo.build(
        "many_to_many",
        vocabulary_size=len(words.vocabulary),
        num_tags=2,
        head="crf",
        allowed=allowed,
        **SIZES,
    )
    return Tagger(model, words, ["O", "X"])


def test_the_transitions_are_those_of_the_crf_and_what_is_not_allowed_has_none(tagger):
    (crf,) = [each for each in tagger.model.layers if isinstance(each, zoo.layers.CRF)]
    crf.transitions.assign([[1.0, 2.0], [3.0, 4.0]])
    crf.start.assign([5.0, 6.0])
    crf.end.assign([7.0, 8.0])
    found = gates.transitions(tagger.model, tagger.tags)
    expected = [[1, np.nan, 7], [3, 4, 8], [5, np.nan, np.nan]]
    np.testing.assert_array_equal(found.scores, expected)


def test_the_command_shows_a_saved_pipeline(tagger, tmp_path, capsys):
    folder = tagger.save(tmp_path / "saved")
    words = ["--run", str(folder), "--sentence", TEXT, "--out", str(tmp_path / "out")]
    assert command.main(["gates", *words]) == 0
    shown = capsys.readouterr().out
    assert "nearest tokens" in shown and "'oslo'" in shown
    numbers = json.loads((tmp_path / "out" / "gates.json").read_text())["models"][str(folder)]
    assert numbers["transitions"]["tags"] == ["O", "X"]
    assert len(numbers["neighbours"]["oslo"]) == 4 and numbers["gates"]


def test_the_command_shows_untrained_cells(tmp_path, capsys):
    words = ["--cells", "lstm", "--units", "4", "--updates", "0", "--sentence", "a cook waited"]
    assert command.main(["gates", *words, "--out", str(tmp_path)]) == 0
    assert "forget" in capsys.readouterr().out
    assert (tmp_path / "gates.png").read_bytes()[:4] == b"\x89PNG"
