"""The streaming tagger: token by token it says what the whole sentence's model says so far."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.serving_rules import functions_of
from tests.sweeps import swept
from zoo.pipelines import Tagger
from zoo.text import TokenVectorizer, allowed_transitions

TAGS = ["B-x", "I-x", "O"]
SENTENCES = [["Ann", "met", "Bob", "in", "Oslo"], ["two", "new", "Bobs", "met", "."]]


@pytest.fixture(scope="module")
def vectorizer():
    return TokenVectorizer.learn(SENTENCES, letters_min_count=1)


def built(vectorizer, **options):
    model = zoo.build(
        "many_to_many",
        vocabulary_size=len(vectorizer.vocabulary),
        num_tags=3,
        embedding_dim=4,
        units=5,
        characters="cnn",
        character_vocabulary_size=len(vectorizer.letters),
        character_dim=3,
        character_units=4,
        affix_dim=2,
        casing_dim=2,
        **options,
    )
    return assign_random(model)


def steps(functions, sentences):
    """What each step gives, from the start on, stacked over time: name -> (B, T, ...)."""
    states = functions["start"](tf.zeros([len(sentences)], tf.int32))
    given = []
    for tokens in zip(*sentences, strict=True):
        answer = dict(functions["step"](token=tf.constant(tokens), **states))
        given.append({name: answer.pop(name).numpy() for name in ("tag", "probabilities")})
        states = answer
    return {name: np.stack([one[name] for one in given], axis=1) for name in given[0]}


def softmax(values):
    return np.exp(values - np.log(np.exp(values).sum(axis=-1, keepdims=True)))


@pytest.mark.parametrize(
    "options",
    swept(
        [
            {"cell": "lstm"},
            {"cell": "gru", "num_layers": 2, "residual": True},
            {"cell": "min_gru", "learned_initial_state": True, "dense_layers": 1},
        ],
        lambda options: options["cell"] != "gru",
    ),
)
def test_steps_give_the_probabilities_of_the_whole_sentence(vectorizer, options):
    model = built(vectorizer, **options)
    expected = softmax(np.array(model(vectorizer(tf.constant(SENTENCES)))))
    found = steps(functions_of(Tagger(model, vectorizer, TAGS)), SENTENCES)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    best = [[TAGS[tag].encode() for tag in row] for row in expected.argmax(axis=-1)]
    assert found["tag"].tolist() == best


def test_with_a_crf_each_step_sums_over_all_paths_up_to_it(vectorizer):
    """Against the sum over all paths of the prefix, the end's scores left out."""
    allowed = allowed_transitions(TAGS, "bio")
    model = built(vectorizer, head="crf", allowed=allowed)
    crf = model.get_layer("crf")
    logits = np.array(model(vectorizer(tf.constant(SENTENCES))))[:, :5]
    transitions = np.where(allowed.transitions, crf.transitions.numpy(), -np.inf)
    start = np.where(allowed.start, crf.start.numpy(), -np.inf)
    found = steps(functions_of(Tagger(model, vectorizer, TAGS)), SENTENCES)["probabilities"]
    for row in range(2):
        for length in range(1, 6):
            shares = np.zeros(3)
            for path in np.ndindex(*[3] * length):
                score = start[path[0]] + sum(logits[row, t, tag] for t, tag in enumerate(path))
                score += sum(transitions[path[t - 1], path[t]] for t in range(1, length))
                shares[path[-1]] += np.exp(score)
            np.testing.assert_allclose(found[row, length - 1], shares / shares.sum(), atol=1e-5)


@pytest.mark.sweep
def test_the_exported_tagger_streams_if_it_reads_one_way(vectorizer, tmp_path):
    model = built(vectorizer, num_layers=2)
    path = Tagger(model, vectorizer, TAGS).export(tmp_path / "pos")
    served = tf.saved_model.load(str(path)).signatures
    whole = softmax(np.array(model(vectorizer(tf.constant(SENTENCES)))))
    found = steps({name: served[name] for name in ("start", "step")}, SENTENCES)
    np.testing.assert_allclose(found["probabilities"], whole, atol=1e-5)


def test_a_tagger_of_ones_own_is_exported_without_a_step(vectorizer, tmp_path):
    token_ids = keras.Input((None,), dtype="int32")
    values = keras.layers.Embedding(len(vectorizer.vocabulary), 3)(token_ids)
    model = keras.Model(token_ids, keras.layers.Dense(3, name="own")(values))
    path = Tagger(model, vectorizer, TAGS).export(tmp_path / "own")
    assert set(tf.saved_model.load(str(path)).signatures) == {"serving_default", "tag_tokens"}


def test_a_bidirectional_tagger_has_no_step(vectorizer):
    model = built(vectorizer, bidirectional=True)
    with pytest.raises(zoo.InputError, match="bidirectional=False"):
        model.initial_states(1)
    assert not model.can_stream
    assert "step" not in Tagger(model, vectorizer, TAGS).signatures()
