"""Masks: none at all, Keras' implicit ones, and those that do not fit."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import mask_of, random_values
from tests.sweeps import swept
from zoo import masking
from zoo.errors import InputError
from zoo.layers import (
    CRF,
    ActivationRegularization,
    Attention,
    AttentionPooling,
    CRFAccuracy,
    CRFLoss,
    Direction,
    MaxPooling,
    MeanPooling,
    Recurrent,
)
from zoo.layers.affixes import Affixes
from zoo.layers.characters import CharacterRNN
from zoo.losses import TokenCrossentropy

B, T, E, K = 2, 4, 3, 3
VALUES = random_values(B, T, E, seed=1)
FULL = np.ones((B, T), bool)
WRONG = {
    "left": np.array([[False, True, True, True], [True] * 4]),
    "hole": np.array([[True, False, True, False], [True] * 4]),
}
LAYERS = {
    "recurrent": lambda: Recurrent("gru", K, bidirectional=True),
    "direction": lambda: Direction("lstm", K),
    "crf": lambda: CRF(E),
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention_pooling": AttentionPooling,
    "regularization": lambda: ActivationRegularization(1.0, 1.0),
}
READ_AS_LENGTHS = ["recurrent", "direction", "crf"]


def called(layer, values, **options):
    """What a layer gives, flat."""
    if isinstance(layer, ActivationRegularization):
        return [layer(values, values, training=True, **options), layer.losses[-1]]
    return keras.tree.flatten(layer(values, **options))


@pytest.mark.parametrize("name", LAYERS)
def test_without_a_mask_all_steps_are_real(name):
    layer = LAYERS[name]()
    for one, other in zip(called(layer, VALUES), called(layer, VALUES, mask=FULL), strict=True):
        np.testing.assert_array_equal(one, other)


def test_attention_without_a_mask_looks_everywhere():
    layer = Attention("general")
    for one, other in zip(layer(VALUES, VALUES), layer(VALUES, VALUES, FULL), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", READ_AS_LENGTHS)
def test_a_mask_that_is_not_padded_on_the_right_is_refused(name, kind):
    layer = LAYERS[name]()
    with pytest.raises(InputError, match="real tokens after padding.*padding='post'"):
        layer(VALUES, mask=WRONG[kind])
    graph = tf.function(lambda values, mask: called(layer, values, mask=mask))
    with pytest.raises(tf.errors.InvalidArgumentError, match="real tokens after padding"):
        graph(VALUES, tf.constant(WRONG[kind]))


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ["mean", "max", "attention_pooling"])
def test_poolings_take_real_steps_wherever_they_are(name, kind):
    layer, mask = LAYERS[name](), WRONG[kind]
    found = np.array(layer(VALUES, mask=mask))
    for row in range(B):
        np.testing.assert_allclose(
            found[row], layer(VALUES[row : row + 1, mask[row]])[0], atol=1e-6
        )


@pytest.mark.parametrize("name", LAYERS)
def test_a_mask_of_one_row_does_not_stand_for_several(name):
    with pytest.raises(InputError, match=r"the mask must have the sizes \(2, 4\).*got.*\(1, 4\)"):
        called(LAYERS[name](), VALUES, mask=FULL[:1])
    with pytest.raises(InputError, match=r"the mask must have the sizes \(2, 4\).*got.*\(2, 1\)"):
        called(LAYERS[name](), VALUES, mask=FULL[:, :1])


@pytest.mark.parametrize("name", ["recurrent", "crf", "mean"])
def test_nor_does_it_in_a_graph_of_unknown_sizes(name):
    layer = LAYERS[name]()
    layer(VALUES)
    signature = [tf.TensorSpec((None, None, E)), tf.TensorSpec((None, None), tf.bool)]
    graph = tf.function(
        lambda values, mask: called(layer, values, mask=mask), input_signature=signature
    )
    graph(VALUES, FULL)
    with pytest.raises(tf.errors.InvalidArgumentError, match="have different sizes"):
        graph(VALUES, FULL[:1])


def test_one_row_of_anything_does_not_stand_for_several():
    with pytest.raises(InputError, match="the queries must have the sizes"):
        Attention("general")(VALUES[:1], VALUES, FULL)
    with pytest.raises(InputError, match="an initial state must have the sizes"):
        body = Recurrent("gru", K)
        body(VALUES, initial_states=body.get_initial_states(1))
    tags = np.zeros((1, T), int)
    chain = CRF(E)(VALUES)
    for refused in (
        lambda: TokenCrossentropy()(tags, VALUES),
        lambda: TokenCrossentropy()(np.zeros((B, T), int), VALUES, np.ones(1)),
        lambda: CRFLoss()(tags, chain),
        lambda: CRFLoss()(np.zeros((B, T), int), chain, np.ones(1)),
        lambda: CRFAccuracy()(tags, chain),
        lambda: CRF(E).log_likelihood(VALUES, tags),
    ):
        with pytest.raises(InputError, match="sizes|shape"):
            refused()


IDS = np.array([[0, 0, 3, 4], [5, 6, 7, 8], [0, 1, 2, 3]])  # as pad_sequences makes them
BUILDERS = [
    ("many_to_one", {"vocabulary_size": 9, "num_classes": 2}),
    ("many_to_one", {"vocabulary_size": 9, "num_classes": 2, "pooling": "mean"}),
    ("many_to_many", {"vocabulary_size": 9, "num_tags": 3}),
    ("bilstm_crf", {"vocabulary_size": 9, "num_tags": 3}),
    ("language_model", {"vocabulary_size": 9}),
    ("one_to_many", {"vocabulary_size": 9, "num_classes": 2}),
    ("encoder_decoder", {"source_vocabulary_size": 9, "target_vocabulary_size": 9}),
    ("sutskever", {"source_vocabulary_size": 9, "target_vocabulary_size": 9}),
    ("bahdanau", {"source_vocabulary_size": 9, "target_vocabulary_size": 9}),
]


WAYS = [(*each, way) for each in BUILDERS for way in ("eager", "predict")]
WAYS += [(*BUILDERS[number], way) for number in (0, 3) for way in ("arrays", "dataset")]
KEPT = [("many_to_one", "arrays"), ("bilstm_crf", "dataset"), ("encoder_decoder", "predict")]
KEPT += [("many_to_many", "predict"), ("language_model", "predict"), ("one_to_many", "predict")]


@pytest.mark.parametrize(
    ("name", "options", "way"),
    swept(WAYS, lambda name, options, way: way == "eager" or (name, way) in KEPT),
)
def test_every_builder_refuses_ids_that_are_padded_on_the_left(name, options, way):
    model = zoo.build(name, units=2, embedding_dim=2, **options)
    inputs = {key: IDS for key in ("token_ids", "source_ids", "target_ids")}
    inputs["class_ids"] = np.array([0, 1, 1])
    taken = model.input if isinstance(model.input, dict) else None
    given = inputs["token_ids"] if taken is None else {key: inputs[key] for key in taken}
    if way == "eager":
        with pytest.raises(InputError, match="real tokens after padding"):
            model(given)
        return
    labels = np.zeros(3, int) if name == "many_to_one" else np.zeros((3, 4), int)
    losses = {"bilstm_crf": CRFLoss()}
    if name == "many_to_one":
        losses[name] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", losses.get(name, TokenCrossentropy()))
    with pytest.raises(InputError, match="real tokens after padding"):
        if way == "arrays":
            model.fit(given, labels, verbose=0)
        elif way == "dataset":
            batches = tf.data.Dataset.from_tensor_slices((given, labels)).batch(2)
            model.fit(batches, shuffle=False, verbose=0)
        else:
            model.predict(given, verbose=0)


def test_letters_may_be_padded_anywhere():
    letters = np.array([[[3, 4, 0, 0], [1, 2, 3, 0]]])
    moved = np.array([[[0, 3, 0, 4], [0, 1, 2, 3]]])
    for layer in (Affixes(2), CharacterRNN(9, 3, 4)):
        expected = layer(letters)
        np.testing.assert_allclose(layer(moved), expected, atol=1e-6)
        np.testing.assert_allclose(tf.function(layer)(tf.constant(moved)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("return_sequences", "bidirectional"),
    swept(itertools.product([False, True], repeat=2), lambda one, other: one and other),
)
@pytest.mark.usefixtures("eagerly")
def test_it_stands_in_a_sequential_model_that_is_fitted_saved_and_loaded(
    bidirectional, return_sequences, tmp_path
):
    options = {"bidirectional": bidirectional, "return_sequences": return_sequences}
    body = Recurrent("gru", K, return_state=False, **options)
    model = keras.Sequential([keras.Input((None, E)), body, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    width = 2 * K if bidirectional else K
    shape = (B, T, width) if return_sequences else (B, width)
    assert body(VALUES).shape == shape
    targets = np.zeros((*shape[:-1], 1))
    before = [np.array(weight) for weight in model.trainable_weights]
    model.fit(VALUES, targets, verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(np.array(weight) != old), weight.path
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    found = again.predict(VALUES, verbose=0)
    np.testing.assert_allclose(found, model.predict(VALUES, verbose=0), atol=1e-6)
    with_states = Recurrent.from_config({**body.get_config(), "return_state": True})
    with_states.build((None, None, E))
    with_states.set_weights(body.get_weights())
    np.testing.assert_allclose(with_states(VALUES)[0], body(VALUES), atol=1e-6)


def test_the_implicit_mask_of_an_embedding_is_used_and_continued():
    ids = np.array([[1, 2, 0, 0], [3, 1, 2, 2]])
    mask = mask_of([2, 4], 4)
    embed = keras.layers.Embedding(5, E, mask_zero=True)
    body, pool = Recurrent("lstm", K, return_state=False), MeanPooling()
    model = keras.Sequential([embed, body, pool])
    found = model.predict(ids, verbose=0)
    expected = pool(body(np.array(embed(ids)), mask=mask), mask=mask)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    start = body.get_initial_states(2)
    np.testing.assert_array_equal(
        body(embed(ids), initial_states=start), body(np.array(embed(ids)), mask=mask)
    )
    explicit = body(np.array(embed(ids)), mask=mask)
    assert getattr(explicit, "_keras_mask", None) is None, "a mask that is given is not continued"
    tagger = keras.Sequential([embed, CRF(E)])
    lengths = tagger.predict(ids, verbose=0)[:, -1, 0]
    np.testing.assert_array_equal(lengths, [2, 4])


def test_the_check_is_left_out_under_xla_and_the_values_are_the_same():
    layer = MeanPooling()
    body = Recurrent("gru", K)
    graph = tf.function(lambda v, m: layer(body(v, mask=m)[0], mask=m), jit_compile=True)
    expected = layer(body(VALUES, mask=FULL)[0], mask=FULL)
    np.testing.assert_allclose(graph(VALUES, FULL), expected, atol=1e-6)


def test_ids_are_moved_to_the_front_of_their_rows():
    ids = tf.constant([[0, 7, 0, 8], [1, 2, 3, 0], [0, 0, 0, 0]])
    expected = [[7, 8, 0, 0], [1, 2, 3, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(masking.moved_to_front(ids), expected)
