"""Connectivity is what finite differences give; marks and distances are read from it rightly."""

import json

import keras
import numpy as np
import pytest

import zoo
from tests.sweeps import swept
from zoo import __main__ as command
from zoo.diagnostics import connectivity, gates
from zoo.diagnostics.reading import Reader, Sequences, character_reader, of_pipeline
from zoo.diagnostics.synthetic import texts
from zoo.layers import Recurrent
from zoo.pipelines import Classifier, Tagger, Translator, Writer
from zoo.text import TextCodec, TokenVectorizer, Vectorizer

TIME, WIDTH = 5, 3


def reader_of(model):
    return Reader("tiny", model, lambda text: text, lambda outputs, _: outputs, True, [])


@pytest.mark.parametrize(
    ("cell", "options"),
    swept(
        [("gru", {}), ("lstm", {"num_layers": 2}), ("min_gru", {"bidirectional": True})],
        lambda cell, options: options,
    ),
)
def test_connectivity_is_that_of_finite_differences(cell, options):
    keras.utils.set_random_seed(1)
    values = keras.Input((None, WIDTH), dtype="float64")
    layer = Recurrent(cell, 4, return_state=False, dtype="float64", **options)
    logits = keras.layers.Dense(3, dtype="float64", name="logits")(layer(values))
    model = keras.Model(values, logits)
    x = np.random.default_rng(0).normal(size=(1, TIME, WIDTH))
    targets = np.array([[2, 0, 1, 1, 2]])
    matrix = connectivity.connectivity(reader_of(model), Sequences(x, [list("abcde")], targets))
    expected = np.zeros((TIME, TIME, WIDTH))
    for place in np.ndindex(TIME, WIDTH):
        step = np.zeros_like(x)
        step[(0, *place)] = 1e-5
        apart = (np.asarray(model(x + step)) - np.asarray(model(x - step))) / 2e-5
        expected[:, place[0], place[1]] = apart[0, np.arange(TIME), targets[0]]
    np.testing.assert_allclose(matrix, np.linalg.norm(expected, axis=-1), rtol=1e-5, atol=1e-9)
    causal = "bidirectional" not in options
    assert bool(matrix[np.triu_indices(TIME, 1)].max() == 0) is causal


def test_the_share_of_opening_marks_is_relative_to_their_neighbours():
    text = "aaaaaaa(aaaaaaaaaaaaaaa)aaa"
    matrix = np.ones((len(text), len(text)))
    assert connectivity.at_opening_marks(matrix, text) == pytest.approx(1.0)
    matrix[22, 7] = 5.0  # step 22 predicts the closing bracket at 23
    assert connectivity.at_opening_marks(matrix, text) == pytest.approx(5.0)
    shifted = np.ones((len(text), len(text)))
    shifted[23, 8] = 5.0  # a step reads the character before
    assert connectivity.at_opening_marks(shifted, text, -1) == pytest.approx(5.0)
    assert connectivity.at_opening_marks(matrix, "(a)" + "a" * 24) is None


@pytest.mark.sweep
def test_a_trained_writer_a_tagger_and_a_classifier_have_a_prediction_for_each_output():
    codec = TextCodec.learn(["abc abd"], level="character")
    sizes = {"vocabulary_size": len(codec.vocabulary), "embedding_dim": 3, "units": 4}
    writer = Writer(zoo.build("language_model", explicit_states=True, cell="gru", **sizes), codec)
    words = TokenVectorizer.learn([["ann", "met", "bob"]])
    tags = ["A", "B", "C"]
    sizes = {"vocabulary_size": len(words.vocabulary), "embedding_dim": 3, "units": 4}
    crf = zoo.build("many_to_many", num_tags=3, head="crf", bidirectional=True, **sizes)
    vectorizer = Vectorizer.learn(["ann met bob"])
    classes = zoo.build("many_to_one", num_classes=2, **sizes)
    expected = [(writer, "abd", (3, 3)), (Tagger(crf, words, tags), "ann met bob", (3, 3))]
    expected.append((Classifier(classes, vectorizer, ["x", "y"]), "ann met bob", (1, 3)))
    sizes = {"source_vocabulary_size": len(codec.vocabulary), "embedding_dim": 3, "units": 4}
    model = zoo.build("encoder_decoder", target_vocabulary_size=len(codec.vocabulary), **sizes)
    translator = Translator(model, codec, codec, {"beam_size": 1})
    reader = of_pipeline("trained", translator)
    batch = reader.read("abd")
    steps = batch.inputs["target_ids"].shape[1]
    assert batch.tokens[0] == ["a", "b", "d", "[EOS]"]
    assert connectivity.connectivity(reader, batch).shape == (steps, 4)
    found = gates.attention(reader, translator, "abd")
    np.testing.assert_allclose(found.weights.sum(1), 1, rtol=1e-5)
    read = of_pipeline("trained", writer).read("abd")
    known = codec.vocabulary.tokens
    assert read.tokens == [["[BOS]", "a", "b"]]
    assert [known[number] for number in read.targets[0]] == ["a", "b", "d"]
    for pipeline, text, shape in expected:
        reader = of_pipeline("trained", pipeline)
        matrix = connectivity.connectivity(reader, reader.read(text))
        assert matrix.shape == shape and (matrix.diagonal() > 0).all()


def test_the_targets_of_a_character_model_are_the_characters_that_follow():
    reader = character_reader("elman", texts.character_text(), units=2, length=8, updates=0)
    batch = reader.read("a cook")
    assert batch.tokens == [list("a cook")]
    assert [reader.words[number] for number in batch.inputs[0]] == list("a cook")
    assert [reader.words[number] for number in batch.targets[0][:-1]] == list(" cook")


def test_the_made_up_text_closes_what_it_opens_and_keeps_to_its_width():
    text = texts.made_up(20_000)
    assert max(map(len, text.split("\n"))) <= texts.WIDTH
    depth = texts.bracket_depth(text)
    assert depth.max() == 3 and depth[text.rindex(".")] == 0
    assert all(
        text[start] + text[end] in ("()", "[]", "{}", '""') for start, end in texts.pairs(text)
    )
    assert texts.made_up(20_000, seed=1) != text == texts.made_up(20_000)


def test_the_command_reads_one_text_with_several_cells(tmp_path, capsys):
    words = ["--cells", "elman,min_gru", "--units", "4", "--updates", "1", "--length", "24"]
    assert command.main(["connectivity", *words, "--out", str(tmp_path)]) == 0
    assert "opening marks" in capsys.readouterr().out
    assert (tmp_path / "connectivity.png").read_bytes()[:4] == b"\x89PNG"
    models = json.loads((tmp_path / "connectivity.json").read_text())["models"]
    assert models["elman"]["tokens"] == models["min_gru"]["tokens"]
    assert np.shape(models["elman"]["connectivity"]) == (24, 24)
    assert "const panels" in (tmp_path / "connectivity.html").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--text", "nowhere.txt"], "nowhere.txt"),
        (["--run", "nowhere"], "there is no trained model 'nowhere'"),
        (["--updates", "-1"], "updates must be an int of at least 0, got -1"),
    ],
)
def test_wrong_options_are_one_sentence(words, sentence, tmp_path, capsys):
    assert command.main(["connectivity", "--out", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err
