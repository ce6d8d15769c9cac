"""The penalties on states: values against NumPy, token by token."""

import keras
import numpy as np
import pytest

import zoo
from tests.references.reference import mask_of, random_values
from zoo.layers import ActivationRegularization

LENGTHS = [4, 1, 0, 3]
STATES, DROPPED = random_values(4, 4, 2, seed=1), random_values(4, 4, 2, seed=2)
MASK = mask_of(LENGTHS, 4)
# what a layer before may leave in the padding must not count
STATES[~MASK] = 50
DROPPED[~MASK] = 70


def expected(ar, tar, lengths=LENGTHS):
    squares = [DROPPED[row, t] ** 2 for row, n in enumerate(lengths) for t in range(n)]
    changes = [
        (STATES[row, t] - STATES[row, t - 1]) ** 2
        for row, n in enumerate(lengths)
        for t in range(1, n)
    ]
    return sum(w * np.mean(v) for w, v in ((ar, squares), (tar, changes)) if v)


@pytest.mark.parametrize(("ar", "tar"), [(2.0, 0.0), (0.0, 3.0), (2, 1), (0.5, 0.25)])
def test_the_penalty_in_training_is_that_of_the_equation(ar, tar):
    layer = ActivationRegularization(ar, tar)
    given = layer(STATES, DROPPED, mask=MASK, training=True)
    np.testing.assert_array_equal(given, DROPPED)
    (penalty,) = layer.losses
    np.testing.assert_allclose(penalty, expected(ar, tar), rtol=1e-5)


def test_outside_of_training_nothing_is_added():
    layer = ActivationRegularization(2.0, 1.0)
    np.testing.assert_array_equal(layer(STATES, DROPPED, mask=MASK), DROPPED)
    assert layer.losses == []


@pytest.mark.parametrize("lengths", [[1, 1, 1, 1], [0, 0, 0, 0]])
def test_rows_without_a_change_and_without_a_token_give_finite_penalties(lengths):
    layer = ActivationRegularization(2.0, 1.0)
    layer(STATES, DROPPED, mask=mask_of(lengths, 4), training=True)
    np.testing.assert_allclose(layer.losses[0], expected(2.0, 0.0, lengths), rtol=1e-5)
    layer(STATES[:, :1], DROPPED[:, :1], mask=mask_of(lengths, 1), training=True)
    np.testing.assert_allclose(layer.losses[0], expected(2.0, 0.0, lengths), rtol=1e-5)


def test_padding_changes_no_penalty():
    layer = ActivationRegularization(2.0, 1.0)
    longer = [np.pad(values, [(0, 0), (0, 3), (0, 0)]) for values in (STATES, DROPPED)]
    layer(*longer, mask=mask_of(LENGTHS, 7), training=True)
    np.testing.assert_allclose(layer.losses[0], expected(2.0, 1.0), rtol=1e-5)


def test_several_calls_of_a_model_do_not_add_up():
    states, dropped = keras.Input((None, 2)), keras.Input((None, 2))
    mask = keras.Input((None,), dtype="bool")
    layer = ActivationRegularization(2.0, 1.0, name="penalty")
    model = keras.Model([states, dropped, mask], layer(states, dropped, mask=mask))
    assert model.losses == []
    for factor in (1.0, 1.0, 2.0):
        model([factor * STATES, factor * DROPPED, MASK], training=True)
        (penalty,) = model.losses
        np.testing.assert_allclose(penalty, factor**2 * expected(2.0, 1.0), rtol=1e-5)
    np.testing.assert_array_equal(model([STATES, DROPPED, MASK]), DROPPED)
    assert model.losses == []


def test_a_config_gives_the_same_layer_again():
    config = ActivationRegularization(2.0, 0.5, name="penalty").get_config()
    assert (config["ar"], config["tar"]) == (2.0, 0.5)
    assert ActivationRegularization.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((-1.0,), "ar must be a number of at least 0, got -1.0"),
        ((0.0, "1"), "tar must be a number of at least 0, got '1'"),
        ((True,), "ar must be a number of at least 0, got True"),
        ((0.0, float("nan")), "tar must be a number of at least 0, got nan"),
    ],
)
def test_a_wrong_weight_is_named_with_its_value(options, message):
    with pytest.raises(zoo.InputError, match=message):
        ActivationRegularization(*options)
