"""Texts -> labels: the runtime's answers are those of the pipeline in memory."""

import pytest

from tests.runtime.pipelines.bundles import TEXTS, agree, pair
from tests.zoo.pipelines import test_serving_rules as built


@pytest.fixture(scope="module", params=["sentiment", "origin"])
def both(request, tmp_path_factory):
    return pair(getattr(built, request.param)(), tmp_path_factory.mktemp(request.param))


def test_labels_and_probabilities_are_those_of_the_pipeline(both):
    agree(both.own.classify(TEXTS), both.pipeline.classify(TEXTS))
    assert both.own(["né", "né".encode(), b"\xff"]) == both.own(["né", "né", "\ufffd"])
    texts = ["one", "two"]
    assert both.own(texts) == both.pipeline(texts)
    agree(both.own.classify("a good film"), both.pipeline.classify("a good film"))


def test_no_texts_have_no_answers(both):
    found = both.own.classify([])
    assert found["label"].shape == (0,) and found["probabilities"].shape[0] == 0
