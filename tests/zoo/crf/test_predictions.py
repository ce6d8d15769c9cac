"""What a model with a CRF predicts: tags from it, wrong uses of it, unknown tags, its export."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import random_values
from tests.sweeps import swept
from zoo.errors import InputError
from zoo.layers import CRF, CRFAccuracy, CRFLoss
from zoo.losses import TokenCrossentropy
from zoo.pipelines.crf_tags import crf_of, crf_tagger, export_crf

B, T, C = 3, 7, 3
LENGTHS = np.array([7, 2, 4])
MASK = np.arange(T) < LENGTHS[:, None]
LOGITS = random_values(B, T, C, seed=1, scale=2.0)
TAGS = np.random.default_rng(3).integers(0, C, (B, T))
PARTLY = np.where(np.arange(T) % 2 == 1, -1, TAGS)


@pytest.fixture
def crf():
    layer = CRF(C, name="crf")
    for number, weight in enumerate(layer.weights):
        weight.assign(random_values(*weight.shape, seed=number))
    return layer


def test_tags_and_their_probabilities_come_from_predictions(crf):
    predictions = np.array(crf(LOGITS, mask=MASK))
    expected, scores = crf.decode(LOGITS, MASK)
    np.testing.assert_array_equal(crf.tags(predictions), expected)
    assert crf.tags(predictions).dtype == "int32"
    found = crf.tagging(predictions)
    np.testing.assert_array_equal(found.tags, expected)
    shares = np.array(crf.marginals(LOGITS, MASK))
    chosen = np.take_along_axis(shares, np.array(expected)[:, :, None], axis=2)[:, :, 0]
    np.testing.assert_allclose(found.confidence, np.where(MASK, chosen, 0), atol=1e-6)
    log_probability = np.array(scores) - np.array(crf.log_partition(LOGITS, MASK))
    np.testing.assert_allclose(found.log_probability, log_probability, atol=1e-5)
    assert crf.tags(predictions[:0]).shape == (0, T)


def test_tags_keep_to_what_is_allowed_in_decoding():
    allowed = np.array([[True, True, False]] * 3)
    layer = CRF(C, allowed, constrained="decoding")
    logits = LOGITS + np.array([0, 0, 9], "float32")
    tags = layer.tags(np.array(layer(logits, mask=MASK)))
    assert not np.any(np.array(tags)[:, 1:] == 2)


METHODS = ["decode", "n_best", "marginals", "log_partition", "log_likelihood"]


@pytest.mark.parametrize("method", METHODS)
def test_predictions_in_the_place_of_logits_are_refused(crf, method):
    predictions = np.array(crf(LOGITS, mask=MASK))
    more = [np.zeros(predictions.shape[:2], int)] if method == "log_likelihood" else []
    with pytest.raises(InputError, match="expected logits.*call crf.tags"):
        getattr(crf, method)(predictions, *more)
    graph = tf.function(lambda values: getattr(crf, method)(values, *more))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected logits"):
        graph(tf.constant(predictions))


@pytest.mark.parametrize("value", [0.0, 1.0, 2.0])
def test_logits_of_one_value_everywhere_are_no_predictions(crf, value):
    logits = np.full((B, C + 9, C), value, "float32")
    assert crf.decode(logits)[0].shape == (B, C + 9)
    assert CRF(C).decode(np.zeros((B, C + 9, C), "float32"))[0].shape == (B, C + 9)


def test_logits_in_the_place_of_predictions_are_refused(crf):
    for wrong in (LOGITS, random_values(B, 20, C), np.zeros((B, 9, C + 1)), np.zeros((B, 9))):
        with pytest.raises(InputError, match="predictions must be the output of crf"):
            crf.tags(wrong)
    with pytest.raises(InputError, match="got a dict: of several outputs give that of the CRF"):
        crf.tags({"tags": LOGITS})


def test_losses_of_the_other_head_say_which_is_right(crf):
    predictions = crf(LOGITS, mask=MASK)
    with pytest.raises(InputError, match="takes zoo.layers.CRFLoss"):
        TokenCrossentropy()(TAGS, predictions)
    with pytest.raises(InputError, match="end the model with zoo.layers.CRF"):
        CRFLoss()(TAGS, LOGITS)


def marginal_likelihoods(layer, tags):
    """The log-probability of the known tags, summed over all paths, by definition."""
    transitions, start, end = [np.array(weight) for weight in layer.weights]
    result = []
    for row, length in enumerate(LENGTHS):
        every, fitting = [], []
        for path in itertools.product(range(C), repeat=int(length)):
            score = start[path[0]] + end[path[-1]]
            score += sum(LOGITS[row, step, tag] for step, tag in enumerate(path))
            score += sum(transitions[a, b] for a, b in itertools.pairwise(path))
            every.append(score)
            known = zip(path, tags[row, :length], strict=True)
            if all(tag in (one, -1) for one, tag in known):
                fitting.append(score)
        result.append(np.logaddexp.reduce(fitting) - np.logaddexp.reduce(every))
    return np.array(result)


@pytest.mark.parametrize("per", swept(["token", "sentence"], lambda per: per == "token"))
@pytest.mark.usefixtures("eagerly")
def test_an_unknown_tag_may_be_any(crf, per):
    likelihoods = marginal_likelihoods(crf, PARTLY)
    np.testing.assert_allclose(crf.log_likelihood(LOGITS, PARTLY, MASK), likelihoods, atol=1e-4)
    count = np.sum(MASK & (PARTLY >= 0)) if per == "token" else B
    sets = (np.arange(C) == PARTLY[:, :, None]) | (PARTLY == -1)[:, :, None]
    loss, chain = CRFLoss(per=per), crf(LOGITS, mask=MASK)
    for tags in (PARTLY, sets):
        np.testing.assert_allclose(loss(tags, chain), -likelihoods.sum() / count, rtol=1e-5)
    for options in ({}, {"jit_compile": True}):
        graph = tf.function(lambda tags, chain: loss(tags, chain), **options)
        found = graph(tf.constant(PARTLY), chain)
        np.testing.assert_allclose(found, -likelihoods.sum() / count, rtol=1e-5)


def test_its_gradient_in_a_graph_is_that_of_sets_of_tags(crf):
    sets = (np.arange(C) == PARTLY[:, :, None]) | (PARTLY == -1)[:, :, None]
    weights = [weight.value for weight in crf.weights]

    def gradients(tags):
        logits = tf.constant(LOGITS)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = CRFLoss()(tags, crf(logits, mask=MASK))
        return tape.gradient(loss, [logits, *weights])

    expected = gradients(tf.constant(sets))
    for found in (gradients(PARTLY), tf.function(gradients)(tf.constant(PARTLY))):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_without_transitions_the_loss_is_that_of_single_tokens():
    chain = CRF(C)(LOGITS, mask=MASK)
    labels = np.where(MASK, PARTLY, -1)
    expected = TokenCrossentropy()(labels, LOGITS)
    np.testing.assert_allclose(CRFLoss()(PARTLY, chain), expected, rtol=1e-5)


def test_unknown_tags_do_not_count_in_the_accuracy(crf):
    chain = crf(LOGITS, mask=MASK)
    best = np.array(crf.decode(LOGITS, MASK)[0])
    wrong = np.where(np.arange(T) % 2 == 1, (best + 1) % C, best)
    assert float(CRFAccuracy()(np.where(np.arange(T) % 2 == 1, -1, best), chain)) == 1
    share = np.sum(MASK & (wrong == best)) / MASK.sum()
    assert float(CRFAccuracy()(wrong, chain)) == pytest.approx(share)
    sets = np.ones((B, T, C), bool)
    sets[0, 0] = np.arange(C) == best[0, 0]
    assert float(CRFAccuracy()(sets, chain)) == 1


@pytest.mark.parametrize("tag", swept([C, -2, 99], lambda tag: tag != 99))
def test_tags_out_of_range_are_refused_at_real_tokens_alone(crf, tag):
    chain, fine = crf(LOGITS, mask=MASK), np.where(MASK, TAGS, tag)
    assert np.isfinite(float(CRFLoss()(fine, chain)))
    wrong = TAGS.copy()
    wrong[1, 1] = tag
    with pytest.raises(InputError, match="a tag at a real token is out of range: expected 0 to 2"):
        CRFLoss()(wrong, chain)
    with pytest.raises(InputError, match="a tag at a real token is out of range"):
        CRFAccuracy()(wrong, chain)
    with pytest.raises(InputError, match="a label is out of range: expected 0 to 2"):
        TokenCrossentropy()(wrong, LOGITS)
    graph = tf.function(lambda tags: CRFLoss()(tags, chain))
    with pytest.raises(tf.errors.InvalidArgumentError, match="a tag at a real token is out of"):
        graph(tf.constant(wrong))


def two_inputs():
    """A model of somebody else's: two inputs, its mask from one of them."""
    vectors = keras.Input((None, 4), name="vectors")
    ids = keras.Input((None,), dtype="int32", name="ids")
    read = keras.layers.Concatenate()([vectors, keras.layers.Embedding(9, 4)(ids)])
    return keras.Model([vectors, ids], CRF(C, name="crf")(keras.layers.Dense(C)(read), ids != 0))


