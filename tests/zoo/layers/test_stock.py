"""Stock Keras layers as recurrent bodies, and bodies as stock layers: equal outputs both ways."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import mask_of, random_values
from tests.references.weights import assign_random
from tests.sweeps import swept
from zoo.layers import Recurrent, from_stock, to_stock
from zoo.layers.recurrent_options import MERGE_MODES

B, T, E, K = 3, 4, 3, 2
LENGTHS = [4, 2, 1]
MASK = mask_of(LENGTHS, T)
LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
KINDS = [
    ("lstm", {}),
    ("gru", {}),
    ("gru", {"reset_after": False}),
    ("simple_rnn", {}),
    ("simple_rnn", {"activation": "relu"}),
]


@pytest.fixture
def inputs():
    return random_values(B, T, E, seed=3)


def stock(kind, size=E, units=K, merge_mode=None, build=True, **options):
    """A stock layer with random weights, in `Bidirectional` if a merge mode is given."""
    layer = LAYERS[kind](units, **{"return_sequences": True, **options})
    if merge_mode:
        layer = keras.layers.Bidirectional(layer, merge_mode=merge_mode)
    if build:
        layer.build((None, None, size))
        assign_random(layer)
    return layer


def through(layers, inputs, mask=None):
    """What a stack of stock layers gives, each of them given the mask."""
    for layer in layers:
        inputs = layer(inputs, mask=mask)
    return np.array(inputs)


def assert_equal_where_real(body, layers, inputs):
    outputs = np.array(body(inputs, mask=MASK)[0])
    expected = through(layers, inputs, MASK)
    assert np.abs(expected[MASK]).max() > 1e-3
    np.testing.assert_allclose(outputs[MASK], expected[MASK], atol=1e-5)
    assert not np.any(outputs[~MASK])
    whole = body(inputs, mask=np.ones((B, T), bool))[0]
    np.testing.assert_allclose(whole, through(layers, inputs), atol=1e-5)


@pytest.mark.parametrize(("kind", "options"), [KINDS[0], KINDS[2]])
def test_a_trained_stock_model_becomes_a_body_with_its_outputs(kind, options, inputs):
    layers = [stock(kind, size, merge_mode="sum", **options) for size in (E, K)]
    head = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((None, E)), *layers, head])
    weights = [weight for layer in layers for weight in layer.trainable_weights]
    before = [weight.numpy() for weight in weights]
    optimizer = keras.optimizers.SGD(0.1)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs) - random_values(B, T, 1, seed=4)) ** 2)
        optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
    for weight, old in zip(weights, before, strict=True):
        assert np.abs(weight.numpy() - old).max() > 1e-5
    body = from_stock(layers)
    assert_equal_where_real(body, layers, inputs)
    np.testing.assert_allclose(
        head(body(inputs, mask=np.ones((B, T), bool))[0]),
        model(inputs),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("kind", "options", "merge_mode"),
    [(*kind, None) for kind in KINDS] + [("gru", {}, mode) for mode in MERGE_MODES],
)
def test_a_bare_or_bidirectional_layer_and_its_body_are_equal_both_ways(
    kind, options, merge_mode, inputs
):
    layer = stock(kind, merge_mode=merge_mode, **options)
    body = from_stock(layer)
    assert_equal_where_real(body, [layer], inputs)
    back = to_stock(body)
    assert [type(one) for one in back] == [type(layer)]
    assert_equal_where_real(body, back, inputs)
    for one, other in zip(back[0].get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("merge_mode", swept([None, "concat"], lambda mode: mode == "concat"))
@pytest.mark.parametrize(("kind", "options"), KINDS[:4])
def test_a_stack_of_a_body_becomes_stock_layers_and_a_body_again(kind, options, merge_mode, inputs):
    merging = {"bidirectional": True, "merge_mode": merge_mode} if merge_mode else {}
    rates = {"dropout": 0.2, "input_dropout": 0.2, "recurrent_dropout": 0.2, "weight_drop": 0.2}
    body = Recurrent(kind, K, num_layers=2, cell_options=options, **merging, **rates)
    body.build((None, None, E))
    assign_random(body)
    layers = to_stock(body)
    assert len(layers) == 2
    assert_equal_where_real(body, layers, inputs)
    again = from_stock(layers)
    assert_equal_where_real(again, layers, inputs)
    for one, other in zip(again.get_weights(), body.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("merge_mode", [None, "concat", "ave"])
def test_the_last_output_is_what_stock_layers_give_without_sequences(merge_mode, inputs):
    layer = stock("gru", merge_mode=merge_mode, return_sequences=False)
    body = from_stock(layer)
    _, final_states = body(inputs, mask=MASK)
    expected = layer(inputs, mask=MASK)
    np.testing.assert_allclose(body.last_output(final_states), expected, atol=1e-5)


def test_the_weights_are_copies(inputs):
    layer = stock("lstm")
    body = from_stock(layer)
    before = np.array(body(inputs, mask=MASK)[0])
    assign_random(layer, seed=7)
    np.testing.assert_array_equal(body(inputs, mask=MASK)[0], before)
    assert np.abs(through([layer], inputs, MASK)[MASK] - before[MASK]).max() > 1e-3


def test_the_dtype_policy_goes_along():
    body = from_stock(stock("gru", dtype="mixed_bfloat16"))
    assert body.dtype_policy.name == "mixed_bfloat16"
    assert to_stock(body)[0].dtype_policy.name == "mixed_bfloat16"


def backward_unlike():
    layer = keras.layers.Bidirectional(
        LAYERS["gru"](K, return_sequences=True, name="ahead"),
        backward_layer=LAYERS["gru"](
            K, return_sequences=True, go_backwards=True, reset_after=False
        ),
        name="both",
    )
    layer.build((None, None, E))
    return layer


def not_merged():
    layer = keras.layers.Bidirectional(LAYERS["lstm"](K), merge_mode=None, name="both")
    layer.build((None, None, E))
    return layer


def turned():
    """Its first direction reads backwards and its second forwards."""
    layer = keras.layers.Bidirectional(
        LAYERS["lstm"](K, return_sequences=True, go_backwards=True),
        backward_layer=LAYERS["lstm"](K, return_sequences=True),
        name="both",
    )
    layer.build((None, None, E))
    return layer


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda: stock("lstm", activation="relu", name="one"), "'one' has activation='relu'"),
        (
            lambda: stock("gru", recurrent_activation="hard_sigmoid", name="one"),
            "'one' has recurrent_activation='hard_sigmoid'",
        ),
        (lambda: stock("gru", use_bias=False, name="one"), "'one' has use_bias=False"),
        (lambda: stock("simple_rnn", use_bias=False, name="one"), "'one' has use_bias=False"),
        (lambda: stock("lstm", go_backwards=True, name="one"), "'one' has go_backwards=True"),
        (lambda: stock("lstm", stateful=True, name="one", build=False), "'one' has stateful=True"),
        (lambda: stock("lstm", name="one", build=False), "'one' is not built: call it"),
        (lambda: keras.layers.Dense(2, name="one"), "'one' is of the kind Dense: take a stock"),
        (lambda: "lstm", "'lstm' is of the kind str: take a stock"),
        (lambda: [], "needs at least one stock Keras layer, got an empty list"),
        (backward_unlike, "backward layer of 'both' has cell_options={'reset_after': False} and"),
        (not_merged, "'both' has merge_mode=None.*set concat, sum, ave or mul"),
        (turned, "'both' has go_backwards=True"),
        (
            lambda: [stock("gru"), stock("gru", K, 5, name="two")],
            "'two' has units=5 and the lowest one 2: all layers .* must be alike",
        ),
        (
            lambda: [stock("gru"), stock("lstm", K, name="two")],
            "'two' has cell='lstm' and the lowest one 'gru'",
        ),
        (
            lambda: [stock("gru"), stock("gru", K, merge_mode="sum")],
            "has bidirectional=True and the lowest one False",
        ),
        (
            lambda: [stock("gru"), stock("gru", E, name="two")],
            "'two' reads inputs of size 3, but the layer below it gives 2",
        ),
    ],
)
def test_what_the_zoo_has_not_is_named_with_layer_and_option(layers, message):
    given = layers()
    if getattr(given, "stateful", False):
        given.build((B, T, E))
    with pytest.raises(zoo.InputError, match=message):
        from_stock(given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "min_gru"}, "the cell 'min_gru' of 'body' is none of stock Keras"),
        ({"cell": "lstm_peephole"}, "the cell 'lstm_peephole' of 'body' is none of stock Keras"),
        ({"residual": True}, "'body' has residual=True, which stock Keras layers have not"),
        ({"dense_layers": 2}, "'body' has dense_layers=2"),
        ({"zoneout": 0.1}, "'body' has zoneout=0.1"),
        ({"learned_initial_state": True}, "'body' has learned_initial_state=True"),
        ({"cell_options": {"cell_clip": 3.0}}, "'body' has cell_clip=3.0"),
    ],
)
def test_what_stock_keras_has_not_is_named_with_body_and_option(options, message):
    body = Recurrent(**{"cell": "lstm", "units": K, "name": "body", **options})
    body.build((None, None, E))
    with pytest.raises(zoo.InputError, match=message):
        to_stock(body)


def test_a_body_that_is_not_built_cannot_become_stock_layers():
    with pytest.raises(zoo.InputError, match="the body 'body' is not built: call it on inputs"):
        to_stock(Recurrent("lstm", K, name="body"))


def test_a_cell_that_only_has_the_name_of_a_stock_one_is_refused():
    with zoo.registry.registered("my_lstm", keras.layers.LSTMCell):
        body = Recurrent("my_lstm", K, name="body")
        body.build((None, None, E))
        with pytest.raises(zoo.InputError, match="the cell 'my_lstm' of 'body' is none of stock"):
            to_stock(body)
