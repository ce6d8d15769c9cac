"""Beginnings and endings of words: their rows worked out again in Python, letter by letter."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.sweeps import swept
from zoo.layers.affixes import Affixes
from zoo.losses import TokenCrossentropy

LETTERS = np.array(
    [
        [[7, 3, 9, 4, 6, 2], [5, 3, 0, 0, 0, 0], [8, 1, 1, 4, 6, 2]],
        [[9, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
    ]
)


def row_of(letters, size, buckets):
    """One affix's row: its letters, filled up with zeros, as digits of a number modulo M."""
    value = 0
    for letter in [*letters, *[0] * size][:size]:
        value = (1009 * value + int(letter)) % buckets
    return value


def expected(layer, letters):
    table, buckets = layer.embeddings.numpy(), layer.buckets
    result = np.zeros((*letters.shape[:2], table.shape[1] * table.shape[0] // buckets))
    for place in np.ndindex(letters.shape[:2]):
        word = [letter for letter in letters[place] if letter]
        if not word:
            continue
        kinds = [(word, n) for n in layer.prefixes] + [(word[::-1], n) for n in layer.suffixes]
        rows = [k * buckets + row_of(w, n, buckets) for k, (w, n) in enumerate(kinds)]
        result[place] = np.concatenate([table[row] for row in rows])
    return result


@pytest.mark.parametrize(
    "sizes",
    swept(
        [{}, {"buckets": 7}, {"prefixes": [2], "suffixes": [5, 8]}],
        lambda sizes: "prefixes" in sizes,
    ),
)
def test_the_vectors_are_those_of_the_rows_worked_out_by_hand(sizes):
    layer = Affixes(3, **sizes)
    layer.build(LETTERS.shape)
    for call in (layer, tf.function(layer), tf.function(layer, jit_compile=True)):
        found = np.array(call(tf.constant(LETTERS)))
        np.testing.assert_allclose(found, expected(layer, LETTERS), atol=1e-6)
    wide = np.pad(LETTERS, [(0, 0), (0, 1), (0, 3)])
    np.testing.assert_allclose(layer(wide), expected(layer, wide), atol=1e-6)


def test_words_of_one_ending_share_its_vectors_and_others_do_not():
    layer = Affixes(2, prefixes=[1], suffixes=[3])
    first, _, third = np.array(layer(LETTERS))[0]
    np.testing.assert_array_equal(first[2:], third[2:])
    assert np.abs(first[:2] - third[:2]).min() > 0


def test_the_largest_hash_does_not_overflow():
    layer = Affixes(1, buckets=2_000_000, prefixes=[4], suffixes=[])
    letters = np.array([[[1_999_999, 1_999_998, 1_999_997, 1_999_996]]])
    layer.build(letters.shape)
    number = np.array(layer._numbers(tf.constant(letters, "int32")))[0, 0, 0]
    assert number == row_of(letters[0, 0], 4, 2_000_000)
    with pytest.raises(zoo.InputError, match="buckets"):
        Affixes(1, buckets=2_000_001)


@pytest.mark.sweep
@pytest.mark.usefixtures("eagerly")
def test_a_tagger_learns_an_ending_that_its_other_inputs_hide(tmp_path):
    """All words are unknown; the last letter tells the tag. Saved and loaded it says the same."""
    keras.utils.set_random_seed(0)
    model = zoo.build("many_to_many", vocabulary_size=4, num_tags=3, affix_dim=4, units=8)
    rng = np.random.default_rng(0)
    letters = rng.integers(2, 9, (64, 5, 6))
    tags = letters[:, :, -1] % 3
    inputs = {"token_ids": np.ones((64, 5), "int32"), "character_ids": letters}
    model.compile(keras.optimizers.Adam(0.05), TokenCrossentropy(), metrics=["accuracy"])
    model.fit(inputs, tags, epochs=30, batch_size=32, verbose=0)
    assert (np.array(model(inputs)).argmax(-1) == tags).mean() > 0.99
    model.save(tmp_path / "tagger.keras")
    loaded = keras.models.load_model(tmp_path / "tagger.keras")
    np.testing.assert_allclose(np.array(loaded(inputs)), np.array(model(inputs)), atol=1e-6)
    with pytest.raises(zoo.InputError, match="affix_dim must be 0 or a positive int, got -1"):
        zoo.build("many_to_many", vocabulary_size=4, num_tags=3, affix_dim=-1)
