"""Logits and losses over the vocabulary: the equations in NumPy, estimates by their mean."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import random_values
from tests.references.weights import assign_random
from tests.sweeps import swept
from zoo.layers import TokenLogits

V, D = 40, 3
S = 16  # sampled: ids 0 to 7 count exactly, 8 of the others are drawn
STATES = random_values(2, 5, D, seed=1)
TARGETS = np.array([[0, 3, 7, 8, 9], [39, 20, 8, 1, 30]], "int32")
TABLE = random_values(V, D, seed=2)


def built(sampled=0, size=V, shared=False, **options):
    layer = TokenLogits(size, sampled, **options)
    layer.build(STATES.shape, (size, D) if shared else None)
    return assign_random(layer)


def expected_logits(layer, table=None):
    kernel = layer.kernel.numpy() if table is None else table
    return STATES.astype("float64") @ kernel.T + layer.bias.numpy()


def expected_losses(logits, targets=TARGETS):
    total = np.log(np.sum(np.exp(logits), axis=-1))
    return total - np.take_along_axis(logits, targets[:, :, None], axis=-1)[:, :, 0]


def estimates(layer, count, states=STATES, targets=TARGETS, table=None):
    """The losses in training, drawn so often: (count, B, T)."""
    call = tf.function(lambda: layer(states, table, target_ids=targets, training=True))
    return np.array([call().numpy() for _ in range(count)])


@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_logits_and_losses_are_those_of_the_equations(shared, jit_compile):
    layer, table = built(shared=shared), TABLE if shared else None
    assert [weight.name for weight in layer.weights] == ["kernel", "bias"][shared:]
    call = layer if jit_compile is None else tf.function(layer, jit_compile=jit_compile)
    expected = expected_logits(layer, table)
    np.testing.assert_allclose(call(STATES, table), expected, atol=1e-5)
    losses = call(STATES, table, target_ids=TARGETS)
    np.testing.assert_allclose(losses, expected_losses(expected), atol=1e-5)


def test_the_gradient_of_the_exact_loss_is_the_softmax_less_the_target():
    layer = built()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(STATES, target_ids=TARGETS, training=True))
    kernel, bias = tape.gradient(total, [layer.kernel.value, layer.bias.value])
    shares = np.exp(expected_logits(layer))
    changes = shares / shares.sum(axis=-1, keepdims=True) - np.eye(V)[TARGETS]
    np.testing.assert_allclose(bias, changes.sum(axis=(0, 1)), atol=1e-5)
    np.testing.assert_allclose(kernel, np.einsum("btv,btd->vd", changes, STATES), atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_targets_may_be_whole_numbers_of_any_type(dtype):
    layer, targets = built(S), TARGETS.astype(dtype)
    assert layer(STATES, target_ids=targets, training=True).shape == TARGETS.shape
    expected = expected_losses(expected_logits(layer))
    np.testing.assert_allclose(layer(STATES, target_ids=targets), expected, atol=1e-5)


def expected_counts(sampled, size=V):
    """How often each id is there on average, the target itself aside."""
    head = sampled // 2
    places = np.maximum(np.arange(size), head)
    drawn = (sampled - head) * np.log((places + 1) / places) / np.log(size / head)
    return np.where(np.arange(size) < head, 1.0, drawn)


@pytest.mark.parametrize(
    ("sampled", "shared"),
    swept(
        itertools.product([16, 17, 32], [False, True]),
        lambda sampled, shared: shared and sampled == 16 or not shared and sampled == 17,
    ),
)
def test_the_sum_over_the_others_has_the_exact_one_as_its_mean(sampled, shared):
    """For targets in the half that is always there and in the one that is drawn from."""
    keras.utils.set_random_seed(3)
    layer, table = built(sampled, shared=shared), TABLE if shared else None
    logits = expected_logits(layer, table)
    own = np.take_along_axis(logits, TARGETS[:, :, None], axis=-1)[:, :, 0]
    scored = own - np.log(expected_counts(sampled)[TARGETS])
    sums = np.exp(estimates(layer, 2000, table=table) + scored) - np.exp(scored)
    error = sums.std(axis=0) / np.sqrt(len(sums))
    assert np.all(error > 0)
    others = np.exp(logits).sum(axis=-1) - np.exp(own)
    away = np.abs(sums.mean(axis=0) - others) / error
    assert np.all(away < 4.5), away


def test_scores_that_are_learned_by_samples_are_those_of_the_data():
    """One state and one table of scores: the distribution that it learns is that of the targets."""
    keras.utils.set_random_seed(5)
    layer = TokenLogits(V, S)
    layer.build((None, None, 1))
    shares = np.random.default_rng(0).dirichlet(np.full(V, 0.5))
    draws = np.random.default_rng(1).choice(V, (1, 4000), p=shares).astype("int32")
    seen = np.bincount(draws[0], minlength=V) / draws.size
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 600))
    states = np.zeros((1, 4000, 1), "float32")

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(states, target_ids=draws, training=True))
        optimizer.apply([tape.gradient(loss, layer.bias.value)], [layer.bias])

    optimizer.build([layer.bias])
    for _ in range(600):
        step()
    learned = np.exp(layer.bias.numpy() - np.log(np.exp(layer.bias.numpy()).sum()))
    uniform = np.abs(seen - 1 / V).sum()
    assert np.abs(learned - seen).sum() < 0.15 * uniform


def test_each_id_is_drawn_with_its_own_probability():
    """All logits but one id's are so low that the estimate shows how often it was drawn."""
    keras.utils.set_random_seed(4)
    layer = built(S)
    for number in (8, 15, 39):
        bias = np.full(V, -60.0)
        bias[0], bias[number] = 0, 2
        layer.bias.assign(bias)
        layer.kernel.assign(np.zeros((V, D)))
        share = np.log((number + 1) / number) / np.log(2 * V / S)
        sums = np.exp(estimates(layer, 1500, STATES[:1, :1], np.array([[0]])))[:, 0, 0] - 1
        hits = sums * 8 * share / np.exp(2)  # each is worth exp(2) / (8 share)
        np.testing.assert_allclose(hits, np.round(hits), atol=1e-3)
        drawn = 1500 * 8
        assert abs(hits.sum() / drawn - share) < 4.5 * np.sqrt(share * (1 - share) / drawn)


