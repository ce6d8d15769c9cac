"""`Pipeline.fine_tune`: a new pipeline that knows new words and labels; the old one stays."""

import keras
import numpy as np
import pytest

import zoo
from zoo.errors import InputError
from zoo.pipelines import (
    Classifier,
    ConditionalWriter,
    SignalClassifier,
    Tagger,
    Translator,
    Writer,
)
from zoo.text import TextCodec, TokenVectorizer, Vectorizer

SMALL = {"cell": "simple_rnn", "units": 3, "embedding_dim": 4}
TEXTS = ["a good film", "a bad film", "good good", "bad bad film"]
LABELS = ["up", "down", "up", "down"]
SENTENCES = [["Ann", "met", "Bob"], ["Bob", "sang"]]
TAGS = [["B-PER", "O", "B-PER"], ["B-PER", "O"]]


def drawn(model):
    """The model with weights that no seed of a new model gives."""
    draw = np.random.default_rng(7)
    for variable in model.trainable_variables:
        variable.assign(draw.normal(0, 0.4, variable.shape))
    return model


def classifier():
    vectorizer = Vectorizer.learn(TEXTS)
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_classes": 2}
    return Classifier(drawn(zoo.build("many_to_one", **sizes, **SMALL)), vectorizer, ["down", "up"])


def tagger():
    vectorizer = TokenVectorizer.learn(SENTENCES, letters_min_count=1)
    letters = len(vectorizer.letters)
    context = {"vocabulary_size": len(vectorizer.vocabulary), "units": 2, "embedding_dim": 3}
    model = zoo.build(
        "many_to_many",
        vocabulary_size=len(vectorizer.vocabulary),
        num_tags=2,
        characters="cnn",
        character_vocabulary_size=letters,
        context={**context, "character_vocabulary_size": letters, "cell": "simple_rnn"},
        head="crf",
        allowed=zoo.text.allowed_transitions(["B-PER", "O"], "bio"),
        **SMALL,
    )
    return Tagger(drawn(model), vectorizer, ["B-PER", "O"])


def writer():
    codec = TextCodec.learn(["abba"])
    size = len(codec.vocabulary)
    model = zoo.build("language_model", vocabulary_size=size, explicit_states=True, **SMALL)
    return Writer(drawn(model), codec)


def conditional_writer():
    codec = TextCodec.learn(["ab"])
    sizes = {"vocabulary_size": len(codec.vocabulary), "num_classes": 2}
    return ConditionalWriter(drawn(zoo.build("one_to_many", **sizes, **SMALL)), codec, ["x", "y"])


def translator():
    source, target = TextCodec.learn(["abc"]), TextCodec.learn(["xy"])
    model = zoo.build(
        "encoder_decoder",
        source_vocabulary_size=len(source.vocabulary),
        target_vocabulary_size=len(target.vocabulary),
        **SMALL,
    )
    return Translator(drawn(model), source, target)


def arrays(pipeline):
    return {v.path: v.numpy() for v in pipeline.model.variables if "seed" not in v.path}


def test_a_classifier_learns_new_words_and_keeps_what_is_frozen():
    before = classifier()
    old = arrays(before)
    texts = ["a dull film", "dull dull", "a grand film", "grand grand"]
    after = before.fine_tune(
        texts, ["down", "down", "up", "up"], epochs=40, freeze="none", learning_rate=0.05
    )
    assert after(texts) == ["down", "down", "up", "up"]
    assert after.classes == ["down", "up"]
    tokens = before.vectorizer.vocabulary.tokens
    assert after.vectorizer.vocabulary.tokens == [*tokens, "dull", "grand"]
    assert all(np.array_equal(value, arrays(before)[path]) for path, value in old.items())
    assert all(each.trainable for each in after.model.layers)

    other = before.fine_tune(texts, ["x", "y", "z", "x"], epochs=1, freeze="body")
    assert other.classes == ["x", "y", "z"]
    new = arrays(other)
    assert np.array_equal(new["embedding/embeddings"][: len(tokens)], old["embedding/embeddings"])
    body = [path for path in old if path.startswith("encoder")]
    assert body and all(np.array_equal(new[path], old[path]) for path in body)
    assert new["logits/kernel"].shape == (3, 3)


