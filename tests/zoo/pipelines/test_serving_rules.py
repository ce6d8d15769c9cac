"""Every signature of every recipe under the rules of TensorFlow Serving's rows and batches.

Each recipe's kind of pipeline is asked for its signatures.
"""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests import serving_rules, surface
from tests.references.weights import assign_random
from tests.sweeps import swept
from zoo.decoding.bounds import BOUNDS
from zoo.layers.numeric import pad_series
from zoo.pipelines import (
    BeamSearch,
    Classifier,
    ConditionalWriter,
    SignalClassifier,
    Tagger,
    Transcriber,
    Translator,
    Writer,
)
from zoo.text import (
    NgramVectorizer,
    SubwordCodec,
    TextCodec,
    TokenVectorizer,
    Vectorizer,
    allowed_transitions,
    limits,
)

TEXTS = ["a good film", "a bad film, isn't it?", "Ann met Bob in Oslo", "so so"]
TAGS = ["O", "B-PER", "I-PER"]
NEVER = np.float32(-1e20)  # the log-probability of a translation that is not there
SMALL = {"units": 4, "embedding_dim": 3}
# what a row may ask for, in turn; all within the bounds
VARIED = {
    "max_tokens": [9, 3, 0, 12, 6],
    "temperature": [0.7, 0.0, 1.5, 1.0],
    "top_k": [0, 3, 2],
    "top_p": [1.0, 0.8, 0.5, 0.9],
    "min_p": [0.0, 0.1, 0.02],
    "guidance": [0.0, 1.5, 0.5],
    "seed": [0, 7, 123456789, 2147483647, 7],
    "beam_size": [2, 1, 4, 3],
    "length_penalty": [0.0, 1.0, 0.6],
}
# beyond the bounds, and what stands for it
OUT = {
    "max_tokens": ([-3, -(2**31)], [0, 0]),
    "temperature": ([-1.0, np.nan, np.inf, -np.inf], [0.0, 1.0, 100.0, 0.0]),
    "top_k": ([-1, -(2**31)], [0, 0]),
    "top_p": ([0.0, np.nan, 2.0, -np.inf], [2e-38, 1.0, 1.0, 2e-38]),
    "min_p": ([2.0, np.nan, -1.0, np.inf], [1.0, 0.0, 0.0, 1.0]),
    "guidance": ([-1.0, np.nan, np.inf], [0.0, 0.0, 100.0]),
    "seed": ([-5, -(2**31)], [0, 0]),
    "beam_size": ([0, -(2**31)], [1, 1]),
    "length_penalty": ([-1.0, np.nan, np.inf], [0.0, 1.0, 10.0]),
}


def sentiment():
    vectorizer = Vectorizer.learn(TEXTS, truncation="middle", max_length=20)
    size = len(vectorizer.vocabulary)
    model = zoo.build("many_to_one", vocabulary_size=size, num_classes=3, pooling="concat", **SMALL)
    return Classifier(assign_random(model), vectorizer, ["a", "b", "c"])


def origin():
    model = zoo.build("one_to_one", num_features=50, num_classes=2, units=4)
    return Classifier(assign_random(model), NgramVectorizer(50), ["a", "b"])


def ner(**options):
    vectorizer = TokenVectorizer.learn([text.split() for text in TEXTS], letters_min_count=1)
    letters = {"characters": "cnn", "character_dim": 3, "character_units": 4, "casing_dim": 2}
    letters["character_vocabulary_size"] = len(vectorizer.letters)
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_tags": len(TAGS)}
    crf = {"head": "crf", "allowed": allowed_transitions(TAGS, "bio")}
    model = zoo.build("many_to_many", **sizes, **SMALL, **letters, **crf, **options)
    return Tagger(assign_random(model), vectorizer, TAGS)


def pos():
    vectorizer = TokenVectorizer.learn([text.split() for text in TEXTS], letters_min_count=1)
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_tags": len(TAGS)}
    model = zoo.build("many_to_many", **sizes, **SMALL, bidirectional=True, cell="gru")
    return Tagger(assign_random(model), vectorizer, TAGS)


def generation():
    codec = TextCodec.learn(TEXTS)
    options = {"vocabulary_size": len(codec.vocabulary), "cell": "gru", "explicit_states": True}
    model = assign_random(zoo.build("language_model", **options, **SMALL))
    return Writer(model, codec)


