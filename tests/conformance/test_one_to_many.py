"""The sweep over one to many: every way in which a class sets a decoder, with every cell."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference_cells import FIRST_STATES
from tests.references.weights import arrays, assign_random, by_path
from tests.sweeps import PARTS, swept
from zoo.architectures.one_to_many import CONDITIONINGS

TINY = {"vocabulary_size": 9, "num_classes": 3, "embedding_dim": 3, "class_dim": 2, "units": 5}
ROWS = [[2, 5, 8, 3, 7], [2, 6, 4, 0, 0], [2, 3, 0, 0, 0], [2, 0, 0, 0, 0]]
NEXT = [[5, 8, 3, 7, 1], [6, 4, 1, 0, 0], [3, 1, 0, 0, 0], [4, 0, 0, 0, 0]]
TOKENS, TARGETS = np.array(ROWS, "int32"), np.array(NEXT, "int32")
CLASSES = np.array([2, 0, 1, 0], "int32")
VECTORS = reference.random_values(4, 6, seed=5)
REAL = TOKENS != 0
NAMES = zoo.names(topology="one_to_many")
# each cell once, by turns in another way, and two in every way
ONE_EACH = [(cell, CONDITIONINGS[number % 3]) for number, cell in enumerate(zoo.cell_names())]
TWICE = [(cell, way) for cell in ("gru", "lstm") for way in CONDITIONINGS]
CASES = [(*pair, {}) for pair in dict.fromkeys([*ONE_EACH, *TWICE])]
CASES += [
    ("lstm", "both", {"num_layers": 2, "residual": True}),
    ("slstm", "state", {"num_layers": 2}),
    ("gru", "both", {"vector_dim": 6, "num_classes": 0, "cell_options": {"reset_after": False}}),
    ("gru", "input", {"vector_dim": 6, "num_classes": 0}),
]
KEPT = [*PARTS[3], "elman"]


def built(cell, way, **options):
    """A tiny model; the cell without an input matrix needs as many inputs as units."""
    sizes = {**TINY, "embedding_dim": 5} if (cell, way) == ("elman", "state") else TINY
    return assign_random(
        zoo.build("one_to_many", cell=cell, conditioning=way, **{**sizes, **options})
    )


def given_to(model):
    """The input that sets what is written, by its name."""
    return {"class_ids": CLASSES} if "class_ids" in model.input else {"vectors": VECTORS}


def logits_of(model, token_ids=TOKENS, **changed):
    return np.array(model({**given_to(model), "token_ids": token_ids, **changed}))


def trained(model, token_ids=TOKENS, target_ids=TARGETS):
    """Each target's loss, and the gradients of the mean loss of a real token."""
    inputs = {**given_to(model), "token_ids": token_ids, "target_ids": target_ids}
    with tf.GradientTape() as tape:
        losses = model.with_losses()(inputs)["losses"]
        loss = tf.reduce_sum(losses) / np.sum(token_ids != 0)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    assert all(gradient is not None for gradient in gradients)
    return losses.numpy(), [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


@pytest.fixture(
    scope="module",
    params=swept(CASES, lambda cell, way, options: options or cell in KEPT, whole=True),
    ids=lambda case: "-".join([*case[:2], *case[2]]),
)
def case(request):
    """A tiny model with random weights, and what it says of the tokens."""
    cell, way, options = request.param
    model = built(cell, way, **options)
    losses, gradients = trained(model)
    return SimpleNamespace(
        model=model, cell=cell, way=way, logits=logits_of(model), losses=losses, gradients=gradients
    )


def condition_of(model):
    """The vectors that the input becomes, (B, D)."""
    weights = by_path(model)
    if "class_ids" in model.input:
        return weights["condition/embeddings"][CLASSES]
    return VECTORS @ weights["condition/kernel"]


def expected_logits(case, condition, token_ids=TOKENS):
    """The whole network written again: condition (B, D), token_ids (B, T) -> logits (B, T, V)."""
    weights = by_path(case.model)
    layers = reference.encoder_layers(weights, "decoder")
    vectors, starts = weights["embedding/embeddings"][token_ids], None
    if case.way != "state":
        at_each_step = np.repeat(condition[:, None], token_ids.shape[1], axis=1)
        vectors = np.concatenate([vectors, at_each_step], axis=-1)
    if case.way != "input":
        starts = []
        for layer in range(len(layers)):
            paths = [f"bridge/state_{layer}_{n}" for n in range(len(FIRST_STATES[case.cell]))]
            states = [
                np.tanh(condition @ weights[f"{p}/kernel"] + weights[f"{p}/bias"]) for p in paths
            ]
            if case.cell == "slstm":  # its normaliser is positive
                states[2] = np.exp(states[2])
            starts.append([states])
    lengths = [sum(token != 0 for token in row) for row in token_ids]
    residual = case.model.get_layer("decoder").options.residual
    states, _ = reference.stack(
        case.cell, layers, vectors, lengths, initial_states=starts, residual=residual
    )
    return states @ weights["logits/kernel"].T + weights["logits/bias"]


def test_the_logits_are_those_of_the_reference(case):
    assert case.logits.shape == (4, 5, 9)
    expected = expected_logits(case, condition_of(case.model))
    np.testing.assert_allclose(case.logits[REAL], expected[REAL], atol=1e-5)


def test_the_losses_are_those_of_the_targets(case):
    shares = np.exp(case.logits.astype("float64"))
    shares /= shares.sum(axis=-1, keepdims=True)
    expected = -np.log(np.take_along_axis(shares, TARGETS[:, :, None], axis=-1)[:, :, 0])
    np.testing.assert_allclose(case.losses, np.where(REAL, expected, 0), atol=1e-5)


def test_the_first_token_depends_on_the_class(case):
    other = {name: np.roll(values, 1, axis=0) for name, values in given_to(case.model).items()}
    difference = np.abs(logits_of(case.model, **other) - case.logits)[:, 0].max(axis=-1)
    assert difference.min() > 1e-4


FULL = np.tile(TOKENS[:1], (4, 1))
FULL[np.arange(3), np.arange(1, 4)] = 6  # row t has another token than the last row at t + 1


def test_token_by_token_a_model_says_what_it_says_at_once_and_nothing_of_the_future(case):
    whole = logits_of(case.model, FULL)
    states = case.model.initial_states(*given_to(case.model).values())
    names = {name for name in states if name.startswith("state_")}
    assert set(states) - names == (set() if case.way == "state" else {"condition"})
    for t in range(5):
        logits, states = case.model.step(FULL[:, t], states)
        np.testing.assert_allclose(logits, whole[:, t], atol=1e-5)
    same = {name: values[3:].repeat(4, 0) for name, values in given_to(case.model).items()}
    alike = logits_of(case.model, FULL, **same)
    for t in range(3):
        np.testing.assert_allclose(alike[t, : t + 1], alike[3, : t + 1], atol=1e-6)
        assert np.abs(alike[t, t + 1] - alike[3, t + 1]).max() > 1e-4


def test_without_a_class_a_decoder_begins_with_a_condition_of_zeros(case):
    expected = expected_logits(case, np.zeros_like(condition_of(case.model)), FULL)
    states = case.model.unconditional_states(4)
    assert {name: state.shape for name, state in states.items()} == {
        name: state.shape
        for name, state in case.model.initial_states(*given_to(case.model).values()).items()
    }
    for t in range(5):
        logits, states = case.model.step(FULL[:, t], states)
        np.testing.assert_allclose(logits, expected[:, t], atol=1e-5)


def test_appended_padding_changes_no_logit_no_loss_and_no_gradient(case):
    longer = [np.pad(ids, ((0, 0), (0, 3))) for ids in (TOKENS, TARGETS)]
    losses, gradients = trained(case.model, *longer)
    np.testing.assert_allclose(losses[:, :5], case.losses, atol=1e-5)
    assert not np.any(losses[:, 5:])
    logits = logits_of(case.model, longer[0])[:, :5]
    np.testing.assert_allclose(logits[REAL], case.logits[REAL], atol=1e-5)
    for gradient, other in zip(gradients, case.gradients, strict=True):
        np.testing.assert_allclose(gradient, other, atol=1e-5)


def test_every_weight_gets_a_gradient_and_moves_in_one_step(case):
    before = arrays(case.model)
    for weight, gradient in zip(case.model.trainable_weights, case.gradients, strict=True):
        if case.cell == "mlstm" and "/state_0_1/" in weight.path:
            assert not np.any(gradient), "the normaliser is below its bound in all rows here"
            continue
        assert np.abs(gradient).max() > 1e-6, weight.path
    keras.optimizers.SGD(1.0).apply(case.gradients, case.model.trainable_weights)
    for weight, old in zip(case.model.trainable_weights, before, strict=True):
        if case.cell != "mlstm" or "/state_0_1/" not in weight.path:
            assert np.any(weight.numpy() != old), weight.path
        weight.assign(old)


def test_rows_are_read_each_for_itself_and_one_token_is_enough(case):
    order = np.array([2, 0, 3, 1])
    given = {name: values[order] for name, values in given_to(case.model).items()}
    found = logits_of(case.model, TOKENS[order], **given)
    np.testing.assert_allclose(found[REAL[order]], case.logits[order][REAL[order]], atol=1e-5)
    one = logits_of(case.model, TOKENS[:, :1])
    np.testing.assert_allclose(one, case.logits[:, :1], atol=1e-5)
    nothing, gradients = trained(case.model, TOKENS * [[1], [1], [1], [0]])
    assert np.all(np.isfinite(nothing))
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_a_keras_file_gives_the_same_model_again(case, tmp_path):
    case.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits_of(again), case.logits)
    configs = [[layer.get_config() for layer in one.layers] for one in (again, case.model)]
    assert configs[0] == configs[1]
    np.testing.assert_allclose(trained(again)[0], case.losses, atol=1e-6)


