"""What a language model's options do: dropouts, penalties, sampled losses, wrong values."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conformance.test_language_model import REAL, TARGETS, TINY, TOKENS, starts
from tests.references import reference
from tests.references.weights import assign_random, by_path
from tests.sweeps import PARTS, swept
from zoo.architectures.language_model import LanguageModel
from zoo.layers import direction
from zoo.registry import architecture

GIVEN = {"token_ids": TOKENS, "target_ids": TARGETS}
DROPOUTS = [
    *("dropout", "type_dropout", "input_dropout", "output_dropout"),
    *("recurrent_dropout", "zoneout", "weight_drop"),
]
UNREGULARIZED = {**dict.fromkeys(DROPOUTS, 0.0), "ar": 0.0, "tar": 0.0}


def built(name="language_model", **options):
    return assign_random(zoo.build(name, **{**TINY, "cell": "gru", **options}))


def test_without_explicit_states_each_row_begins_with_the_initial_state():
    options = {"learned_initial_state": True, "num_layers": 2, "tied": True}
    plain, explicit = built(**options), built(**options, explicit_states=True)
    outputs = explicit({"token_ids": tf.constant(TOKENS), **starts(explicit, 5)})
    np.testing.assert_array_equal(plain(TOKENS), outputs["logits"])
    assert plain.output_shape == (None, None, 9)
    found = plain.with_losses()(GIVEN)
    assert sorted(found) == ["losses"]
    given = {name: tf.constant(ids) for name, ids in GIVEN.items()}
    expected = explicit.with_losses()({**given, **starts(explicit, 5)})
    np.testing.assert_array_equal(found["losses"], expected["losses"])


@pytest.mark.parametrize(
    ("name", "cell"),
    swept(
        [("awd_lstm", "lstm"), *[("language_model", cell) for cell in zoo.cell_names()]],
        lambda name, cell: name == "awd_lstm" or cell in PARTS[3],
    ),
)
def test_one_batch_overfits(name, cell):
    """What follows a token depends on those before it, so the states must be used."""
    keras.utils.set_random_seed(1)
    sizes = {"vocabulary_size": 9, "embedding_dim": 8, "units": 8, "num_layers": 1}
    model = zoo.build(name, cell=cell, **{**UNREGULARIZED, **sizes})
    train, weights = model.with_losses(), model.trainable_variables
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(weights)

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            losses = train(GIVEN, training=True)["losses"]
            loss = tf.reduce_sum(losses) / REAL.sum()
        optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
        return loss

    assert train_step() > 1
    assert any(float(train_step()) < 0.05 for _ in range(120))


@pytest.mark.parametrize(
    ("cell", "tied"),
    swept(
        [("lstm", False), ("lstm", True), ("gru", False), ("min_gru", False)],
        lambda cell, tied: cell == "min_gru" or tied,
    ),
)
def test_looking_up_products_of_a_small_table_changes_no_loss_and_no_gradient(
    cell, tied, monkeypatch
):
    monkeypatch.setattr(direction, "COMPILED_FROM", 1)
    options = {"cell": cell, "tied": tied, "embedding_dim": 5, "units": 5, "num_layers": 2}
    model, plain = built(**options), built(**options, type_dropout=1e-12)  # drops nothing
    found = [losses_and_gradients(one) for one in (model, plain)]
    for name, value in found[1].items():
        np.testing.assert_allclose(found[0][name], value, rtol=1e-4, atol=1e-6, err_msg=name)
        assert np.any(value), f"{name} is all zero"
    gives = [one.get_layer("embedding").gives_table for one in (model, plain)]
    assert gives == [True, tied]


def losses_and_gradients(model):
    """Losses and all weights' gradients in training, from a graph that knows no sizes."""
    train = model.with_losses()
    specs = {name: tf.TensorSpec((None, None), tf.int32) for name in GIVEN}

    @tf.function(input_signature=[specs], autograph=False)
    def compute(given):
        values = {weight.path: weight.value for weight in model.trainable_weights}
        with tf.GradientTape() as tape:
            losses = train(given, training=True)["losses"]
            shares = 1 + tf.cast(tf.range(tf.size(losses)), tf.float32)  # all of them different
            loss = tf.reduce_sum(losses * tf.reshape(shares, tf.shape(losses)))
        return {"losses": losses, **tape.gradient(loss, values)}

    given = {name: tf.constant(ids, tf.int32) for name, ids in GIVEN.items()}
    return {name: tf.convert_to_tensor(value) for name, value in compute(given).items()}


@pytest.mark.parametrize("rate", DROPOUTS)
def test_each_dropout_acts_in_training_alone(rate):
    plain, model = built(), built(**{rate: 0.9})
    whole = np.array(model(TOKENS))
    # states that may stay as they were are mixed with the new ones outside of training
    np.testing.assert_array_equal(whole, (model if rate == "zoneout" else plain)(TOKENS))
    drawn = (np.array(model(TOKENS, training=True)) for _ in range(3))
    assert any(np.abs(one - whole)[REAL].max() > 1e-3 for one in drawn)


def test_the_last_states_are_dropped_by_one_mask_for_all_steps_of_a_row():
    keras.utils.set_random_seed(1)
    model = built(output_dropout=0.5)
    layer = model.get_layer("output_dropout")
    both = keras.Model(model.input, [layer.input, layer.output])
    states, dropped = (np.array(values) for values in both(TOKENS, training=True))
    shares = dropped[0] / states[0]  # of the row without padding, (T, K)
    np.testing.assert_allclose(shares, np.tile(shares[:1], (5, 1)), atol=1e-5)
    assert {0.0, 2.0} == set(np.round(dropped[REAL] / states[REAL], 4).ravel())