def names(level="character"):
    codec = TextCodec.learn(TEXTS, level=level)
    options = {"vocabulary_size": len(codec.vocabulary), "num_classes": 2, "class_dim": 3}
    model = assign_random(zoo.build("one_to_many", **options, **SMALL))
    return ConditionalWriter(model, codec, ["C4", "D4"])


def melodies():
    return names(level="space")


def translation():
    source, target = SubwordCodec.learn(TEXTS * 2, size=290), TextCodec.learn(TEXTS)
    sizes = {"source_vocabulary_size": len(source.vocabulary)}
    sizes["target_vocabulary_size"] = len(target.vocabulary)
    model = assign_random(zoo.build("encoder_decoder", **sizes, **SMALL), scale=0.9)
    return Translator(model, source, target, BeamSearch(beam_size=2, ratio=1.0, extra=4))


def ner_stream():
    return ner(cell="lstm")


def series_of(width):
    draw = np.random.default_rng(0)
    return pad_series([draw.normal(size=(length, width)) for length in (400, 90, 200)])


def signals():
    model = zoo.build("many_to_one", input_dim=2, num_classes=3, units=4)
    zoo.adapt(model, series_of(2))
    return SignalClassifier(assign_random(model), ["a", "b", "c"])


def digits():
    options = {"features": "log_mel", "mel_bands": 6, "units": 4}
    model = zoo.build("ctc", input_dim=1, num_labels=2, **options)
    zoo.adapt(model, series_of(1))
    return Transcriber(assign_random(model), ["a", "b"], beam_width=4)


EXPORTS = {
    one.__name__: one
    for one in (
        *(sentiment, origin, ner_stream, pos, generation, names, melodies, translation),
        *(signals, digits),
    )
}


# of two recipes with one kind of pipeline, one is kept; writers with a label write as others do
@pytest.fixture(
    scope="module",
    params=swept(
        EXPORTS,
        lambda recipe: recipe in ("ner_stream", "generation", "origin", "signals"),
    ),
)
def exported(request):
    """A recipe's name, its functions and their probes."""
    found = EXPORTS[request.param]().signatures()
    functions = {name: each.function for name, each in found.items()}
    return request.param, functions, {name: each.probe for name, each in found.items()}


def requests_of(probes, rows=5):
    """Rows of a signature's probes as requests of one row each, with options of their own."""
    found = {}
    for name, values in probes.items():
        values = np.asarray(values)
        found[name] = values[np.arange(rows) % len(values)]
        if name in VARIED:
            varied = [VARIED[name][row % len(VARIED[name])] for row in range(rows)]
            found[name] = np.array(varied, values.dtype)
    return [{name: each[row : row + 1] for name, each in found.items()} for row in range(rows)]


def assert_alike(one, other, name):
    """Two answers to the same request: the same, but for padding behind either."""
    shape = np.minimum(one.shape, other.shape)
    inner = tuple(slice(0, size) for size in shape)
    if one.dtype.kind == "f":
        np.testing.assert_allclose(one[inner], other[inner], atol=2e-5, rtol=2e-4, err_msg=name)
    else:
        assert one[inner].tolist() == other[inner].tolist(), name
    for whole in (one, other):
        rest = np.ones(whole.shape, bool)
        rest[inner] = False
        assert np.isin(whole[rest], [b""] if whole.dtype == object else [0, NEVER]).all(), name


def test_each_input_and_output_has_the_batch_first(exported):
    _, functions, _ = exported
    for function in functions.values():
        graph = function if hasattr(function, "structured_outputs") else None
        graph = graph or function.get_concrete_function()
        positional, named = graph.structured_input_signature
        inputs = {spec.name: spec for spec in [*positional, *named.values()]}
        serving_rules.check_spec(inputs, graph.structured_outputs)


def test_the_surface_of_the_signatures_is_kept(exported):
    recipe, functions, _ = exported
    found = {name: surface.signature(function) for name, function in functions.items()}
    surface.assert_kept("signatures", recipe, found)


