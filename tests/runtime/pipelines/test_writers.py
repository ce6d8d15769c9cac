"""Writers: what is drawn, scored and streamed is what the pipeline in memory gives."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_zoo_runtime import InputError
from tests.runtime.pipelines.bundles import TEXTS, agree, pair
from tests.serving_rules import functions_of
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as built

OPTIONS = {
    "max_tokens": np.arange(len(TEXTS)) % 9,
    "temperature": np.array([1.0, 0.0, 0.7] * 5, np.float32)[: len(TEXTS)],
    "top_k": np.array([0, 3] * 7)[: len(TEXTS)],
    "top_p": np.array([1.0, 0.8] * 7, np.float32)[: len(TEXTS)],
    "seed": np.arange(len(TEXTS)),
}


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    return pair(built.generation(), tmp_path_factory.mktemp("generation"))


@pytest.fixture(scope="module", params=swept(["names", "melodies"], lambda name: name == "names"))
def conditional(request, tmp_path_factory):
    return pair(getattr(built, request.param)(), tmp_path_factory.mktemp(request.param))


def test_a_text_goes_on_as_in_the_pipeline(writer):
    agree(writer.own.generate(TEXTS, **OPTIONS), writer.pipeline.generate(TEXTS, **OPTIONS))
    greedy = {"temperature": 0.0, "max_tokens": 12}
    agree(writer.own.generate("a", **greedy), writer.pipeline.generate("a", **greedy))


def test_texts_are_scored_as_in_the_pipeline(writer, monkeypatch):
    expected = writer.pipeline.score(TEXTS)
    agree(writer.own.score(TEXTS), expected)
    monkeypatch.setattr("rnn_zoo_runtime.pipelines.writer.NUMBERS", 1)  # in windows of 16 tokens
    agree(writer.own.score(TEXTS), expected)


def test_no_texts_have_no_answers(writer, conditional):
    assert writer.own.score([])["perplexity"].shape == (0,)
    assert writer.own.generate([])["text"].shape == (0,)
    assert conditional.own.generate([])["text"].shape == (0,)
    assert conditional.own.score([], [])["perplexity"].shape == (0,)


def test_a_stream_predicts_what_the_signature_predicts(writer):
    functions = functions_of(writer.pipeline)
    states = functions["start"](streams=tf.range(2))
    stream = writer.own.stream(2)
    for tokens in (["[BOS]", "[BOS]"], ["a", "\u00e9"], ["[UNK]", " "]):
        found = dict(functions["step"](token=tf.constant(tokens), **states))
        states = {name: found.pop(name) for name in states}
        answer = stream.step(tokens)
        np.testing.assert_allclose(answer["probabilities"], found["probabilities"], atol=1e-4)
    assert len(writer.own.tokens) == answer["probabilities"].shape[1]
    assert set(stream.states) == set(states)


def test_a_label_is_written_and_scored_as_in_the_pipeline(conditional):
    labels = ["C4", " D4 ", "D4"]
    options = {"max_tokens": 12, "seed": [1, 2, 3], "temperature": [0.0, 0.8, 1.2]}
    for more in ({}, {"guidance": [0.0, 0.5, 2.0], "min_p": 0.05, "top_p": 0.9}):
        found = conditional.own.generate(labels, **options, **more)
        agree(found, conditional.pipeline.generate(labels, **options, **more))
    rows = ["C4"] * len(TEXTS)
    agree(conditional.own.score(rows, TEXTS), conditional.pipeline.score(rows, TEXTS))


def test_a_stream_of_labels_predicts_what_the_signature_predicts(conditional):
    functions = functions_of(conditional.pipeline)
    labels = ["C4", "D4"]
    states = functions["start"](label=tf.constant(labels))
    stream = conditional.own.stream(labels)
    for tokens in (["[BOS]", "[BOS]"], ["a", "b"]):
        found = dict(functions["step"](token=tf.constant(tokens), **states))
        states = {name: found.pop(name) for name in states}
        answer = stream.step(tokens)
        np.testing.assert_allclose(answer["probabilities"], found["probabilities"], atol=1e-4)


def test_wrong_input_is_one_sentence(writer, conditional):
    for call, message in (
        (lambda: writer.own.generate("a", temperature=-1), "temperature must be at least 0"),
        (lambda: writer.own.generate(["a"], top_k=[1, 2]), "top_k has 2 values, expected one"),
        (lambda: writer.own.score(3), "text must be a string or a list of strings, got 3"),
        (lambda: conditional.own.generate("E4"), "label must be one of C4, D4; got E4"),
        (lambda: conditional.own.score(["C4"], ["a", "b"]), "text has 2 values, expected one"),
    ):
        with pytest.raises(InputError, match=message):
            call()
