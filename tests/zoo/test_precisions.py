"""Every layer in every precision, in training: a result of the right dtype, finite gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.references.reference import mask_of, random_values
from tests.sweeps import swept
from zoo import layers
from zoo.layers.affixes import Affixes
from zoo.layers.characters import CharacterCNN, CharacterRNN
from zoo.registry import registered

B, T, E, K = 2, 4, 3, 4
IDS = np.array([[2, 3, 4, 0], [1, 2, 0, 0]])
LETTERS = np.array([[[2, 3, 0], [1, 0, 0], [4, 4, 4], [0, 0, 0]]] * B)
VALUES = random_values(B, T, E, seed=1)
MASK = mask_of([3, 2], T)
DROPOUTS = {"dropout": 0.25, "input_dropout": 0.25, "recurrent_dropout": 0.25, "weight_drop": 0.25}
POLICIES = ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16"]


def states_of(layer_class, *arguments, **options):
    """Calls a bridge and gives the first state."""
    return lambda values: layer_class(*arguments, **options)(values)[0][0][0]


def embedded(**options):
    layer = layers.TokenEmbedding(5, E, **options)
    layer.build((None, None))
    if layer.rare_dropout:
        layer.set_counts([0, 0, 1, 2, 30])
    return layer


def decoded(vectors, **options):
    decoder = layers.Decoder("lstm", K, **options)
    start = [[[tf.zeros((B, K), decoder.compute_dtype)] * 2]] * decoder.options.num_layers
    given = {"states": start, "values": vectors, "memory_mask": MASK}
    return decoder(vectors, mask=MASK, training=True, **given)


TRAINED = {
    "embedding_words": lambda _: embedded(word_dropout=0.5)(IDS, training=True),
    "embedding_rare": lambda _: embedded(rare_dropout=1.0, pretrained_dim=2)(IDS, training=True),
    "embedding_types": lambda _: embedded(type_dropout=0.5, gives_table=True)(IDS, training=True),
    "affixes": lambda _: Affixes(2, buckets=20)(LETTERS),
    "letters_cnn": lambda _: CharacterCNN(5, 3, 4, 0.5, widths=(2, 3))(LETTERS, training=True),
    "letters_rnn": lambda _: CharacterRNN(5, 3, 4, 0.5)(LETTERS, training=True),
    "lstm": lambda x: layers.Recurrent("lstm", K, bidirectional=True, num_layers=2, **DROPOUTS)(
        x, mask=MASK, training=True
    )[0],
    "slstm_zoneout": lambda x: layers.Recurrent("slstm", K, zoneout=0.25)(
        x, mask=MASK, training=True
    )[0],
    "rg_lru": lambda x: layers.Recurrent("rg_lru", K, learned_initial_state=True)(
        x, mask=MASK, training=True
    )[0],
    "lru": lambda x: layers.Recurrent("lru", K)(x, mask=MASK, training=True)[0],
    "mlstm": lambda x: layers.Recurrent("mlstm", K, cell_options={"num_heads": 2})(
        x, mask=MASK, training=True
    )[0],
    "gated_delta_net": lambda x: layers.Recurrent("gated_delta_net", K)(
        x, mask=MASK, training=True
    )[0],
    # an orthogonal matrix, the stock cell's default, cannot be made in bfloat16
    "keras_cell": lambda x: layers.Recurrent(
        "test_lstm", K, cell_options={"recurrent_initializer": "glorot_uniform"}
    )(x, mask=MASK, training=True)[0],
    "dense_layers": lambda x: layers.Recurrent("gru", K, dense_layers=1)(
        x, mask=MASK, training=True
    )[0],
    "mean": lambda x: layers.MeanPooling()(x, mask=MASK),
    "max": lambda x: layers.MaxPooling()(x, mask=MASK),
    "attention_pooling": lambda x: layers.AttentionPooling()(x, mask=MASK),
    "attention": lambda x: layers.Attention("additive", coverage=True)(
        x, x, MASK, coverage=tf.zeros((B, T, T), x.dtype)
    ),
    "decoder": lambda x: decoded(x),
    "decoder_coverage": lambda x: decoded(x, coverage=True, input_feeding=True, dropout=0.25),
    "decoder_first": lambda x: decoded(x, queries="first", num_layers=2, **DROPOUTS),
    "state_bridge": states_of(layers.StateBridge, "slstm", K),
    "row_dropout": lambda x: layers.RowDropout(0.5)(x[:, 0], training=True),
    "crf": lambda x: layers.CRFLoss()(np.zeros((B, T), int), layers.CRF(E)(x, mask=MASK)),
    "regularization": lambda x: layers.ActivationRegularization(1.0, 1.0)(
        x, x, mask=MASK, training=True
    ),
    "logits": lambda x: layers.TokenLogits(5)(x, target_ids=IDS, training=True),
    "logits_sampled": lambda x: layers.TokenLogits(50, sampled=16)(
        x, target_ids=IDS, training=True
    ),
}
FLOAT32 = {"crf", "logits", "logits_sampled"}  # by design


@pytest.fixture(autouse=True)
def stock_cell():
    with registered("test_lstm", keras.layers.LSTMCell):
        yield


@pytest.mark.parametrize(
    "policy", swept(POLICIES, lambda policy: policy in ("mixed_bfloat16", "float16"))
)
@pytest.mark.parametrize("name", TRAINED)
def test_a_layer_trains_in_every_precision(name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        compute = keras.config.dtype_policy().compute_dtype
        inputs = tf.constant(VALUES, compute)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = keras.tree.flatten(TRAINED[name](inputs))
            loss = tf.add_n([tf.reduce_sum(tf.cast(each, "float32")) for each in results])
        watched = [inputs, *tape.watched_variables()]
        gradients = [each for each in tape.gradient(loss, watched) if each is not None]
    finally:
        keras.config.set_dtype_policy("float32")
    assert results[0].dtype == ("float32" if name in FLOAT32 else compute)
    assert gradients and np.isfinite(float(loss))
    for gradient in gradients:
        assert np.all(np.isfinite(np.array(tf.convert_to_tensor(gradient), "float32")))


@pytest.mark.parametrize("policy", POLICIES)
def test_scheduled_sampling_draws_in_every_precision(policy):
    layer = layers.ScheduledSampling(0.5, dtype=policy)
    logits = tf.constant(random_values(B, T, 5), layer.compute_dtype)
    ids = np.array(layer(tf.constant(IDS), logits, training=True))
    np.testing.assert_array_equal(ids == 0, IDS == 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_rare_words_are_hidden_as_often_in_every_precision(policy):
    """A rate that bfloat16 cannot hold: 1 / (1 + 2000)."""
    layer = layers.TokenEmbedding(5, 1, rare_dropout=1.0, dtype=policy)
    layer.build((None, None))
    layer.embeddings.assign([[0.0], [1.0], [0.0], [0.0], [0.0]])
    layer.set_counts([0, 0, 2000, 0, 0])
    rare = np.full((1, 1000), 3)
    hidden = np.array(layer(rare, training=True), "float32")
    assert hidden.mean() == 1.0, "a word that never occurs is always hidden"
    often = np.array(layer(np.full((1, 4000), 2), training=True), "float32")
    assert 0 <= often.sum() <= 12  # 2 on average
