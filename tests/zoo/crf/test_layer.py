"""The CRF layer as the last one of anybody's Keras model."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import random_values
from tests.sweeps import swept
from zoo.crf import chain as linear_chain
from zoo.crf.layer import unpacked
from zoo.errors import InputError
from zoo.layers import CRF, CRFAccuracy, CRFLoss
from zoo.text.tag_schemes import allowed_transitions

C, T = 3, 4
LENGTHS = np.array([4, 2, 3, 1])
MASK = np.arange(T) < LENGTHS[:, None]
TAGS = np.random.default_rng(0).integers(0, C, (4, T))


def crf_of(**options):
    layer = CRF(C, **options)
    for number, weight in enumerate(layer.weights):
        weight.assign(random_values(*weight.shape, seed=number))
    return layer


def path_log_probabilities(layer, logits, mask, row, tables=None):
    """Every path's log-probability, by its definition."""
    transitions, start, end = [np.array(w) for w in (layer.transitions, layer.start, layer.end)]
    if tables is not None:
        transitions = np.where(tables[0], transitions, -np.inf)
        start, end = np.where(tables[1], start, -np.inf), np.where(tables[2], end, -np.inf)
    tokens = logits[row][mask[row]]
    scores = {}
    for path in itertools.product(range(C), repeat=len(tokens)):
        score = start[path[0]] + end[path[-1]] + sum(tokens[t, y] for t, y in enumerate(path))
        scores[path] = score + sum(transitions[a, b] for a, b in itertools.pairwise(path))
    total = np.logaddexp.reduce(list(scores.values()))
    return {path: score - total for path, score in scores.items()}


LOGITS = random_values(4, T, C, seed=5, scale=2.0)


def expected_likelihoods(layer, tables=None):
    return [
        path_log_probabilities(layer, LOGITS, MASK, row, tables)[tuple(TAGS[row, :length])]
        for row, length in enumerate(LENGTHS)
    ]


@pytest.mark.parametrize("per", ["token", "sentence"])
def test_the_loss_is_the_mean_negative_log_likelihood(per):
    layer = crf_of()
    total = -np.sum(expected_likelihoods(layer))
    count = LENGTHS.sum() if per == "token" else len(LENGTHS)
    found = CRFLoss(per=per)(TAGS, layer(LOGITS, mask=MASK))
    np.testing.assert_allclose(found, total / count, rtol=1e-5)
    np.testing.assert_allclose(
        layer.log_likelihood(LOGITS, TAGS, MASK), expected_likelihoods(layer), rtol=1e-5
    )


def test_the_chain_holds_what_was_given():
    layer = crf_of()
    chain = unpacked(layer(LOGITS, mask=MASK))
    np.testing.assert_array_equal(chain.logits, LOGITS)
    for name in ("transitions", "start", "end"):
        np.testing.assert_array_equal(getattr(chain, name), getattr(layer, name))
    np.testing.assert_array_equal(chain.lengths, LENGTHS)


def test_sentences_weigh_what_their_weight_says():
    layer = crf_of()
    weights = np.array([1.0, 0.0, 2.0, 0.5], "float32")
    expected = -np.sum(weights * expected_likelihoods(layer)) / LENGTHS.sum()
    found = CRFLoss()(TAGS, layer(LOGITS, mask=MASK), sample_weight=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_sentences_labelled_in_part_sum_over_the_rest():
    layer = crf_of()
    sets = tf.one_hot(TAGS, C).numpy().astype(bool)
    sets[0, 1] = True  # unknown
    sets[2, 0, :2] = True  # one of two
    expected = 0.0
    for row, length in enumerate(LENGTHS):
        shares = path_log_probabilities(layer, LOGITS, MASK, row)
        fits = [p for path, p in shares.items() if all(sets[row, t, y] for t, y in enumerate(path))]
        assert len(fits) == {0: C, 2: 2}.get(row, 1), length
        expected -= np.logaddexp.reduce(fits)
    found = CRFLoss(per="sentence")(sets, layer(LOGITS, mask=MASK))
    np.testing.assert_allclose(found, expected / 4, rtol=1e-5)


TABLES = allowed_transitions(["O", "B-x", "I-x"], "bio")
OPTIONS = {
    "allowed_transitions": TABLES.transitions,
    "allowed_start": TABLES.start,
    "allowed_end": TABLES.end,
}


def broken(path):
    return any(b == 2 and a == 0 for a, b in itertools.pairwise([0, *path]))


@pytest.mark.parametrize("constrained", ["always", "decoding"])
def test_constraints_hold_in_training_or_in_decoding_alone(constrained):
    layer = crf_of(constrained=constrained, **OPTIONS)
    logits = LOGITS + np.array([0, 0, 5], "float32")  # the inside tag looks best everywhere
    for row, path in enumerate(np.array(layer.decode(logits, MASK)[0])):
        assert not broken(path[: LENGTHS[row]])
        shares = path_log_probabilities(layer, logits, MASK, row, TABLES)
        best = max(shares, key=shares.get)
        np.testing.assert_array_equal(path[: LENGTHS[row]], best)
    several = np.array(layer.n_best(logits, MASK, 4)[0])
    assert not any(broken(path) for path in several[0])
    assert not np.any(np.array(layer.marginals(logits, MASK))[:, 0, 2])
    tags = np.where(TAGS == 2, 0, TAGS)
    tables = TABLES if constrained == "always" else None
    expected = [
        path_log_probabilities(layer, logits, MASK, row, tables)[tuple(tags[row, :length])]
        for row, length in enumerate(LENGTHS)
    ]
    np.testing.assert_allclose(layer.log_likelihood(logits, tags, MASK), expected, rtol=1e-4)


def tagger(head):
    """A model of somebody else's; the last feature says which tokens are real."""
    inputs = keras.Input((None, 3), name="inputs")
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, head(keras.layers.Dense(C)(hidden), mask=inputs[:, :, 2] > 0))