@pytest.mark.parametrize(
    ("cell", "way"), swept(ONE_EACH, lambda cell, way: cell in ("gru", "lstm_peephole", "min_lstm"))
)
def test_a_saved_model_answers_the_same_for_any_length(cell, way, tmp_path):
    model = built(cell, way)
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    signature = {name: tf.TensorSpec(t.shape, tf.int32) for name, t in model.input.items()}
    module.run = tf.function(lambda given: model(given, training=False), [signature])
    tf.saved_model.save(module, str(tmp_path))
    served = tf.saved_model.load(str(tmp_path))
    for rows, time in ((4, 5), (2, 1)):
        given = {"class_ids": tf.constant(CLASSES[:rows])}
        given["token_ids"] = tf.constant(TOKENS[:rows, :time])
        np.testing.assert_allclose(served.run(given), model(given), atol=1e-6)


@pytest.mark.parametrize(
    ("cell", "way"), swept(ONE_EACH, lambda cell, way: cell in ("ind_rnn", "lstm", "slstm"))
)
def test_one_batch_overfits_where_the_class_alone_tells_the_sequence(cell, way):
    keras.utils.set_random_seed(1)
    sizes = {**TINY, "embedding_dim": 8, "class_dim": 8, "units": 16 if way != "state" else 8}
    model = zoo.build("one_to_many", cell=cell, conditioning=way, **sizes)
    losses_of, real = model.with_losses(), np.sum(TARGETS[:3] != 0)
    inputs = {"class_ids": CLASSES[:3], "token_ids": TOKENS[:3], "target_ids": TARGETS[:3]}
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(losses_of(inputs, training=True)["losses"]) / real
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        return loss

    assert train_step() > 1
    assert any(float(train_step()) < 0.05 for _ in range(100))


