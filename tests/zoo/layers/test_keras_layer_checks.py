"""Keras' own checks of a layer: building, configuration, symbolic calls, training, float16."""

import keras
import pytest
from keras import ops
from keras.src import testing

import zoo
from tests.references.cells import K, input_size
from tests.references.reference_cells import first_states
from tests.sweeps import swept
from zoo import layers
from zoo.layers.characters import CHARACTER_LAYERS
from zoo.registry import cell_class

B, T, E = 2, 3, 4
# the checks train from a generator, of which Keras says that it cannot shuffle it
pytestmark = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")


def masked(layer_class):
    """The layer as Keras' checks can call it, by inputs alone and with a flat tuple of results.

    Its mask is its own: all but the last step are real.
    """
    recurrent = issubclass(layer_class, layers.Direction | layers.Recurrent)

    class Masked(layer_class):
        def build(self, inputs_shape):
            super().build(inputs_shape)

        def call(self, inputs, training=False):
            mask = ops.repeat((ops.arange(T) < T - 1)[None], B, axis=0)
            if not recurrent:
                return super().call(inputs, mask)
            return tuple(keras.tree.flatten(super().call(inputs, mask, training=training)))

        def compute_output_spec(self, inputs, **arguments):
            mask = keras.KerasTensor(inputs.shape[:2], "bool")
            spec = super().compute_output_spec(inputs, mask)
            return tuple(keras.tree.flatten(spec)) if recurrent else spec

    return Masked


def check(layer_class, options, input_shape, **expected):
    testing.TestCase().run_layer_test(
        layer_class,
        options,
        input_shape=input_shape,
        custom_objects={layer_class.__name__: layer_class},
        **expected,
    )


@pytest.mark.parametrize(
    "name", swept(zoo.cell_names(), lambda name: name in ("elman", "gru", "rg_lru", "slstm"))
)
@pytest.mark.usefixtures("eagerly")
def test_every_cell_passes_the_checks_of_keras(name, pytestconfig):
    cell = cell_class(name)(K)
    cell.build((B, input_size(name)))
    check(
        keras.layers.RNN,
        {"cell": cell, "return_sequences": True},
        (B, T, input_size(name)),
        expected_output_shape=(B, T, K),
        expected_num_trainable_weights=len(cell.trainable_weights),
        expected_num_non_trainable_weights=0,
        supports_masking=not pytestconfig.getoption("--unmasked-rnn"),
    )


@pytest.mark.parametrize(
    ("options", "count"),
    swept(
        [
            ({"cell": "lstm"}, 3),
            ({"cell": "gru", "backwards": True, "recurrent_dropout": 0.25}, 3),
            ({"cell": "min_gru", "learned_initial_state": True, "input_dropout": 0.25}, 3),
        ],
        lambda options, count: options["cell"] == "min_gru",
    ),
    ids=["lstm", "gru", "min_gru"],
)
@pytest.mark.usefixtures("eagerly")
def test_a_direction_passes_the_checks_of_keras(options, count):
    check(
        masked(layers.Direction),
        {"units": K, **options},
        (B, T, E),
        expected_output_shape=((B, T, K), *[(B, len(s)) for s in first_states(options["cell"], K)]),
        expected_num_trainable_weights=count,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


@pytest.mark.usefixtures("eagerly")
def test_a_recurrent_body_passes_the_checks_of_keras():
    check(
        masked(layers.Recurrent),
        {"cell": "gru", "units": K, "num_layers": 2, "bidirectional": True, "dropout": 0.25},
        (B, T, E),
        expected_output_shape=((B, T, 2 * K), *[(B, K)] * 4),
        expected_num_trainable_weights=12,
        supports_masking=True,
    )


@pytest.mark.parametrize(
    ("kind", "count"),
    [(layers.MeanPooling, 0), (layers.MaxPooling, 0), (layers.AttentionPooling, 3)],
)
def test_a_pooling_passes_the_checks_of_keras(kind, count):
    check(
        masked(kind),
        {},
        (B, T, E),
        expected_output_shape=(B, E),
        expected_num_trainable_weights=count,
        run_training_check=count > 0,
        supports_masking=True,
    )


def test_an_embedding_passes_the_checks_of_keras():
    check(
        layers.TokenEmbedding,
        {"vocabulary_size": 5, "embedding_dim": E, "word_dropout": 0.25},
        (B, T),
        input_dtype="int32",
        expected_output_shape=(B, T, E),
        expected_num_trainable_weights=1,
        expected_num_seed_generators=1,
    )


@pytest.mark.parametrize("kind", ["cnn", "recurrent"])
def test_what_reads_letters_passes_the_checks_of_keras(kind):
    count = {"cnn": 3, "recurrent": 7}[kind]
    check(
        CHARACTER_LAYERS[kind],
        {"vocabulary_size": 5, "character_dim": 3, "units": 4},
        (B, T, 6),
        input_dtype="int32",
        expected_output_shape=(B, T, 4),
        expected_num_trainable_weights=count,
        supports_masking=True,
    )


def test_the_crf_passes_the_checks_of_keras():
    check(
        layers.CRF,
        {"num_tags": E},
        (B, T, E),
        expected_output_shape=(B, T + E + 3, E),
        expected_num_trainable_weights=3,
        expected_num_non_trainable_weights=0,
        supports_masking=True,
        run_mixed_precision_check=False,  # float32 by design; test_crf.py fits it in mixed bfloat16
    )
