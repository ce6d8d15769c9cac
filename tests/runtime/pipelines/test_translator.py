"""Texts -> translations: the runtime's beam search over ONNX is that of the pipeline in memory."""

import numpy as np
import pytest

from rnn_zoo_runtime import InputError
from tests.runtime.pipelines.bundles import TEXTS, agree, pair
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as built
from zoo.pipelines import BeamSearch, Translator

SEARCHES = {
    "plain": {"beam_size": 2, "ratio": 1.0, "extra": 4},
    "covered": {"beam_size": 3, "beta": 0.4, "penalty": "gnmt", "alpha": 0.6, "extra": 4},
    "replaced": {"beam_size": 2, "replace_unknown": True, "no_repeat": 2, "extra": 3},
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return pair(built.translation(), tmp_path_factory.mktemp("translation"))


@pytest.fixture(params=swept(SEARCHES, keep=lambda name: name == "covered"))
def both(request, plain):
    """The same model with another search."""
    search = BeamSearch(**SEARCHES[request.param])
    pipeline = Translator(
        plain.pipeline.model, plain.pipeline.source, plain.pipeline.target, search
    )
    own = type(plain.own)(plain.own.graphs, plain.own.source, plain.own.target, **pipeline.options)
    return plain._replace(pipeline=pipeline, own=own)


def test_translations_and_attention_are_those_of_the_pipeline(both):
    texts = TEXTS[::2]
    count = len(texts)
    options = {
        "beam_size": np.array([2, 1, 4] * count)[:count],
        "length_penalty": np.array([1.0, 0.0, 0.5] * count, np.float32)[:count],
        "max_tokens": np.array([0, 5, 3, 9] * count)[:count],
    }
    agree(both.own.translate(texts, **options), both.pipeline.translate(texts, **options))
    assert both.own(texts) == both.pipeline(texts)


def test_translations_begin_with_prefixes(plain):
    texts, prefixes = ["a dog", "runs", ""], ["A", "", "ab"]
    found = plain.own.translate(texts, prefixes=prefixes)
    agree(found, plain.pipeline.translate(texts, prefixes=prefixes))


def test_translations_are_scored_as_in_the_pipeline(plain):
    agree(plain.own.score(TEXTS, TEXTS[::-1]), plain.pipeline.score(TEXTS, TEXTS[::-1]))


def test_no_texts_have_no_translations_and_wrong_options_are_one_sentence(plain):
    assert plain.own.translate([])["translations"].shape[0] == 0
    with pytest.raises(InputError, match="beam_size must be at least 1, got 0"):
        plain.own.translate("a", beam_size=0)
