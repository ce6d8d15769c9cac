"""Attention against its definition, in NumPy: scores, weights, padding, coverage."""

import keras
import numpy as np
import pytest

from tests.references.reference import random_values
from tests.references.reference_translation import look
from tests.references.weights import assign_random
from zoo.errors import InputError
from zoo.layers import Attention

QUERIES, VALUES = random_values(3, 2, 4, seed=1), random_values(3, 5, 6, seed=2)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
COVERAGE = np.abs(random_values(3, 2, 5, seed=3))


def built(score, **options):
    values = VALUES[:, :, :4] if score == "dot" else VALUES
    layer = Attention(score, **options)
    layer(QUERIES, values, MASK, coverage=COVERAGE if options.get("coverage") else None)
    return assign_random(layer), values


@pytest.mark.parametrize("coverage", [False, True])
@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_contexts_and_weights_are_those_of_the_equations(score, coverage):
    layer, values = built(score, coverage=coverage)
    covered = COVERAGE if coverage else None
    contexts, weights = map(np.array, layer(QUERIES, values, MASK, coverage=covered))
    named = {w.path.rpartition("/")[2]: w.numpy() for w in layer.trainable_weights}
    for row, count in enumerate(MASK.sum(axis=1)):
        assert not np.any(weights[row, :, count:]), "padding has exactly nothing"
        for query in range(2):
            if not count:
                assert not np.any(contexts[row, query])
                continue
            seen = COVERAGE[row, query, :count] if coverage else None
            memory = values[row, :count].astype("float64")
            context, alpha = look(score, named, QUERIES[row, query], memory, seen)
            np.testing.assert_allclose(contexts[row, query], context, atol=1e-5)
            np.testing.assert_allclose(weights[row, query, :count], alpha, atol=1e-5)


def test_keys_may_be_made_once():
    layer, values = built("additive", units=3)
    keys = layer.project(values)
    assert keys.shape == (3, 5, 3)
    for one, other in zip(
        layer(QUERIES, values, MASK, keys=keys), layer(QUERIES, values, MASK), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_scores_of_any_size_give_no_nan_in_half_precision():
    layer = Attention("dot", dtype="float16")
    big = np.full((1, 3, 4), 90.0, "float16")
    contexts, weights = layer(big[:, :1], big, np.array([[True, True, False]]))
    np.testing.assert_allclose(np.array(weights), [[[0.5, 0.5, 0]]], atol=1e-3)
    assert np.all(np.isfinite(np.array(contexts)))


def test_it_is_saved_and_loaded_in_a_users_own_model(tmp_path):
    queries, values = keras.Input((None, 4)), keras.Input((None, 6))
    mask = keras.Input((None,), dtype="bool")
    contexts, _ = Attention("additive", units=3)(queries, values, mask=mask)
    model = keras.Model([queries, values, mask], contexts)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    given = [QUERIES, VALUES, MASK]
    np.testing.assert_array_equal(again(given), model(given))


def test_wrong_options_are_one_sentence():
    with pytest.raises(InputError, match="attention must be one of dot, general, additive"):
        Attention("scaled")
    with pytest.raises(InputError, match="attention_units must be a positive int, got 0"):
        Attention("additive", units=0)
    with pytest.raises(InputError, match="needs queries as wide as the memory, got 4 and 6"):
        Attention("dot")(QUERIES, VALUES, MASK)
