"""Every registered architecture in ONNX Runtime, and Keras models of other layers."""

import keras
import numpy as np
import pytest

import zoo
from tests.sweeps import swept
from tests.zoo.onnx.running import assert_same, run, session, written
from tests.zoo.onnx.test_models import assert_served, build
from zoo.errors import InputError
from zoo.onnx import architectures, decoders, series

SMALL = {"units": 6, "embedding_dim": 6}
TOPOLOGIES = {
    "one_to_one": (architectures.classifier, {"num_features": 5, "num_classes": 3}),
    "many_to_one": (architectures.classifier, {"vocabulary_size": 9, "num_classes": 3, **SMALL}),
    "many_to_many": (architectures.tagger, {"vocabulary_size": 9, "num_tags": 3, **SMALL}),
    "language_model": (
        architectures.language_model,
        {"vocabulary_size": 15, "explicit_states": True, "ar": 1.0, **SMALL},
    ),
    "one_to_many": (architectures.conditional, {"vocabulary_size": 9, "num_classes": 3, **SMALL}),
    "encoder_decoder": (
        decoders.encoder_decoder,
        {
            "source_vocabulary_size": 9,
            "target_vocabulary_size": 11,
            "bidirectional": False,
            **SMALL,
        },
    ),
    "ctc": (series.transcriber, {"input_dim": 2, "num_labels": 3, "units": 6}),
    "forecaster": (series.forecaster, {"input_dim": 2, "horizon": 4, "units": 6}),
}
NAMES = [(topology, name) for topology in TOPOLOGIES for name in zoo.names(topology=topology)]
FURTHER = {
    "numbers to text": (
        "encoder_decoder",
        {"source_vocabulary_size": None, "input_dim": 3, "missing": "indicator"},
    ),
    "one table": ("encoder_decoder", {"shared": True, "source_vocabulary_size": 11}),
    "auxiliary": ("many_to_many", {"head": "crf", "neighbour_words": 5, "auxiliary": {"x": 2}}),
    "tags of numbers": (
        "many_to_many",
        {"vocabulary_size": None, "num_tags": None, "num_outputs": 2, "input_dim": 2},
    ),
    "regression": (
        "many_to_one",
        {"vocabulary_size": None, "num_classes": None, "num_outputs": 2, "input_dim": 2},
    ),
}


@pytest.mark.parametrize(
    ("topology", "name"), swept(NAMES, lambda _, name: name in ("awd_lstm", "luong", "segrnn"))
)
def test_a_registered_architecture(topology, name):
    graphs_of, options = TOPOLOGIES[topology]
    graphs = graphs_of(zoo.build(name, **options))
    for each in graphs.values():
        found = run(session(each.file), **each.probe)
        assert set(found) == set(each.expected)
        for output, expected in each.expected.items():
            assert_same(expected, found[output])


@pytest.mark.parametrize("form", swept(FURTHER, lambda form: form in ("auxiliary", "regression")))
def test_further_options(form):
    topology, further = FURTHER[form]
    graphs_of, options = TOPOLOGIES[topology]
    graphs = graphs_of(build(topology, **{**options, **further}))
    assert_served(graphs, *graphs)


def test_stock_recurrent_layers_are_written():
    inputs = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.ops.not_equal(inputs, 0)
    vectors = keras.layers.Embedding(9, 5)(inputs)
    states = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))(
        vectors, mask=mask
    )
    last, h, c = keras.layers.LSTM(3, return_state=True)(states, mask=mask)
    outputs = [keras.layers.Dense(2, "relu")(last), h, c]
    model = keras.Model(inputs, outputs)
    draw = np.random.default_rng(0)
    model.set_weights([draw.normal(size=each.shape) for each in model.get_weights()])
    ids = np.array([[3, 4, 5, 6], [7, 2, 0, 0]], np.int32)
    found = run(session(written(model)), token_ids=ids)
    for expected, got in zip(model(ids), found.values(), strict=True):
        assert_same(expected, got)


def test_a_stock_layer_with_an_option_that_the_zoo_lacks_is_named():
    inputs = keras.Input((None, 2), name="values")
    model = keras.Model(inputs, keras.layers.LSTM(3, activation="relu", name="mine")(inputs))
    with pytest.raises(InputError, match="the layer 'mine' has activation='relu'"):
        written(model)