def alternating(count=64, time=7, seed=0):
    """Tags that the inputs tell only in part: 2 is told, 0 and 1 take turns from there."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, time + 1, count)
    tags = np.zeros((count, time), "int32")
    inputs = rng.normal(0, 0.1, (count, time, 3)).astype("float32")
    inputs[:, :, 2] = np.arange(time) < lengths[:, None]
    for row in range(count):
        turn = 0
        for token in range(time):
            tags[row, token] = turn if rng.random() < 0.8 else 2
            if tags[row, token] == 2:
                inputs[row, token, 0], turn = 1.0, 0
            else:
                turn = 1 - turn
    return inputs, tags


@pytest.mark.parametrize(
    "policy", swept(["float32", "mixed_bfloat16"], lambda policy: policy == "float32")
)
@pytest.mark.usefixtures("eagerly")
def test_a_model_with_it_is_fitted_evaluated_saved_and_loaded(policy, tmp_path):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    try:
        model = tagger(CRF(C, name="crf"))
        model.compile(keras.optimizers.Adam(0.3), loss=CRFLoss(), metrics=[CRFAccuracy()])
        inputs, tags = alternating()
        before = model.evaluate(inputs, tags, verbose=0, return_dict=True)
        model.fit(inputs, tags, batch_size=64, epochs=12, verbose=0)
        after = model.evaluate(inputs, tags, verbose=0, return_dict=True)
        assert after["loss"] < 0.1 < before["loss"]
        assert after["crf_accuracy"] > 0.95, "0 and 1 are told apart by their turns alone"
        path = tmp_path / "model.keras"
        model.save(path)
        again = keras.models.load_model(path)
        found = again.evaluate(inputs, tags, verbose=0, return_dict=True)
        assert found == pytest.approx(after, rel=1e-4)
        np.testing.assert_array_equal(model.predict(inputs, verbose=0), again(inputs))
        assert again.output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_decoding_stands_in_a_saved_model(tmp_path):
    layer = crf_of(**OPTIONS)

    class Server(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = [weight.value for weight in layer.weights]

        @tf.function(
            input_signature=[tf.TensorSpec((None, None, C)), tf.TensorSpec((None, None), tf.bool)],
            autograph=False,
        )
        def decode(self, logits, mask):
            tags, score = layer.decode(logits, mask)
            several, scores = layer.n_best(logits, mask, 3)
            return {
                "tags": tags,
                "log_probability": score - layer.log_partition(logits, mask),
                "marginals": layer.marginals(logits, mask),
                "n_best": several,
                "scores": scores,
            }

    tf.saved_model.save(Server(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    served = loaded.decode(tf.constant(LOGITS), tf.constant(MASK))
    for row, length in enumerate(LENGTHS):
        shares = path_log_probabilities(layer, LOGITS, MASK, row, TABLES)
        best = max(shares, key=shares.get)
        np.testing.assert_array_equal(served["tags"][row, :length], best)
        np.testing.assert_allclose(served["log_probability"][row], shares[best], atol=1e-5)
        order = sorted(shares, key=shares.get, reverse=True)[:3]
        known = int(np.isfinite(served["scores"][row]).sum())
        np.testing.assert_array_equal(served["n_best"][row, :known, :length], order[:known])
    assert not np.any(np.array(served["marginals"])[~MASK])


def test_every_weight_gets_the_gradient_of_the_whole_batch():
    layer = crf_of()

    def loss():
        return CRFLoss(per="sentence")(TAGS, layer(LOGITS, mask=MASK))

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [weight.value for weight in layer.trainable_weights])
    for weight, gradient in zip(layer.trainable_weights, gradients, strict=True):
        start, place = np.array(weight), (0,) * len(weight.shape)
        sides = []
        for move in (1e-2, -1e-2):
            moved = start.copy()
            moved[place] += move
            weight.assign(moved)
            sides.append(float(loss()))
        weight.assign(start)
        np.testing.assert_allclose(gradient[place], (sides[0] - sides[1]) / 2e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_tags": 0}, "num_tags must be a positive int, got 0"),
        ({"constrained": "never"}, "constrained must be one of"),
        (
            {"allowed_start": [True]},
            "allowed_start must be a table of bool of shape (3,), got (1,)",
        ),
        ({"allowed_transitions": np.ones((3, 2))}, "shape (3, 3), got (3, 2)"),
    ],
)
def test_bad_options_are_named(options, said):
    with pytest.raises(InputError) as error:
        CRF(**{"num_tags": C, **options})
    assert said in str(error.value)


def test_logits_of_another_number_of_tags_are_named():
    with pytest.raises(InputError, match="crf has 3 tags, but the logits' last axis has 2"):
        CRF(C, name="crf").decode(np.zeros((1, 2, 2), "float32"))


def test_all_tokens_are_real_without_a_mask():
    layer = crf_of()
    np.testing.assert_array_equal(
        layer.decode(LOGITS)[0], layer.decode(LOGITS, np.ones((4, T), bool))[0]
    )
    assert linear_chain.log_partition(layer.chain(LOGITS)).shape == (4,)