@pytest.mark.parametrize(
    "rate",
    ["dropout", "class_dropout", "input_dropout", "recurrent_dropout", "weight_drop", "zoneout"],
)
def test_each_dropout_acts_in_training_alone(rate):
    model, plain = (built("gru", "both", **options) for options in ({rate: 0.9}, {}))
    inputs = {"class_ids": CLASSES, "token_ids": TOKENS}
    if rate != "zoneout":  # outside of training it takes the expected value
        np.testing.assert_array_equal(model(inputs), plain(inputs))
    expected = np.array(model(inputs))
    drawn = (np.array(model(inputs, training=True)) for _ in range(3))
    assert any(np.abs(one - expected).max() > 1e-3 for one in drawn)


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_option_names_the_nearest(name):
    with pytest.raises(zoo.InputError, match="no option 'unit': did you mean 'units'"):
        zoo.build(name, **TINY, unit=3)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("units", 0),
        ("vocabulary_size", 2.5),
        ("num_classes", -1),
        ("vector_dim", 3),
        ("class_dim", 0),
        ("embedding_dim", -1),
        ("num_layers", 0),
        ("residual", 1),
        ("conditioning", "states"),
        ("dropout", 1.5),
        ("class_dropout", 1),
        ("recurrent_dropout", -0.5),
        ("cell", "lst"),
    ],
)
def test_a_wrong_value_is_named_with_its_option(option, value):
    with pytest.raises(zoo.InputError) as error:
        zoo.build("one_to_many", **{**TINY, option: value})
    assert option in str(error.value)
    assert repr(value) in str(error.value)


def test_neither_a_class_nor_a_vector_is_refused():
    with pytest.raises(zoo.InputError, match="give one of num_classes .* and vector_dim"):
        zoo.build("one_to_many", **{**TINY, "num_classes": 0})


def test_the_cell_without_an_input_matrix_says_what_it_needs():
    with pytest.raises(zoo.InputError, match="must be units = 5, got 3"):
        zoo.build("one_to_many", **TINY, cell="elman", conditioning="state")
    assert zoo.build("one_to_many", **TINY, cell="elman").output_shape == (None, None, 9)