def test_the_penalties_are_those_of_the_last_layers_states_and_do_not_add_up():
    model = built(ar=2.0, tar=3.0)
    train, weights = model.with_losses(), by_path(model)
    lengths, table = REAL.sum(axis=1), weights["embedding/embeddings"]
    layers = reference.encoder_layers(weights, "body")
    states, _ = reference.stack("gru", layers, table[TOKENS], lengths)
    changes = [states[row, t] - states[row, t - 1] for row, t in np.argwhere(REAL) if t]
    expected = 2 * np.mean(states[REAL] ** 2) + 3 * np.mean(np.square(changes))
    for _ in range(3):
        train(GIVEN, training=True)
        (penalty,) = train.losses
        np.testing.assert_allclose(penalty, expected, rtol=1e-5)
    train(GIVEN)
    assert train.losses == []


@pytest.mark.parametrize("tied", [False, True])
def test_sampled_words_make_the_loss_an_estimate_in_training_alone(tied):
    keras.utils.set_random_seed(1)
    options = {"vocabulary_size": 40, "tied": tied}
    model, exact = built(**options, sampled=18), built(**options).with_losses()(GIVEN)["losses"]
    train = model.with_losses()
    np.testing.assert_array_equal(train(GIVEN)["losses"], exact)
    in_training = tf.function(lambda: train(GIVEN, training=True)["losses"])
    drawn = np.array([in_training() for _ in range(400)])
    assert not np.any(drawn[:, ~REAL])
    # all targets are among the first 9 ids, which are always there: of the sum over all tokens,
    # relative to the target, exp(loss) is an estimate without bias
    shares = np.exp(drawn - exact)[:, REAL]
    error = shares.std(axis=0) / np.sqrt(len(shares))
    assert np.all(error > 1e-4) and np.all(np.abs(shares.mean(axis=0) - 1) < 4.5 * error)
    assert model(TOKENS, training=True).shape == (5, 5, 40)


def test_awd_lstm_has_all_the_parts_of_its_paper():
    entry = architecture("awd_lstm")
    defaults = {option: parameter.default for option, parameter in entry.options.items()}
    expected = {
        **{"cell": "lstm", "num_layers": 3, "embedding_dim": 400, "units": 400, "tied": True},
        **{"type_dropout": 0.1, "input_dropout": 0.3, "output_dropout": 0.4, "weight_drop": 0.5},
        **{"ar": 2.0, "tar": 1.0, "dropout": 0.0, "recurrent_dropout": 0.0, "zoneout": 0.0},
    }
    assert {option: defaults[option] for option in expected} == expected
    assert defaults["vocabulary_size"] is inspect.Parameter.empty
    assert entry.topology == "language_model" and "AWD-LSTM" in entry.documentation


@pytest.mark.parametrize("name", zoo.names(topology="language_model"))
@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[(rate, value) for rate in DROPOUTS for value in (1, -0.5)],
        *[(size, 0) for size in ("vocabulary_size", "embedding_dim", "units", "num_layers")],
        *[(flag, 1) for flag in ("tied", "explicit_states", "residual", "learned_initial_state")],
        *[("sampled", 15), ("sampled", -1), ("ar", -1.0), ("tar", "1"), ("cell", "lst")],
    ],
)
def test_a_wrong_value_is_named_with_its_option_in_one_sentence(name, option, value):
    with pytest.raises(zoo.InputError) as error:
        zoo.build(name, **{**TINY, option: value})
    message = str(error.value)
    assert option in message and repr(value) in message and "\n" not in message


@pytest.mark.parametrize("name", zoo.names(topology="language_model"))
def test_a_misspelt_option_is_named_with_the_nearest(name):
    with pytest.raises(zoo.InputError, match="has no option 'tide': did you mean 'tied'"):
        zoo.build(name, **TINY, tide=True)


def test_a_model_of_another_kind_has_no_losses_of_tokens():
    model = zoo.build("many_to_one", vocabulary_size=9, num_classes=2, units=3)
    with pytest.raises(
        zoo.InputError, match="not a model of zoo.build.'language_model', .*lacks the layer 'body'"
    ):
        LanguageModel.of(model)


def test_a_model_of_an_older_file_which_has_another_class_is_stepped_all_the_same():
    model = built(tied=True)
    older = keras.Model(model.input, model.output, name="older")
    again = LanguageModel.of(older)
    assert again.name == "older" and LanguageModel.of(again) is again
    ids = GIVEN["token_ids"][:, 0]
    logits, _ = again.step(ids, again.initial_states(len(ids)))
    expected, _ = model.step(ids, model.initial_states(len(ids)))
    np.testing.assert_array_equal(logits, expected)


def test_a_model_that_is_loaded_in_a_fresh_process_is_trained_and_scored_on(tmp_path):
    """There names of operations are counted from the beginning, and must not meet the loaded."""
    model = zoo.build("language_model", vocabulary_size=9, embedding_dim=3, units=4)
    model.save(tmp_path / "model.keras")
    keras.backend.clear_session()
    again = keras.models.load_model(tmp_path / "model.keras")
    given = {"token_ids": np.array([[2, 5, 0]]), "target_ids": np.array([[5, 3, 0]])}
    expected = model.with_losses()(given)["losses"]
    np.testing.assert_array_equal(again.with_losses()(given)["losses"], expected)
