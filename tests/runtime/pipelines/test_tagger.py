"""Texts and tokens -> tags: the runtime's answers are those of the pipeline in memory."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_zoo_runtime import InputError
from tests.runtime.pipelines.bundles import TEXTS, agree, pair
from tests.serving_rules import functions_of
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as built
from zoo.pipelines.tagger import TOKENS


@pytest.fixture(scope="module", params=swept(["ner", "pos", "ner_stream"], lambda n: n != "ner"))
def both(request, tmp_path_factory):
    return pair(getattr(built, request.param)(), tmp_path_factory.mktemp(request.param))


def test_tags_and_their_places_are_those_of_the_pipeline(both):
    agree(both.own.tag(TEXTS), both.pipeline.tag(TEXTS))
    texts = ["Ann met Bob.", ""]
    assert both.own(texts) == both.pipeline(texts)


def test_ready_tokens_have_the_tags_that_the_signature_gives(both):
    expected = functions_of(both.pipeline)["tag_tokens"](tf.constant(TOKENS))
    found = both.own.tag_tokens(TOKENS)
    strings = {n: v.numpy() for n, v in expected.items()}
    for name in ("tokens", "tags"):
        strings[name] = np.vectorize(lambda t: t.decode(errors="replace"), otypes=[object])(
            strings[name]
        )
    agree(found, strings)


def test_an_empty_token_before_others_is_one_sentence(both):
    with pytest.raises(InputError, match="the empty token 1 of .* is before others"):
        both.own.tag_tokens([["a", "", "b"]])


def test_no_texts_have_no_tags(both):
    assert both.own.tag([])["tags"].shape[0] == 0
    assert both.own.tag_tokens([])["tags"].shape[0] == 0


def test_a_stream_answers_as_the_signature_and_without_its_states_otherwise(both):
    functions = functions_of(both.pipeline)
    if "step" not in functions:
        with pytest.raises(InputError, match="has no graph 'start'"):
            both.own.stream()
        return
    states = functions["start"](streams=tf.range(2))
    stream = both.own.stream(2)
    first = []
    for tokens in (["Ann", "a"], ["met", ""], ["Bob", "\u00e9"]):
        found = dict(functions["step"](token=tf.constant(tokens), **states))
        states = {name: found.pop(name) for name in states}
        answer = stream.step(tokens)
        assert [t.decode() for t in found["tag"].numpy()] == answer["tag"].tolist()
        np.testing.assert_allclose(answer["probabilities"], found["probabilities"], atol=1e-4)
        first.append(answer["probabilities"])
    stream.reset()
    again = [stream.step(tokens)["probabilities"] for tokens in (["Ann", "a"], ["Bob", "\u00e9"])]
    np.testing.assert_allclose(again[0], first[0], atol=1e-6)
    assert np.abs(again[1] - first[2]).max() > 1e-3
