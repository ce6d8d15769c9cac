"""The embedding: rows of a table, zero in the padding, whole words dropped in training."""

import keras
import numpy as np
import pytest

import zoo
from tests.reference import random_values
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
    ],
)
def test_a_wrong_option_is_named_with_its_value(options, message):
    with pytest.raises(zoo.InputError, match=message):
        TokenEmbedding(*options)
