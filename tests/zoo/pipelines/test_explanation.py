"""What moved a classifier's answer: finite differences, and what an n-gram adds."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.sweeps import swept
from tests.zoo.pipelines.test_serving_rules import origin
from zoo.errors import InputError
from zoo.pipelines import Classifier
from zoo.text import Vectorizer

TEXT = "one two three four five six seven eight nine ten"  # no token twice: a row of the table each
BODIES = {
    "gru": {"cell": "gru", "bidirectional": True, "pooling": "mean"},
    "lstm": {"cell": "lstm", "bidirectional": True, "pooling": "attention"},
    "min_gru": {"cell": "min_gru"},
}


def classifier(**options):
    vectorizer = Vectorizer.learn([TEXT])
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_classes": 2}
    model = zoo.build("many_to_one", units=4, embedding_dim=3, **sizes, **options)
    return Classifier(assign_random(model), vectorizer, ["a", "b"])


@pytest.mark.parametrize("body", swept(list(BODIES), lambda name: name == "gru"))
def test_a_score_is_how_the_logit_changes_with_the_length_of_the_vector(body):
    made = classifier(**BODIES[body])
    found = made.explain([TEXT, "two nine"])
    assert found["tokens"][0].tolist() == TEXT.split()
    assert found["tokens"][1].tolist() == ["two", "nine", *[""] * 8]
    assert found["scores"][1, 2:].tolist() == [0] * 8
    table, ids = made.model.get_layer("embedding").embeddings, made.vectorizer(tf.constant([TEXT]))
    logits = tf.function(made.model, autograph=False)
    start, winner = table.numpy(), made.classes.index(found["label"][0])

    def logit(row, factor):
        changed = start.copy()
        changed[row] *= factor
        table.assign(changed)
        return float(logits(ids, training=False)[0, winner])

    step = 0.02
    slopes = [(logit(row, 1 + step) - logit(row, 1 - step)) / (2 * step) for row in ids.numpy()[0]]
    np.testing.assert_allclose(found["scores"][0], slopes, rtol=0.01, atol=2e-4)
    assert np.ptp(slopes) > 0.01


def test_n_grams_share_the_gradient_of_their_features():
    made = origin()
    found = made.explain(["Ann", ""])
    assert found["tokens"][1].tolist() == ["^", "$", "^$", *[""] * 9]
    assert found["tokens"][0].tolist()[:9] == ["^", "a", "n", "n", "$", "^a", "an", "nn", "n$"]
    features = made.vectorizer(tf.constant(["Ann", ""]))
    with tf.GradientTape() as tape:
        tape.watch(features)
        highest = tf.reduce_max(made.model(features, training=False), axis=1)
    slopes = tape.gradient(highest, features).numpy()
    ids = made.vectorizer.ragged_ids(tf.constant(["Ann"])).numpy()[0]
    length = np.linalg.norm(np.bincount(ids))
    np.testing.assert_allclose(found["scores"][0], slopes[0, ids] / length, rtol=1e-4)
    np.testing.assert_allclose(
        found["scores"].sum(1), (slopes * features.numpy()).sum(1), atol=1e-6
    )


def test_a_model_without_an_embedding_is_not_explained():
    inputs = keras.Input([None], dtype="int32")
    counts = keras.layers.CategoryEncoding(num_tokens=20, output_mode="count")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(counts))
    made = Classifier(model, Vectorizer.learn([TEXT]), ["a", "b"])
    assert list(made.signatures()) == ["serving_default"]
    with pytest.raises(InputError, match="cannot be explained: its first layer must be an embed"):
        made.explain("one two")


def test_an_embedding_of_keras_is_explained():
    """Each token of a mean of linear values adds its own part."""
    layers = [keras.layers.Embedding(14, 3), keras.layers.GlobalAveragePooling1D()]
    model = keras.Sequential([keras.Input([None], dtype="int32"), *layers, keras.layers.Dense(2)])
    made = Classifier(assign_random(model), Vectorizer.learn([TEXT]), ["a", "b"])
    found = made.explain("nine two")
    (table, kernel, _), ids = model.get_weights(), made.vectorizer(tf.constant(["nine two"]))
    winner = made.classes.index(found["label"][0])
    np.testing.assert_allclose(found["scores"], table[ids] @ kernel[:, winner] / 2, rtol=1e-5)
