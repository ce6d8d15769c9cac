"""The embedding: rows of a table, zero in the padding, whole words dropped in training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import random_values
from zoo.layers import TokenEmbedding
from zoo.layers.embedding import UNK

V, E = 6, 3
TOKENS = np.array([[5, 2, 3, 0], [4, 0, 0, 0], [0, 0, 0, 0]])


def built(word_dropout=0.0, **options):
    """An embedding whose rows, PAD's own among them, are all different and none is zero."""
    layer = TokenEmbedding(V, E, word_dropout, **options)
    layer.build((None, None))
    layer.embeddings.assign(random_values(V, E, seed=2))
    return layer


def read_as(layer, token_ids, training):
    """Which row of the table each position shows: int (B, T), -1 = zeros."""
    table = np.concatenate([layer.embeddings.numpy(), np.zeros((1, E))])
    vectors = np.array(layer(token_ids, training=training))
    same = np.all(np.abs(vectors[:, :, None] - table) < 1e-6, axis=-1)
    assert np.all(same.sum(axis=-1) == 1)
    found = same.argmax(axis=-1)
    return np.where(found == V, -1, found)


@pytest.mark.parametrize("training", [False, True])
def test_a_token_is_its_row_and_padding_is_zero(training):
    shown = read_as(built(), TOKENS, training)
    np.testing.assert_array_equal(shown, np.where(TOKENS == 0, -1, TOKENS))


def test_word_dropout_does_nothing_in_inference():
    shown = read_as(built(0.9), TOKENS, training=False)
    np.testing.assert_array_equal(shown, np.where(TOKENS == 0, -1, TOKENS))


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_word_dropout_reads_the_right_share_of_real_tokens_as_unk(rate):
    keras.utils.set_random_seed(1)
    token_ids = np.random.default_rng(1).integers(2, V, (40, 200))
    token_ids[:, 150:] = 0
    shown = read_as(built(rate), token_ids, training=True)
    real = token_ids != 0
    assert np.all(shown[~real] == -1)
    assert np.all((shown == token_ids)[real] | (shown == UNK)[real])
    share = (shown == UNK)[real].mean()
    assert abs(share - rate) < 4 * np.sqrt(rate * (1 - rate) / real.sum())


def test_word_dropout_draws_anew_at_each_call():
    layer = built(0.5)
    token_ids = np.full((4, 50), 3)
    first, second = (read_as(layer, token_ids, training=True) for _ in range(2))
    assert np.any(first != second)


def test_a_config_gives_the_same_layer_again():
    config = TokenEmbedding(V, E, 0.25, name="embedding").get_config()
    assert TokenEmbedding.from_config(config).get_config() == config
    assert (config["vocabulary_size"], config["embedding_dim"]) == (V, E)
    assert config["word_dropout"] == 0.25


