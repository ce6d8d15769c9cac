"""The sweep over many to one: every architecture with every cell and pooling, built tiny."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.weights import arrays, assign_random, by_path
from tests.sweeps import PARTS, swept
from zoo.architectures.many_to_one import POOLINGS
from zoo.catalog import TOPOLOGIES
from zoo.layers.recurrent_options import MERGE_MODES

TINY = {"vocabulary_size": 9, "num_classes": 3, "embedding_dim": 3, "units": 2}
TOKENS = np.array([[5, 2, 8, 3, 7], [4, 6, 1, 0, 0], [7, 3, 0, 0, 0], [2, 0, 0, 0, 0]], "int32")
LABELS = np.array([0, 2, 1, 1])
NAMES = zoo.names(topology="many_to_one")
# the deepest one with every cell, the others with cells of one, two and three states
SOME = ("gru", "lstm", "slstm")
DEEPEST = "deep_bidirectional_many_to_one"
PAIRS = [(n, cell) for n in NAMES for cell in zoo.cell_names() if n == DEEPEST or cell in SOME]
# `concat` holds three poolings; each pooling alone is swept with three cells and in the merge test
CASES = [(*pair, "concat") for pair in PAIRS]
CASES += [("many_to_one", cell, p) for cell in ("simple_rnn", "gru", "lstm") for p in POOLINGS[:-1]]
KEPT = [(DEEPEST, cell, "concat") for cell in PARTS[0]]
KEPT += [(n, SOME[i], "concat") for i, n in enumerate(n for n in NAMES if n != DEEPEST)]
KEPT += [("many_to_one", ("simple_rnn", "gru")[i % 2], p) for i, p in enumerate(POOLINGS[:-1])]
# each cell once, by turns in another architecture
ONE_EACH = [(NAMES[number % len(NAMES)], cell) for number, cell in enumerate(zoo.cell_names())]


def sizes(cell, **options):
    """Tiny sizes; the cell without an input matrix needs E = K in every layer."""
    if cell == "elman":
        return {**TINY, "embedding_dim": 2, "merge_mode": "sum", **options}
    return {**TINY, **options}


def built(name, cell, **options):
    return assign_random(zoo.build(name, **sizes(cell, **options), cell=cell))


def merge_of(cell):
    return sizes(cell).get("merge_mode", "concat")


@pytest.fixture(
    scope="module", params=swept(CASES, lambda *case: case in KEPT, whole=True), ids="-".join
)
def case(request):
    """A tiny model with random weights, its cell, its pooling, and what it says of the tokens."""
    name, cell, pooling = request.param
    model = built(name, cell, pooling=pooling)
    logits, loss, gradients = loss_and_gradients(model, TOKENS)
    found = {"logits": logits.numpy(), "loss": loss.numpy(), "gradients": gradients}
    return SimpleNamespace(model=model, cell=cell, pooling=pooling, **found)


def loss_and_gradients(model, token_ids):
    """The mean cross-entropy in nats, and the gradients of all weights as arrays."""
    with tf.GradientTape() as tape:
        logits = model(token_ids)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, logits)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    assert all(gradient is not None for gradient in gradients)
    return logits, loss, [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def expected_logits(case, token_ids):
    weights = by_path(case.model)
    return reference.many_to_one(weights, token_ids, case.cell, case.pooling, merge_of(case.cell))


def test_every_architecture_is_of_a_topology_that_the_sweeps_know():
    ways = set(TOPOLOGIES) - {"many_to_one"}
    others = [name for way in ways for name in zoo.names(topology=way)]
    assert sorted(zoo.names()) == sorted([*NAMES, *others])


def test_the_logits_are_those_of_the_reference(case):
    assert case.model.output_shape == (None, 3)
    assert case.logits.shape == (4, 3)
    np.testing.assert_allclose(case.logits, expected_logits(case, TOKENS), atol=1e-5)


def test_appended_padding_changes_no_logit_no_loss_and_no_gradient(case):
    padded = loss_and_gradients(case.model, np.pad(TOKENS, ((0, 0), (0, 4))))
    np.testing.assert_allclose(padded[0], case.logits, atol=1e-5)
    np.testing.assert_allclose(padded[1], case.loss, atol=1e-5)
    for gradient, other in zip(case.gradients, padded[2], strict=True):
        np.testing.assert_allclose(other, gradient, atol=1e-5)


def test_no_token_and_one_token_give_finite_logits_and_gradients(case):
    for token_ids in (TOKENS * [[1], [1], [0], [0]], TOKENS[:, :1], np.zeros((4, 1), "int32")):
        logits, _, gradients = loss_and_gradients(case.model, token_ids)
        np.testing.assert_allclose(logits, expected_logits(case, token_ids), atol=1e-5)
        assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_every_weight_gets_a_gradient_and_moves_in_one_step(case):
    weights, before = case.model.trainable_weights, arrays(case.model)
    for weight, gradient in zip(weights, case.gradients, strict=True):
        assert np.abs(gradient).max() > 1e-6, weight.path
    keras.optimizers.SGD(1.0).apply(case.gradients, weights)
    for weight, old in zip(weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path
        weight.assign(old)


def test_a_keras_file_gives_the_same_model_again(case, tmp_path):
    case.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(TOKENS), case.logits)
    configs = [[layer.get_config() for layer in one.layers] for one in (again, case.model)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize(("name", "cell"), swept(ONE_EACH, lambda name, cell: cell in PARTS[1]))
def test_a_saved_model_answers_the_same_for_any_length(name, cell, tmp_path):
    model = built(name, cell, pooling="concat")
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    signature = [tf.TensorSpec((None, None), tf.int32)]
    module.logits = tf.function(lambda ids: model(ids, training=False), input_signature=signature)
    tf.saved_model.save(module, str(tmp_path))
    served = tf.saved_model.load(str(tmp_path))
    for token_ids in (TOKENS, TOKENS[:2, :1]):
        np.testing.assert_allclose(served.logits(token_ids), model(token_ids), atol=1e-6)


@pytest.mark.parametrize("merge_mode", MERGE_MODES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_merged_directions_are_pooled_as_in_the_reference(merge_mode, pooling):
    model = built(
        "deep_bidirectional_many_to_one", "simple_rnn", merge_mode=merge_mode, pooling=pooling
    )
    expected = reference.many_to_one(by_path(model), TOKENS, "simple_rnn", pooling, merge_mode)
    np.testing.assert_allclose(model(TOKENS), expected, atol=1e-5)


@pytest.mark.parametrize("cell", swept(zoo.cell_names(), lambda cell: cell == "gru"))
def test_one_batch_overfits(cell):
    keras.utils.set_random_seed(1)
    model = zoo.build("many_to_one", **{**TINY, "units": 8, "embedding_dim": 8}, cell=cell)
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            logits = model(TOKENS, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, logits)
            loss = tf.reduce_mean(losses)
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        return loss

    assert train_step() > 0.5
    assert any(float(train_step()) < 0.05 for _ in range(100))


@pytest.mark.parametrize("name", swept(NAMES, lambda name: name == DEEPEST))
@pytest.mark.parametrize(
    "rate", ["dropout", "input_dropout", "recurrent_dropout", "weight_drop", "word_dropout"]
)
def test_each_dropout_acts_in_training_alone(name, rate):
    model, plain = (built(name, "gru", **options) for options in ({rate: 0.9}, {}))
    expected = np.array(plain(TOKENS))
    np.testing.assert_array_equal(model(TOKENS), expected)
    drawn = (np.array(model(TOKENS, training=True)) for _ in range(3))
    assert any(np.abs(one - expected).max() > 1e-3 for one in drawn)


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_option_names_the_nearest(name):
    with pytest.raises(zoo.InputError, match="no option 'unit': did you mean 'units'"):
        zoo.build(name, **TINY, unit=3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("units", 0),
        ("units", True),
        ("embedding_dim", -1),
        ("vocabulary_size", 2.5),
        ("num_layers", 0),
        ("num_classes", 0),
        ("dropout", 1.5),
        ("recurrent_dropout", -0.5),
        ("input_dropout", 1.5),
        ("zoneout", 1.0),
        ("weight_drop", "x"),
        ("dense_layers", -1),
        ("residual", 1),
        ("learned_initial_state", "no"),
        ("word_dropout", 1),
        ("bidirectional", "yes"),
        ("pooling", "lastt"),
        ("merge_mode", "x"),
        ("cell", "lst"),
    ],
)
def test_a_wrong_value_is_named_with_its_option(name, option, value):
    with pytest.raises(zoo.InputError) as error:
        zoo.build(name, **{**TINY, option: value})
    assert option in str(error.value)
    assert repr(value) in str(error.value)


def test_elman_names_both_sizes_where_they_differ():
    with pytest.raises(zoo.InputError, match="must be units = 2, got 3"):
        zoo.build("many_to_one", **TINY, cell="elman")


@pytest.mark.parametrize("cell", [5, None, ["lstm"]])
def test_a_cell_that_is_no_name_is_wrong_input(cell):
    with pytest.raises(zoo.InputError, match="cell"):
        zoo.build("many_to_one", **TINY, cell=cell)
