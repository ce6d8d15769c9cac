"""The sweep over many to many: every architecture with every cell and head, built tiny."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference import letters_cnn, random_values
from tests.references.weights import arrays, assign_random, by_path
from tests.sweeps import PARTS, swept
from zoo.crf.layer import unpacked
from zoo.layers import CRFLoss
from zoo.layers.characters import CharacterCNN

TINY = {
    "vocabulary_size": 9,
    "num_tags": 3,
    "embedding_dim": 3,
    "units": 2,
    "character_vocabulary_size": 6,
    "character_dim": 3,
    "character_units": 4,
}
TOKENS = np.array([[5, 2, 8, 3, 7], [4, 6, 1, 0, 0], [7, 3, 0, 0, 0], [2, 0, 0, 0, 0]], "int32")
LETTERS = np.random.default_rng(0).integers(1, 6, (4, 5, 3)).astype("int32")
LETTERS[:, 1::2, 2] = 0  # words of two letters and of three
LETTERS = np.where((TOKENS != 0)[:, :, None], LETTERS, 0)
CASING = np.where(TOKENS != 0, np.random.default_rng(1).integers(1, 8, TOKENS.shape), 0)
INPUTS = {"token_ids": TOKENS, "character_ids": LETTERS, "casing_ids": CASING.astype("int32")}
TAGS = np.random.default_rng(2).integers(0, 3, TOKENS.shape)
REAL = TOKENS != 0
NAMES = zoo.names(topology="many_to_many")
# a deep one with every cell, the others with cells of one, two and three states
SOME = ("gru", "lstm", "slstm")
DEEPEST = "deep_bidirectional_many_to_many"
CASES = [(n, c, "none") for n in NAMES for c in zoo.cell_names() if n == DEEPEST or c in SOME]
WITH_CHARACTERS = [("many_to_many", "gru", "cnn"), ("bilstm_crf", "lstm", "recurrent")]
CASES += WITH_CHARACTERS
KEPT = [(DEEPEST, cell, "none") for cell in PARTS[1]] + WITH_CHARACTERS
KEPT += [("many_to_many", "gru", "none"), ("bilstm_crf", "slstm", "none")]
# each cell once, by turns in another architecture, and one way or both ways below another head
BY_TURNS = list(enumerate(zoo.cell_names()))
ONE_EACH = [(NAMES[number % len(NAMES)], cell, "none") for number, cell in BY_TURNS]
HEADS = [(cell, ("softmax", "crf")[number % 2]) for number, cell in BY_TURNS]


def sizes(cell, **options):
    """Tiny sizes; the cell without an input matrix needs E = K in every layer."""
    if cell == "elman":
        return {**TINY, "embedding_dim": 2, "merge_mode": "sum", **options}
    return {**TINY, **options}


def built(name, cell, characters="none", **options):
    options = {"characters": characters, "casing_dim": 2 * (characters != "none"), **options}
    return assign_random(zoo.build(name, cell=cell, **sizes(cell, **options)))


def given_to(model, inputs=INPUTS):
    """What the model takes of the inputs."""
    if isinstance(model.input, dict):
        return {name: inputs[name] for name in model.input}
    return inputs["token_ids"]


def logits_of(model, inputs=INPUTS):
    return logits_in(model, model(given_to(model, inputs)))


def logits_in(model, outputs):
    return np.array(unpacked(outputs).logits if has_crf(model) else outputs)


def has_crf(model):
    return model.layers[-1].name == "crf"


@pytest.fixture(
    scope="module", params=swept(CASES, lambda *case: case in KEPT, whole=True), ids="-".join
)
def case(request):
    """A tiny model with random weights, its cell, and what it says of the tokens."""
    name, cell, characters = request.param
    model = built(name, cell, characters)
    outputs, loss, gradients = loss_and_gradients(model)
    found = {"outputs": outputs, "loss": loss.numpy(), "gradients": gradients}
    logits = logits_in(model, outputs)
    return SimpleNamespace(model=model, cell=cell, logits=logits, **found)


def loss_and_gradients(model, inputs=INPUTS, tags=TAGS):
    """The mean negative log-likelihood of a real token's tag, and the gradients of all weights."""
    real = inputs["token_ids"] != 0
    with tf.GradientTape() as tape:
        outputs = model(given_to(model, inputs))
        if has_crf(model):
            loss = CRFLoss()(tags, outputs)
        else:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tags, outputs)
            loss = tf.reduce_sum(tf.where(real, losses, 0)) / max(real.sum(), 1)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    assert all(gradient is not None for gradient in gradients)
    return outputs, loss, [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def expected_logits(model, cell, inputs=INPUTS):
    taken = given_to(model, inputs)
    taken = taken if isinstance(taken, dict) else {"token_ids": taken}
    return reference.many_to_many(
        by_path(model), taken, cell, sizes(cell).get("merge_mode", "concat")
    )


def test_the_logits_are_those_of_the_reference(case):
    assert case.logits.shape == (4, 5, 3)
    expected = expected_logits(case.model, case.cell)
    np.testing.assert_allclose(case.logits[REAL], expected[REAL], atol=1e-5)


def padded(values, count=4):
    return np.pad(values, [(0, 0), (0, count), *[(0, 0)] * (values.ndim - 2)])


def test_appended_padding_changes_no_logit_no_loss_and_no_gradient(case):
    longer = {name: padded(values) for name, values in INPUTS.items()}
    outputs, loss, gradients = loss_and_gradients(case.model, longer, padded(TAGS))
    logits = logits_in(case.model, outputs)[:, :5]
    np.testing.assert_allclose(logits[REAL], case.logits[REAL], atol=1e-5)
    np.testing.assert_allclose(loss, case.loss, atol=1e-5)
    for gradient, other in zip(case.gradients, gradients, strict=True):
        np.testing.assert_allclose(other, gradient, atol=1e-5)


def test_no_token_and_one_token_give_finite_losses_and_gradients(case):
    for keep in (np.array([1, 1, 0, 0]), np.zeros(4, int)):
        inputs = {n: (v.T * keep).T.astype("int32") for n, v in INPUTS.items()}
        _, loss, gradients = loss_and_gradients(case.model, inputs)
        assert np.isfinite(loss)
        assert all(np.all(np.isfinite(gradient)) for gradient in gradients)
    one = {name: values[:, :1] for name, values in INPUTS.items()}
    assert np.isfinite(loss_and_gradients(case.model, one, TAGS[:, :1])[1])


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
    np.testing.assert_array_equal(again(given_to(again)), case.outputs)
    configs = [[layer.get_config() for layer in one.layers] for one in (again, case.model)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize(
    ("name", "cell", "characters"),
    swept(
        ONE_EACH + WITH_CHARACTERS,
        lambda name, cell, characters: characters == "cnn" or cell in PARTS[2],
    ),
)
def test_a_saved_model_answers_the_same_for_any_length(name, cell, characters, tmp_path):
    model = built(name, cell, characters)
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    signature = tf.nest.map_structure(
        lambda value: tf.TensorSpec([None] * value.ndim, tf.int32), given_to(model)
    )
    module.run = tf.function(lambda given: model(given, training=False), [signature])
    tf.saved_model.save(module, str(tmp_path))
    served = tf.saved_model.load(str(tmp_path))
    for part in ((slice(None), slice(None)), (slice(2), slice(1))):
        inputs = {n: tf.constant(v[part], tf.int32) for n, v in INPUTS.items()}
        given = given_to(model, inputs)
        np.testing.assert_allclose(served.run(given), model(given), atol=1e-6)


@pytest.mark.parametrize(("cell", "head"), swept(HEADS, lambda cell, head: cell in PARTS[1]))
def test_one_batch_overfits(cell, head):
    keras.utils.set_random_seed(1)
    options = {**TINY, "units": 8, "embedding_dim": 8, "bidirectional": head == "crf"}
    options["merge_mode"] = "sum"
    model = zoo.build("many_to_many", cell=cell, head=head, **options)
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)

    def train_step():
        with tf.GradientTape() as tape:
            outputs = model(TOKENS, training=True)
            if head == "crf":
                loss = CRFLoss()(TAGS, outputs)
            else:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(TAGS, outputs)
                loss = tf.reduce_mean(tf.boolean_mask(losses, REAL))
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


def test_letters_are_dropped_in_training_alone():
    plain, model = (
        built("many_to_many", "gru", "cnn", character_dropout=rate) for rate in (0.0, 0.9)
    )
    layers = [one.get_layer("characters") for one in (plain, model)]
    np.testing.assert_array_equal(layers[0](LETTERS), layers[1](LETTERS))
    assert np.any(layers[0](LETTERS, training=True) != layers[1](LETTERS, training=True))


def test_vectors_that_are_not_trained_get_no_gradient():
    model = built("many_to_many", "gru", pretrained_dim=3)
    assert "embedding/pretrained" not in by_path(model)
    assert "embedding/pretrained" in {weight.path for weight in model.weights}
    tuned = built("many_to_many", "gru", pretrained_dim=3, pretrained_trainable=True)
    assert "embedding/pretrained" in by_path(tuned)


@pytest.mark.parametrize("constrained", ["always", "decoding"])
def test_tables_of_what_is_allowed_reach_the_crf(constrained, tmp_path):
    tables = [[True, True, False], [True, True, True], [True, True, True]]
    tables = (tables, [True, True, False], [True, True, True])  # BIO: O, B-x, I-x
    model = built("bilstm_crf", "lstm", allowed=tables, constrained=constrained)
    layer = model.get_layer("crf")
    tags = np.array(layer.decode(logits_of(model) + np.array([0, 0, 9.0], "float32"), REAL)[0])
    assert 2 not in tags[:, 0]
    ruled_out = unpacked(model(TOKENS)).start[2] < -1e29
    assert ruled_out == (constrained == "always")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("units", 0),
        ("num_tags", 0),
        ("vocabulary_size", 2.5),
        ("embedding_dim", -1),
        ("pretrained_trainable", "no"),
        ("characters", "cnnn"),
        ("casing_dim", -1),
        ("dropout", -0.5),
        ("head", "crff"),
        ("constrained", "never"),
        ("num_layers", 0),
        ("dropout", 1.5),
        ("word_dropout", 1),
        ("merge_mode", "x"),
        ("cell", "lst"),
    ],
)
def test_a_wrong_value_is_named_with_its_option(name, option, value):
    options = {"head": "crf", **TINY, option: value}
    with pytest.raises(zoo.InputError) as error:
        zoo.build(name, **options)
    assert option in str(error.value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize(
    "option", ["character_dim", "character_units", "character_vocabulary_size"]
)
def test_a_wrong_size_of_letters_is_named(option):
    with pytest.raises(zoo.InputError, match=f"{option} must be a positive int, got 0"):
        zoo.build("many_to_many", **{**TINY, "characters": "cnn", option: 0})


def test_what_is_learned_beside_has_its_own_logits_on_the_same_states():
    model = built("many_to_many", "gru", "cnn", auxiliary={"xpos": 5}, head="crf")
    outputs = model(INPUTS)
    states = keras.Model(model.input, model.get_layer("logits").input)(INPUTS)
    kernel, bias = model.get_layer("auxiliary_xpos").get_weights()
    np.testing.assert_allclose(outputs["xpos"], np.array(states) @ kernel + bias, atol=1e-5)
    alone = model.without_auxiliary()
    np.testing.assert_array_equal(alone(INPUTS), outputs["tags"])
    assert not any("auxiliary" in weight.path for weight in alone.weights)
    assert alone.without_auxiliary() is alone


@pytest.mark.parametrize("bidirectional", [True, False])
def test_neighbouring_words_are_predicted_by_states_that_have_not_read_them(bidirectional):
    options = {"neighbour_words": 7, "bidirectional": bidirectional}
    model = built("many_to_many", "gru", **options)
    outputs = model(TOKENS)
    sides = ("next_word", "previous_word")[: 1 + bidirectional]
    assert set(outputs) == {"tags", *sides}
    states = np.array(keras.Model(model.input, model.get_layer("logits").input)(TOKENS))
    for number, side in enumerate(sides):
        half = states[..., 2 * number : 2 * number + 2]
        inner, bias = model.get_layer(f"{side}_hidden").get_weights()
        kernel, outer = model.get_layer(side).get_weights()
        expected = np.tanh(half @ inner + bias) @ kernel + outer
        np.testing.assert_allclose(outputs[side], expected, atol=1e-5)
    changed = TOKENS.copy()
    changed[0, 2] = 1  # the third of five words
    moved = {
        k: np.abs(np.array(v) - outputs[k])[0].max(-1) > 1e-6 for k, v in model(changed).items()
    }
    assert moved["next_word"].tolist() == [False, False, True, True, True]
    if bidirectional:
        assert moved["previous_word"].tolist() == [True, True, True, False, False]
    alone = model.without_auxiliary()
    np.testing.assert_array_equal(alone(TOKENS), outputs["tags"])
    assert not any("word" in weight.path for weight in alone.weights)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"num_layers": 2}, "needs one recurrent layer.*got 2 layers"),
        ({"dense_layers": 1}, "got 2 layers"),
        ({"bidirectional": True, "merge_mode": "sum"}, "merge_mode 'sum'"),
        ({"neighbour_words": 3}, "neighbour_words must be 0, or above 3"),
        ({"neighbour_words": -1}, "neighbour_words must be 0, or above 3.*got -1"),
        ({"auxiliary": {"next_word": 2}}, "auxiliary tags cannot be named 'next_word'"),
    ],
)
def test_neighbouring_words_are_refused_where_the_states_have_read_them(options, words):
    with pytest.raises(zoo.InputError, match=words):
        zoo.build("many_to_many", **{**TINY, "cell": "gru", "neighbour_words": 7, **options})