@pytest.mark.parametrize("target", [3, 8, 9, 16])
def test_a_target_that_is_drawn_as_well_counts_once(target):
    """With 9 ids to draw 8 times from, it is drawn nearly always; it alone has weight here."""
    layer = built(16, size=17)
    bias = np.full(17, -60.0)
    bias[target] = 0
    layer.bias.assign(bias)
    layer.kernel.assign(np.zeros((17, D)))
    found = estimates(layer, 50, targets=np.full(TARGETS.shape, target, "int32"))
    np.testing.assert_allclose(found, 0, atol=1e-6)


def test_ids_are_drawn_once_for_a_batch_and_anew_at_each_call():
    layer = built(S)
    states, targets = np.tile(STATES[:1, :1], (3, 4, 1)), np.full((3, 4), 8, "int32")
    found = estimates(layer, 5, states, targets)
    np.testing.assert_allclose(found, np.broadcast_to(found[:, :1, :1], found.shape), rtol=1e-6)
    assert len(np.unique(found[:, 0, 0])) == 5


def test_the_seed_decides_what_is_drawn():
    found = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        found.append(estimates(built(S), 2))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.all(found[0] != found[2])


@pytest.mark.parametrize(("sampled", "training"), [(S, False), (V, True), (V + 1, True), (0, True)])
def test_outside_of_training_and_with_all_words_the_loss_is_exact(sampled, training):
    layer = built(sampled)
    losses = layer(STATES, target_ids=TARGETS, training=training)
    np.testing.assert_allclose(losses, expected_losses(expected_logits(layer)), atol=1e-5)


def test_logits_are_all_there_in_training_too():
    layer = built(S)
    np.testing.assert_allclose(layer(STATES, training=True), expected_logits(layer), atol=1e-5)


@pytest.mark.parametrize("shared", [False, True])
def test_the_estimate_moves_the_exact_half_the_targets_and_what_is_drawn(shared):
    layer, table = built(S, shared=shared), tf.Variable(TABLE)
    kernel = table if shared else layer.kernel.value
    with tf.GradientTape() as tape:
        given = tf.convert_to_tensor(table) if shared else None
        total = tf.reduce_sum(layer(STATES, given, target_ids=TARGETS, training=True))
    gradients = tape.gradient(total, [kernel, layer.bias.value])
    for gradient in map(tf.convert_to_tensor, gradients):
        moved = np.abs(gradient.numpy().reshape(V, -1)).max(axis=1) > 1e-6
        assert np.all(moved[: S // 2]) and np.all(moved[TARGETS])
        assert moved.sum() <= len({*range(8), *TARGETS.ravel()}) + 8 < V
    assert float(tf.reduce_sum(gradients[1])) == pytest.approx(0, abs=1e-4), "shares add up to 1"


def test_half_precision_states_give_losses_in_full_precision():
    layer = built(S, dtype="mixed_float16")
    expected = expected_logits(layer)
    for training in (False, True):
        losses = layer(STATES.astype("float16"), target_ids=TARGETS, training=training)
        assert losses.dtype == "float32"
        if not training:
            np.testing.assert_allclose(losses, expected_losses(expected), atol=1e-2)
    np.testing.assert_allclose(layer(STATES), expected, atol=1e-2)


def test_a_keras_file_gives_the_same_layer_again(tmp_path):
    states = keras.Input((None, D))
    layer = TokenLogits(V, S, name="logits")
    model = keras.Model(states, layer(states))
    assert model.output_shape == (None, None, V)
    assign_random(model).save(tmp_path / "logits.keras")
    again = keras.models.load_model(tmp_path / "logits.keras")
    np.testing.assert_array_equal(again(STATES), model(STATES))
    config = again.get_layer("logits").get_config()
    assert config == layer.get_config()
    assert (config["vocabulary_size"], config["sampled"]) == (V, S)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((0,), "vocabulary_size must be a positive int, got 0"),
        ((2.5,), "vocabulary_size must be a positive int, got 2.5"),
        ((V, -1), "sampled must be a positive int, got -1"),
        ((V, "16"), "sampled must be a positive int, got '16'"),
        ((V, True), "sampled must be a positive int, got True"),
        ((V, 15), r"sampled must be 0 .all. or at least 16, got 15"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(options, message):
    with pytest.raises(zoo.InputError, match=message):
        TokenLogits(*options)


@pytest.mark.parametrize("shape", [(V, D + 1), (V - 1, D)])
def test_a_shared_table_of_another_size_is_refused(shape):
    message = rf"must be \(vocabulary_size 40, width of the states 3\), got \({shape[0]}, "
    with pytest.raises(zoo.InputError, match=message):
        TokenLogits(V)(STATES, np.zeros(shape, "float32"))