def test_half_precision_vectors_come_from_a_table_in_full_precision():
    layer = built(dtype="mixed_float16")
    assert layer.embeddings.dtype == "float32"
    assert layer(TOKENS).dtype == "float16"
    assert layer(keras.Input((None,), dtype="int32")).dtype == "float16"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((0, E), "vocabulary_size must be a positive int, got 0"),
        ((V, "3"), "embedding_dim must be a positive int, got '3'"),
        ((V, E, 1.0), "word_dropout must be a number .* got 1.0"),
        ((V, E, -0.1), "word_dropout must be a number .* got -0.1"),
        ((V, E, True), "word_dropout must be a number .* got True"),
        ((V, E, 0.0, V, 0, False, 0.0, 1.0), "type_dropout must be a number .* got 1.0"),
        ((V, E, 0.0, V, 0, False, 0.0, 0.0, 1), "gives_table must be True or False, got 1"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(options, message):
    with pytest.raises(zoo.InputError, match=message):
        TokenEmbedding(*options)


def both_tables(**options):
    """Learned vectors for 4 of 6 ids, pretrained ones for all."""
    layer = TokenEmbedding(V, E, learned_size=4, pretrained_dim=2, **options)
    layer.build((None, None))
    layer.embeddings.assign(random_values(4, E, seed=2))
    layer.set_pretrained(random_values(V, 2, seed=3))
    return layer


def test_pretrained_vectors_stand_beside_the_learned_ones():
    layer = both_tables()
    vectors = np.array(layer(TOKENS))
    learned, known = layer.embeddings.numpy(), layer.pretrained.numpy()
    np.testing.assert_array_equal(vectors[0, 1], [*learned[2], *known[2]])
    np.testing.assert_array_equal(vectors[0, 0], [*learned[UNK], *known[5]])
    np.testing.assert_array_equal(vectors[1, 1:], 0)
    assert layer.compute_output_spec(keras.Input((None,), dtype="int32")).shape[-1] == E + 2


@pytest.mark.parametrize("trainable", [False, True])
def test_pretrained_vectors_are_tuned_only_if_asked(trainable):
    layer = both_tables(pretrained_trainable=trainable)
    names = [weight.name for weight in layer.trainable_weights]
    assert names == ["embeddings", *["pretrained"] * trainable]
    assert layer.from_config(layer.get_config()).pretrained_trainable is trainable


def test_rare_words_are_hidden_by_their_counts_and_keep_their_pretrained_vector():
    keras.utils.set_random_seed(2)
    layer = both_tables(rare_dropout=0.5)
    layer.set_counts([9, 9, 1, 4])
    token_ids = np.random.default_rng(1).integers(2, V, (40, 500))
    vectors = np.array(layer(token_ids, training=True))
    hidden = np.all(vectors[:, :, :E] == layer.embeddings.numpy()[UNK], axis=-1)
    for token, expected in ((2, 0.5 / 1.5), (3, 0.5 / 4.5), (4, 1.0)):
        share = hidden[token_ids == token].mean()
        assert share == pytest.approx(expected, abs=0.03)
    np.testing.assert_array_equal(vectors[:, :, E:], layer.pretrained.numpy()[token_ids])
    shown = np.array(layer(token_ids))
    assert np.all(shown[token_ids == 2][:, :E] == layer.embeddings.numpy()[2])


def test_rare_words_are_hidden_by_no_share_before_counts_are_told():
    layer = TokenEmbedding(V, E, rare_dropout=0.5)
    np.testing.assert_array_equal(layer(TOKENS, training=True), layer(TOKENS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learned_size": V + 1}, "learned_size must be 2 to vocabulary_size .6., got 7"),
        ({"learned_size": 1}, "learned_size must be 2 to"),
        ({"pretrained_dim": -1}, "pretrained_dim must be a positive int, got -1"),
        ({"pretrained_trainable": 1}, "pretrained_trainable must be"),
        ({"rare_dropout": -0.5}, "rare_dropout must be 0 or a positive number, got -0.5"),
    ],
)
def test_a_wrong_option_of_both_tables_is_named(options, message):
    with pytest.raises(zoo.InputError, match=message):
        TokenEmbedding(V, E, **options)


def test_type_dropout_does_nothing_in_inference():
    np.testing.assert_array_equal(built(type_dropout=0.9)(TOKENS), built()(TOKENS))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_type_dropout_drops_a_token_in_all_its_places_and_scales_the_others(rate):
    keras.utils.set_random_seed(1)
    layer = TokenEmbedding(500, E, type_dropout=rate)
    layer.build((None, None))
    layer.embeddings.assign(random_values(500, E, seed=2))
    token_ids = np.random.default_rng(1).integers(0, 500, (20, 300))
    factors = []
    for _ in range(20):
        vectors = np.array(layer(token_ids, training=True))
        of_types = np.zeros(500)
        of_types[token_ids] = vectors[:, :, 0] / layer.embeddings.numpy()[token_ids, 0]
        expected = of_types[:, None] * layer.embeddings.numpy()
        np.testing.assert_allclose(vectors, expected[token_ids], atol=1e-5)
        factors.append(of_types[np.unique(token_ids[token_ids > 0])])
        assert not np.any(vectors[token_ids == 0])
    factors = np.array(factors)  # (draws, types)
    assert np.all(np.isclose(factors, 0) | np.isclose(factors, 1 / (1 - rate)))
    error = np.sqrt(rate / (1 - rate))  # of one factor; their mean is 1
    assert abs(factors.mean() - 1) < 4 * error / np.sqrt(factors.size)
    assert abs(factors.mean(axis=0).std() / error * np.sqrt(20) - 1) < 0.2, "drawn anew each time"
    assert abs(factors.mean(axis=1).std() / error * np.sqrt(499) - 1) < 0.6, "each for itself"


def test_type_dropout_leaves_pretrained_vectors_alone():
    layer = both_tables(type_dropout=0.9)
    plain, dropped = (np.array(layer(TOKENS, training=way)) for way in (False, True))
    np.testing.assert_array_equal(dropped[:, :, E:], plain[:, :, E:])
    assert np.any(dropped[:, :, :E] != plain[:, :, :E])


@pytest.mark.parametrize("training", [False, True])
def test_the_table_that_is_given_is_the_learned_one_whatever_is_dropped(training):
    layer = both_tables(type_dropout=0.5, gives_table=True)
    vectors, table = layer(TOKENS, training=training)
    np.testing.assert_array_equal(table, layer.embeddings.numpy())
    assert vectors.shape == (3, 4, E + 2)
    shown = layer(keras.Input((None,), dtype="int32"))
    assert [one.shape for one in shown] == [(None, None, E + 2), (4, E)]
    assert layer.from_config(layer.get_config()).get_config() == layer.get_config()


def test_gradients_flow_through_both_uses_of_a_table_that_is_given():
    layer = built(gives_table=True)
    first, second = random_values(3, 4, E, seed=5), random_values(V, E, seed=6)
    with tf.GradientTape() as tape:
        vectors, table = layer(TOKENS)
        total = tf.reduce_sum(first * vectors) + tf.reduce_sum(second * table)
    gradient = tf.convert_to_tensor(tape.gradient(total, layer.embeddings.value))
    expected = second.copy()
    for row, t in np.argwhere(TOKENS):
        expected[TOKENS[row, t]] += first[row, t]
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