def test_a_row_is_answered_alone_as_in_a_batch_of_others(exported):
    """Other texts, other lengths, other options and seeds beside it, in rows and in batches."""
    _, functions, probes = exported
    for name, function in functions.items():
        requests = requests_of(probes[name])
        alone = [serving_rules.run(function, request) for request in requests]
        together = serving_rules.batched(function, requests, allowed=len(requests) + 3)
        for one, other in zip(alone, together, strict=True):
            for output in one:
                assert_alike(one[output], other[output], f"{name}: {output}")
        instances = [{key: each[0] for key, each in request.items()} for request in requests]
        rows = serving_rules.row_format(function, instances)
        for one, other in zip(alone, rows, strict=True):
            for output in one:
                assert_alike(one[output], other[output], f"{name}: {output}")


def test_no_rows_are_answered_with_no_rows(exported):
    _, functions, probes = exported
    for name, function in functions.items():
        given = {key: np.asarray(values)[:0] for key, values in probes[name].items()}
        one = {key: np.asarray(values)[:1] for key, values in probes[name].items()}
        empty, whole = (serving_rules.run(function, inputs) for inputs in (given, one))
        for output, values in whole.items():
            assert empty[output].shape[0] == 0, f"{name}: {output}"
            assert empty[output].ndim == values.ndim and empty[output].dtype == values.dtype


def test_options_out_of_bounds_are_set_to_the_nearest_or_the_default(exported):
    recipe, functions, probes = exported
    for name, function in functions.items():
        for option in set(probes[name]) & set(OUT):
            request = requests_of(probes[name], rows=1)[0]
            rows = len(OUT[option][0])
            given = {key: np.repeat(each, rows, axis=0) for key, each in request.items()}
            wild, tame = (
                serving_rules.run(function, {**given, option: np.array(values, each.dtype)})
                for values, each in ((values, request[option]) for values in OUT[option])
            )
            for output in wild:
                assert_alike(wild[output], tame[output], f"{recipe} {name}: {option} {output}")
                assert wild[output].dtype.kind != "f" or np.isfinite(wild[output]).all()


def test_a_huge_beam_is_the_widest_that_is_allowed(exported):
    recipe, functions, probes = exported
    if recipe != "translation":
        return
    request = requests_of(probes["translate"], rows=1)[0]
    most = int(BOUNDS["beam_size"].high)
    for size in (most, 10**6, 2**31 - 1):
        found = serving_rules.run(
            functions["translate"], {**request, "beam_size": np.array([size], "int32")}
        )
        assert found["translations"].shape == (1, most)


def test_a_text_of_a_megabyte_is_read_up_to_the_limit(exported):
    recipe, functions, probes = exported
    texts = np.array([b"a good film, ann " * 60_000, b"film"], object)
    told = {"ner_stream": "tokens", "pos": "tokens"}.get(recipe, "text")
    for name in ("serving_default", "score", "generate"):
        if name not in functions or (name == "generate" and recipe != "generation"):
            continue
        given = {key: np.asarray(each)[:2] for key, each in probes[name].items()}
        for key in {"text", "prompt", "translation"} & set(given):
            given[key] = texts
        found = serving_rules.run(functions[name], given)
        if "truncated" in found:
            assert found["truncated"].tolist() == [True, False]
        if told == "tokens":
            assert found["tokens"].shape == (2, limits.TAGGED)
        if name == "score" and recipe == "generation":
            assert found["num_tokens"].tolist() == [limits.SCORED + 1, 5]
        if name == "generate":
            assert found["text"][0].startswith(texts[0])


def test_a_refused_rule_is_noticed():
    """The replay itself: what today's rules are for."""
    whole = tf.function(lambda text: {"classes": tf.constant(["a", "b", "c"])}, autograph=False)
    with pytest.raises(serving_rules.RuleBroken, match="classes has shape"):
        serving_rules.row_format(whole, [{"text": b"x"}, {"text": b"y"}])
    with pytest.raises(serving_rules.RuleBroken, match="classes has shape"):
        serving_rules.batched(whole, [{"text": np.array([b"x"], object)}], 2)
    with pytest.raises(serving_rules.RuleBroken, match="differ in dimension 0"):
        given = {"text": np.array([b"x"], object), "seed": np.array(1)}
        serving_rules.batched(whole, [given], 2)
    with pytest.raises(serving_rules.RuleBroken, match="seed is a scalar"):
        serving_rules.check_spec({"seed": tf.TensorSpec([], tf.int32)}, {})