@pytest.mark.sweep
def test_a_tagger_with_a_crf_and_a_language_model_is_unfrozen_epoch_by_epoch():
    before = tagger()
    old, size = arrays(before), len(before.vectorizer.vocabulary)
    sentences = [["Cleo", "met", "Bob"]]
    after = before.fine_tune(
        sentences,
        [["B-PER", "O", "B-PER"]],
        epochs=2,
        freeze="body",
        unfreeze_every=1,
        learning_rate=0.05,
    )
    new = arrays(after)
    assert after.vectorizer.vocabulary.tokens[size:] == ["cleo"]
    # the embeddings would have begun in the third epoch, the language model never does
    assert np.array_equal(new["embedding/embeddings"][:size], old["embedding/embeddings"])
    assert np.array_equal(new["characters/bias"], old["characters/bias"])
    assert not np.array_equal(new["logits/kernel"], old["logits/kernel"])
    recurrent = "encoder/forward_0/cell/recurrent_kernel"
    assert not np.array_equal(new[recurrent], old[recurrent])
    words = new["context_embedding/embeddings"]
    assert np.array_equal(words[:size], old["context_embedding/embeddings"])
    assert np.array_equal(words[size], words[1])  # as UNK
    shares = [pipeline.tag(["Cleo met Bob"])["unknown_share"] for pipeline in (before, after)]
    np.testing.assert_allclose(shares, [[1 / 3], [0]], rtol=1e-6)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("make", "texts", "targets"),
    [
        (conditional_writer, ["cab", "ba"], ["x", "z"]),
        (writer, ["abcab"], None),
        (translator, ["cabd"], ["yxz"]),
    ],
)
def test_a_writer_gives_new_tokens_new_rows_and_learns_the_text(make, texts, targets):
    before = make()
    old = arrays(before)
    after = before.fine_tune(texts, targets, epochs=60, freeze="embeddings", learning_rate=0.05)
    for name, path in before.text_paths.items():
        tokens = path.vocabulary.tokens
        assert after.text_paths[name].vocabulary.tokens[: len(tokens)] == tokens
    tables = [path for path in old if path.endswith("embedding/embeddings")]
    for path in tables:
        kept = arrays(after)[path]
        assert np.array_equal(kept[: len(old[path])], old[path]) and len(kept) > len(old[path])
    if make is writer:
        found = after.score(texts)
    elif make is translator:
        found = after.score(texts, targets)
    else:
        assert after.labels == ["x", "y", "z"]
        found = after.score(targets, texts)
    # far better than tokens drawn at random
    size = len(list(after.text_paths.values())[-1].vocabulary)
    assert (found["log_probability"] > -0.6 * found["num_tokens"] * np.log(size)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": [], "targets": []}, "texts must be a list of at least one example"),
        ({"texts": ["a"], "targets": None}, "one for each of the 1 texts, got None"),
        ({"texts": ["a", "b"], "targets": ["up"]}, "one for each of the 2 texts, got 1"),
        ({"texts": ["a"], "targets": ["up"], "epochs": 0}, "epochs must be a positive int, got 0"),
        ({"texts": ["a"], "targets": ["up"], "freeze": "top"}, "freeze must be one of"),
        ({"texts": ["a"], "targets": ["up"], "learning_rate": 0}, "learning_rate must be above 0"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        classifier().fine_tune(**arguments)


def test_what_cannot_be_trained_here_says_so():
    model = zoo.build("many_to_one", input_dim=1, num_classes=2, units=2)
    with pytest.raises(InputError, match="a SignalClassifier is not fine-tuned in Python: train"):
        SignalClassifier(model, ["a", "b"]).fine_tune([[1.0]], ["a"])
    with pytest.raises(InputError, match="a list of tokens with a list of as many tags"):
        tagger().fine_tune([["Ann", "met"]], [["O"]])
    vectorizer = Vectorizer.learn(["a"])
    token_ids = keras.Input((None,), dtype="int32")
    pooled = keras.ops.sum(keras.layers.Embedding(5, 2)(token_ids), axis=1)
    own = keras.Model(token_ids, keras.layers.Dense(2)(pooled), name="own")
    with pytest.raises(InputError, match="'own' was not made by zoo.build"):
        Classifier(own, vectorizer, ["a", "b"]).fine_tune(["a"], ["a"])