def test_pretrained_vectors_reach_the_states_beside_the_learned_ones():
    options = {"embedding_dim": 2, "learned_size": 3, "pretrained_dim": 3}
    model = built("many_to_many", "gru", **options)
    before = np.array(model(TOKENS))
    embedding = model.get_layer("embedding")
    assert embedding.learned_size == 3
    embedding.set_pretrained(random_values(embedding.vocabulary_size, 3, seed=8))
    assert np.abs(np.array(model(TOKENS)) - before).max() > 1e-3
    assert not any("pretrained" in weight.path for weight in model.trainable_weights)


@pytest.mark.parametrize("widths", [(1,), (2, 3), (2, 3, 4, 5)])
def test_convolutions_of_several_widths_are_those_of_the_reference(widths):
    """Also under XLA, where words are not packed."""
    layer = CharacterCNN(6, 3, 9, widths=widths, name="characters")
    letters = np.array([[[1, 2, 5, 3, 0], [4, 0, 0, 0, 0]], [[2, 1, 4, 4, 5], [0] * 5]])
    layer.build(letters.shape)
    assign_random(layer)
    weights = {f"characters/{weight.name}": weight.numpy() for weight in layer.trainable_weights}
    expected = [[letters_cnn(weights, word) for word in row] for row in letters]
    for call in (layer, tf.function(layer), tf.function(layer, jit_compile=True)):
        np.testing.assert_allclose(call(tf.constant(letters)), expected, atol=1e-5)
    assert np.array(layer(letters)).shape == (2, 2, 9)
    with pytest.raises(zoo.InputError, match="character_widths"):
        CharacterCNN(6, 3, 2, widths=(2, 3, 4))
