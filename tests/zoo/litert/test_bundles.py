"""LiteRT bundles, run by its interpreter in a process without TensorFlow, against Keras.

`publish` compares each graph with the function that it was made from; here the answers are
compared with the models themselves.
"""

import json

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as pipelines
from zoo.litert import bundle
from zoo.litert.conversion import converted
from zoo.litert.graphs import NEXT, Graph
from zoo.pipelines import SeriesForecaster, Transcriber, Writer
from zoo.text import TextCodec, Vocabulary

TOKENS = ["[PAD]", "[UNK]", "[BOS]", "[EOS]", *"abcde"]
CODEC = TextCodec(Vocabulary(TOKENS))
V, T = len(TOKENS), 6
IDS = np.array([[2, 5, 8, 4, 7, 6]], "int32")
CLOSE = {"atol": 1e-4, "rtol": 1e-4}

pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def language_model(cell, **options):
    sizes = {"vocabulary_size": V, "embedding_dim": 4, "units": 4, "cell": cell}
    return assign_random(zoo.build("language_model", explicit_states=True, **sizes, **options))


@pytest.mark.parametrize("cell", swept(zoo.cell_names(), lambda cell: cell in ("lstm", "slstm")))
def test_every_cell_steps_and_reads_a_sequence(cell, tmp_path):
    model = language_model(cell, num_layers=1 if cell == "slstm" else 2)
    path = Writer(model, CODEC).export_litert(tmp_path, steps=T)
    assert path == tmp_path / "1"
    stored = json.loads((path / "litert.json").read_text())
    states = {name: np.array(each) for name, each in model.initial_states(1).items()}
    assert stored["states"] == list(states) and (stored["rows"], stored["steps"]) == (1, T)
    read = model({"token_ids": IDS, **states})
    expected = np.array(read["logits"])
    answers = bundle.run(
        path, {"start": {"streams": np.zeros(1, "int32")}, "model": {"token_ids": IDS, **states}}
    )
    for name, state in states.items():
        np.testing.assert_allclose(answers["start"][name], state, **CLOSE)
        np.testing.assert_allclose(answers["model"][NEXT + name], read[name], **CLOSE)
    np.testing.assert_allclose(answers["model"]["logits"], expected, **CLOSE)
    forgetful = []
    for place in range(3):
        given = {"token_ids": IDS[:, place], **states}
        after = bundle.run(path, {"step": given})["step"]
        np.testing.assert_allclose(after["logits"], expected[:, place], **CLOSE)
        states = {name: after[NEXT + name] for name in states}
        forgetful.append(after["logits"])
    first = {name: np.array(each) for name, each in model.initial_states(1).items()}
    forgot = bundle.run(path, {"step": {"token_ids": IDS[:, 2], **first}})["step"]["logits"]
    assert np.abs(forgot - forgetful[2]).max() > 1e-3, "a client that forgets the states is noticed"


def test_ragged_rows_of_a_bidirectional_tagger_with_a_crf(tmp_path):
    tagger = pipelines.ner()
    path = tagger.export_litert(tmp_path, rows=3, steps=5)
    words = tf.constant([["Ann", "met", "Bob", "in", "Oslo"], ["so", *[""] * 4], [""] * 5])
    ids = {name: np.array(each) for name, each in tagger.vectorizer(words).items()}
    letters = ids["character_ids"]
    ids["character_ids"] = np.pad(letters, [(0, 0), (0, 0), (0, 20 - letters.shape[2])])
    inputs = {name: ids[name] for name in tagger.model.input}
    found = bundle.run(path, {"model": inputs})["model"]
    real = ids["token_ids"] != 0
    path_of_all = tagger.model.crf.tagging(tagger.model(inputs, training=False), real)
    assert found["tag_ids"][real].tolist() == path_of_all.tags.numpy()[real].tolist()
    assert not found["tag_ids"][~real].any()


@pytest.mark.parametrize(
    "name",
    swept(
        ("sentiment", "pos", "names", "signals", "digits", "origin", "ner_stream"),
        lambda name: name in ("sentiment", "names"),
    ),
)
def test_the_other_pipelines_are_written(name, tmp_path):
    pipeline = getattr(pipelines, name)()
    path = pipeline.export_litert(tmp_path, rows=2, steps=9)
    stored = json.loads((path / "litert.json").read_text())
    streams = {"model", "start", "step"}
    graphs = {"names": {"start", "step"}, "ner_stream": streams, "signals": streams}
    assert set(stored["graphs"]) == graphs.get(name, {"model"})
    assert stored["pipeline"] == type(pipeline).__name__
    for text_path in stored["text_paths"]:
        assert (path / f"{text_path}.txt").is_file() or text_path == "vectorizer"


