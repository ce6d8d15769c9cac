"""Pipelines in Python: on strings, saved to a folder and loaded again."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as built
from zoo.pipelines import Classifier, ConditionalWriter, Tagger, Translator, Writer, load
from zoo.pipelines.pipeline import WARM_CALLS
from zoo.recurrence.sharding import LARGE
from zoo.text import NgramVectorizer, SubwordCodec, TextCodec, TokenVectorizer, Vectorizer

TEXTS = ["a good film", "a bad film, isn't it?", "Ann met Bob in Oslo", "so so"]
SMALL = {"units": 4, "embedding_dim": 3}


def classifier(vectorizer=None):
    vectorizer = vectorizer or Vectorizer.learn(TEXTS, truncation="middle", max_length=20)
    if isinstance(vectorizer, NgramVectorizer):
        model = zoo.build("one_to_one", num_features=50, num_classes=3, units=4)
    else:
        size = len(vectorizer.vocabulary)
        model = zoo.build("many_to_one", vocabulary_size=size, num_classes=3, **SMALL)
    return Classifier(assign_random(model), vectorizer, ["a", "b", "c"])


def tagger():
    vectorizer = TokenVectorizer.learn([text.split() for text in TEXTS], letters_min_count=1)
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_tags": 2}
    letters = {"characters": "cnn", "character_vocabulary_size": len(vectorizer.letters)}
    model = zoo.build("many_to_many", **sizes, **letters, head="crf", **SMALL)
    return Tagger(assign_random(model), vectorizer, ["X", "Y"])


def writer():
    codec = TextCodec.learn(TEXTS, level="word")
    sizes = {"vocabulary_size": len(codec.vocabulary), "explicit_states": True}
    return Writer(assign_random(zoo.build("language_model", **sizes, **SMALL)), codec, ends=False)


def conditional_writer():
    codec = TextCodec.learn(TEXTS)
    sizes = {"vocabulary_size": len(codec.vocabulary), "num_classes": 2}
    model = assign_random(zoo.build("one_to_many", **sizes, **SMALL))
    return ConditionalWriter(model, codec, ["C4", "D4"])


def translator():
    source, target = SubwordCodec.learn(TEXTS * 2, size=290), TextCodec.learn(TEXTS)
    sizes = {"source_vocabulary_size": len(source.vocabulary)}
    sizes["target_vocabulary_size"] = len(target.vocabulary)
    model = assign_random(zoo.build("encoder_decoder", **sizes, **SMALL), scale=0.9)
    return Translator(model, source, target, {"beam_size": 2, "ratio": 1.0, "extra": 4})


def ngrams():
    return classifier(NgramVectorizer(50))


MADE = {
    each.__name__: each
    for each in (classifier, ngrams, tagger, writer, conditional_writer, translator)
}


@pytest.mark.parametrize(
    "name", swept(MADE, lambda name: name in ("ngrams", "tagger", "conditional_writer"))
)
@pytest.mark.usefixtures("eagerly")
def test_a_saved_pipeline_is_loaded_and_answers_the_same(name, tmp_path):
    made = MADE[name]()
    texts = ["C4", "D4", "C4"] if name == "conditional_writer" else TEXTS[:3]
    assert made.save(tmp_path / "new" / "mine") == tmp_path / "new" / "mine"
    again = load(tmp_path / "new" / "mine")
    assert type(again) is type(made) and again.options == made.options
    assert again(texts) == made(texts)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]
    with pytest.raises(zoo.InputError, match="exists: give the name of a new folder"):
        made.save(tmp_path / "new" / "mine")


def test_a_pipeline_answers_strings_in_their_order_whatever_the_batches(monkeypatch):
    made = classifier()
    texts = [" ".join(["good"] * (n % 7 + 1)) + " film" for n in range(23)]
    whole = made.classify(texts)
    monkeypatch.setattr(Classifier, "rows", 4)
    parts = made.classify(texts)
    np.testing.assert_allclose(parts["probabilities"], whole["probabilities"], atol=1e-6)
    direct = made.signatures()["serving_default"].function(tf.constant(texts))
    np.testing.assert_allclose(whole["probabilities"], direct["probabilities"], atol=1e-6)
    assert made(texts) == [label.decode() for label in direct["label"].numpy()]
    assert made(texts[0]) == made(texts)[:1] and made([]) == []


def test_tags_are_those_of_the_tokens_of_each_text(monkeypatch):
    made = tagger()
    monkeypatch.setattr(Tagger, "rows", 1)  # batches of other widths, padded to one
    found = made(["Ann met Bob.", "", "so"])
    assert [[token for token, _ in row] for row in found] == [
        ["Ann", "met", "Bob", "."],
        [],
        ["so"],
    ]
    tags = made.signatures()["serving_default"].function(tf.constant(["Ann met Bob."]))["tags"]
    assert [tag.encode() for _, tag in found[0]] == tags.numpy()[0].tolist()


def test_options_are_for_all_rows_or_for_each_and_are_checked():
    made = conditional_writer()
    each = made.generate(["C4", "D4"], max_tokens=[2, 5], seed=[3, 4], temperature=1)
    assert (each["num_tokens"] <= [2, 5]).all() and each["finished"].dtype == bool
    alone = made.generate("D4", max_tokens=5, seed=4)
    assert alone["text"][0] == each["text"][1]
    with pytest.raises(zoo.InputError, match="temperature must be at least 0, got -1"):
        made.generate("C4", temperature=-1.0)
    with pytest.raises(zoo.InputError, match="seed has 2 values, expected one for each of 3 rows"):
        made.generate(["C4"] * 3, seed=[1, 2])
    with pytest.raises(zoo.InputError, match="label must be one of C4, D4; got E4"):
        made.generate("E4")


def test_a_classifier_needs_a_name_for_each_logit():
    made = ngrams()
    with pytest.raises(zoo.InputError, match="3 logits a text, but classes has 2 names"):
        Classifier(made.model, made.vectorizer, ["a", "b"])


def test_texts_may_be_strings_and_bytes_of_any_kind_in_one_list():
    pipeline = classifier()
    mixed = ["a good film", "caf\u00e9".encode(), b"\xff\xfe bad", "so so"]
    alone = np.concatenate([pipeline.classify([text])["probabilities"] for text in mixed])
    for given in (mixed, tuple(mixed), np.array(mixed, object)):
        np.testing.assert_allclose(pipeline.classify(given)["probabilities"], alone, atol=1e-6)
    assert len(pipeline.classify("a good film")["label"]) == 1


def test_few_rows_are_answered_by_a_small_graph_and_many_by_the_exported_one():
    made = tagger()
    made.eager_calls = 1
    texts = ["Ann met Bob", "so so"] * (LARGE // 2)
    eager = made.tag(texts[:2])
    assert not made._small_graphs
    few = [made.tag(texts[:2]) for _ in range(made.large_calls + 2)]
    many = [made.tag(texts) for _ in range(made.large_calls)]
    assert made._tag_texts.experimental_get_tracing_count() == 0 and len(made._small_graphs) == 1
    whole = made.tag(texts)
    assert made._tag_texts.experimental_get_tracing_count() == 1
    for answer in [eager, *few, *many]:
        rows = len(answer["tags"])
        assert answer["tags"].tolist() == whole["tags"][:rows].tolist()
        np.testing.assert_allclose(answer["confidence"], whole["confidence"][:rows], atol=1e-6)
    with pytest.raises(zoo.InputError, match="label must be one of C4, D4; got E4"):
        conditional_writer().generate("E4")


@pytest.mark.parametrize(
    "kind", swept(["generation", "names", "pos", "translation"], lambda kind: kind == "names")
)
def test_a_small_graph_leaves_nothing_in_what_is_exported(kind):
    """What several functions call kept the call of Python of the first that was traced."""
    made = getattr(built, kind)()
    functions = [each.function for each in made.signatures().values()]
    own = [each for each in functions if hasattr(each, "python_function")]
    small = [made._small(each) for each in own if not getattr(each, "needs_graph", False)]
    assert any("PyFunc" in name for each in small for name in operations(each))
    assert not [name for each in own for name in operations(each) if "PyFunc" in name]


def operations(function):
    """The kinds of operations in a function's graph and in those that it calls."""
    graph = function.get_concrete_function() if hasattr(function, "python_function") else function
    whole = graph.graph.as_graph_def()
    inner = [node for each in whole.library.function for node in each.node_def]
    return {node.op for node in [*whole.node, *inner]}


def test_a_new_small_graph_is_run_a_few_times_and_an_old_one_once(monkeypatch):
    made = ngrams()
    made.eager_calls, calls = 0, []
    small = made._small

    def counted(function):
        graph = small(function)

        def called(**inputs):
            calls.append(len(calls))
            return graph(**inputs)

        return called

    monkeypatch.setattr(made, "_small", counted)
    monkeypatch.setattr("zoo.pipelines.pipeline.WARM_SECONDS", 60.0)
    first = made(TEXTS)
    assert len(calls) == 1 + WARM_CALLS
    assert made(TEXTS) == first
    assert len(calls) == 2 + WARM_CALLS


def test_a_pipeline_without_large_calls_builds_the_whole_graph_for_many_rows_at_once():
    made = ngrams()
    made.eager_calls = made.large_calls = 0
    made(TEXTS[:1])
    assert made._classify.experimental_get_tracing_count() == 0
    made([TEXTS[0]] * LARGE)
    assert made._classify.experimental_get_tracing_count() == 1