def test_any_model_with_a_crf_is_served_with_tags(tmp_path):
    model = two_inputs()
    path = export_crf(model, tmp_path / "tagger", tags=["O", "B", "I"])
    serve = tf.saved_model.load(path).signatures["serving_default"]
    vectors, ids = random_values(2, 5, 4), np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]], "int32")
    served = serve(vectors=tf.constant(vectors), ids=tf.constant(ids))
    expected = model.get_layer("crf").tagging(model.predict([vectors, ids], verbose=0))
    names = np.where(ids != 0, np.array([b"O", b"B", b"I"])[np.array(expected.tags)], b"")
    np.testing.assert_array_equal(served["tags"], names.astype(object))
    np.testing.assert_allclose(served["confidence"], expected.confidence, atol=1e-5)
    np.testing.assert_allclose(served["log_probability"], expected.log_probability, atol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_the_crf_of_a_model_is_found_wherever_it_ends():
    model = zoo.build(
        "bilstm_crf", vocabulary_size=9, num_tags=C, units=2, embedding_dim=2, auxiliary={"pos": 4}
    )
    ids = np.array([[1, 2, 3, 0]])
    predicted = model.predict(ids, verbose=0)["tags"]
    found = crf_tagger(model)(token_ids=tf.constant(ids, tf.int32))
    np.testing.assert_array_equal(found["tags"], crf_of(model)[0].tags(predicted))
    nested = keras.Model(model.input, model(model.input)["tags"])
    assert crf_of(nested)[0] is model.get_layer("crf")
    parts = [keras.Input((None, 4)), keras.layers.Dense(C), CRF(C, name="last")]
    assert crf_of(keras.Sequential(parts))[0].name == "last"


def test_a_model_that_does_not_end_with_one_crf_is_refused():
    model = two_inputs()
    after = keras.Model(model.input, keras.layers.Dense(2)(model.output))
    with pytest.raises(InputError, match="end the model with the CRF, without layers after it"):
        crf_of(after)
    other = CRF(2, name="other")(keras.layers.Dense(2)(model.inputs[0]))
    both = keras.Model(model.inputs, [model.output, other])
    with pytest.raises(InputError, match="has the CRF outputs 'crf', 'other', got output None"):
        crf_of(both)
    assert crf_of(both, "other")[0].num_tags == 2
    with pytest.raises(InputError, match="has 3 tags, but 1 names were given"):
        crf_tagger(model, ["O"])