def test_a_signal_is_read_value_by_value_as_at_once(tmp_path):
    pipeline = pipelines.signals()
    path = pipeline.export_litert(tmp_path, steps=4)
    values = np.asarray(pipelines.series_of(2)["values"])[:1, :4]
    whole = bundle.run(path, {"model": {"values": values, "lengths": np.array([4], "int32")}})
    states = bundle.run(path, {"start": {"streams": np.zeros(1, "int32")}})["start"]
    for place in range(4):
        after = bundle.run(path, {"step": {"value": values[:, place], **states}})["step"]
        states = {name: after[NEXT + name] for name in states}
    np.testing.assert_allclose(after["logits"], whole["model"]["logits"], **CLOSE)


@pytest.mark.sweep
def test_a_forecaster_is_written(tmp_path):
    model = assign_random(zoo.build("forecaster", input_dim=1, horizon=5, units=4))
    path = SeriesForecaster(model).export_litert(tmp_path, steps=12)
    values = np.random.default_rng(0).normal(size=(1, 12, 1)).astype("float32")
    inputs = {"values": values, "lengths": np.array([12], "int32")}
    found = bundle.run(path, {"model": inputs})["model"]
    np.testing.assert_allclose(next(iter(found.values())), model(inputs), **CLOSE)


def test_int8_weights_take_a_quarter_of_the_room_and_are_close(tmp_path):
    pytest.importorskip("ai_edge_quantizer")
    model = language_model("lstm")
    big = assign_random(
        zoo.build(
            "language_model",
            vocabulary_size=V,
            embedding_dim=64,
            units=96,
            cell="lstm",
            explicit_states=True,
        ),
        scale=0.2,
    )
    assert model.count_params() < big.count_params()
    whole, small = (
        Writer(big, CODEC).export_litert(tmp_path, steps=2, int8=int8) for int8 in (False, True)
    )
    sizes = [(path / "step.tflite").stat().st_size for path in (whole, small)]
    assert sizes[1] < 0.45 * sizes[0]
    assert json.loads((small / "litert.json").read_text())["weights"] == "int8"
    states = {name: np.array(each) for name, each in big.initial_states(1).items()}
    answers = [
        bundle.run(path, {"step": {"token_ids": IDS[:, 1], **states}})["step"]["logits"]
        for path in (whole, small)
    ]
    assert 0 < np.abs(answers[0] - answers[1]).max() < 0.1 * np.abs(answers[0]).max()


def test_int8_weights_leave_the_spectrum_of_a_sound_alone(tmp_path):
    pytest.importorskip("ai_edge_quantizer")
    steps = 2000
    options = {"features": "log_mel", "mel_bands": 20, "sample_rate": 8000, "units": 16}
    model = assign_random(zoo.build("ctc", input_dim=1, num_labels=10, **options), scale=0.2)
    time = np.arange(steps) / 8000
    sound = 0.3 * np.sin(2 * np.pi * 440 * time) * np.exp(-9 * time)  # powers of ten orders
    zoo.adapt(model, {"values": sound[None, :, None], "lengths": np.array([steps])})
    pipeline = Transcriber(model, [str(digit) for digit in range(10)])
    inputs = {
        "values": sound[None, :, None].astype("float32"),
        "lengths": np.array([steps], "int32"),
    }
    whole, small = (
        next(iter(bundle.run(path, {"model": inputs})["model"].values()))
        for path in (
            pipeline.export_litert(tmp_path, steps=steps, int8=int8) for int8 in (False, True)
        )
    )
    assert 0 < np.abs(whole - small).max() < 0.03 * np.abs(whole).max()


def test_what_litert_cannot_hold_is_one_sentence(tmp_path):
    with pytest.raises(zoo.InputError, match="a Translator cannot be written as LiteRT: its"):
        pipelines.translation().export_litert(tmp_path / "t")
    with pytest.raises(zoo.InputError, match="steps must be a positive int, got 0"):
        Writer(language_model("gru"), CODEC).export_litert(tmp_path / "w", steps=0)
    assert not (tmp_path / "t").exists() and not (tmp_path / "w").exists()


def test_an_op_that_litert_lacks_is_named(tmp_path):
    graph = Graph(
        lambda given: {"y": tf.linalg.det(given["x"])}, {"x": np.ones([2, 2], "float32")}, []
    )
    with pytest.raises(zoo.InputError, match="LiteRT has no MatrixDeterminant: export the model"):
        converted("odd", graph)


def test_a_graph_that_answers_otherwise_is_not_published(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "converted", lambda *_: b"no model")
    with pytest.raises(zoo.export.ExportError, match="does not run"):
        pipelines.origin().export_litert(tmp_path)
    assert not list(tmp_path.iterdir())
