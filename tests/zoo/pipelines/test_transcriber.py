"""The pipeline of series that are spelled: labels joined to text, in Python, served and saved."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference_ctc import probabilities
from tests.references.weights import assign_random
from tests.serving_rules import functions_of
from zoo.errors import InputError
from zoo.layers.numeric import pad_series
from zoo.pipelines import Transcriber, load

RNG = np.random.default_rng(5)
SERIES = [RNG.normal(20, 4, (n, 2)).astype(np.float32) for n in (4, 1, 3)]
LABELS = ["yes", "né"]


@pytest.fixture(scope="module")
def transcriber():
    model = zoo.build("ctc", input_dim=2, num_labels=2, units=3)
    zoo.adapt(model, pad_series(SERIES))
    return Transcriber(assign_random(model, scale=2.0), LABELS, beam_width=40)


def spelled(labelling):
    return " ".join(LABELS[place - 1] for place in labelling)


def test_the_text_is_the_most_likely_labelling_and_has_its_probability(transcriber):
    found = transcriber.transcribe(SERIES)
    logits = np.asarray(transcriber.model(pad_series(SERIES)))
    for row, series in enumerate(SERIES):
        table = probabilities(logits[row, : len(series)])[0]
        best = max(table, key=table.get)
        assert found["text"][row] == spelled(best)
        assert found["log_probability"][row] == pytest.approx(np.log(table[best]), abs=1e-5)
    assert found["valid"].all() and transcriber(SERIES) == found["text"].tolist()


def test_greedy_takes_the_best_path(transcriber):
    found = transcriber.transcribe(SERIES, greedy=True)
    logits = np.asarray(transcriber.model(pad_series(SERIES)))
    for row, series in enumerate(SERIES):
        path = logits[row, : len(series)].argmax(axis=-1)
        merged = [s for place, s in enumerate(path) if s and (not place or s != path[place - 1])]
        assert found["text"][row] == spelled(merged)


def test_a_served_row_that_is_not_valid_has_no_text(transcriber):
    inputs = pad_series(SERIES)
    inputs["values"][0, 1] = np.nan
    inputs["lengths"][1] = 0
    for function in functions_of(transcriber).values():
        found = function(**{name: tf.constant(value) for name, value in inputs.items()})
        assert found["valid"].numpy().tolist() == [False, False, True]
        assert found["text"].numpy().tolist()[:2] == [b"", b""]
        assert found["log_probability"].numpy().tolist()[:2] == [0, 0]


def test_characters_are_joined_without_a_space_and_a_saved_pipeline_is_the_same(
    transcriber, tmp_path
):
    characters = Transcriber(transcriber.model, LABELS, separator="", beam_width=2)
    loaded = load(characters.save(tmp_path / "saved"))
    assert (loaded.separator, loaded.beam_width, loaded.labels) == ("", 2, LABELS)
    texts = [text.replace(" ", "") for text in transcriber.transcribe(SERIES, greedy=True)["text"]]
    assert loaded.transcribe(SERIES, greedy=True)["text"].tolist() == texts


def test_another_number_of_labels_is_one_sentence(transcriber):
    with pytest.raises(InputError, match="^the model returns 3 logits, but labels with the blank"):
        Transcriber(transcriber.model, ["a"])
