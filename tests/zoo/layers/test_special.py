"""Special functions that Keras lacks against scipy; other backends: tests/backends."""

import numpy as np
import pytest
import scipy.special

from zoo.errors import InputError
from zoo.layers import special


def test_the_continued_fraction_is_scipys_incomplete_beta_function():
    """Of a and b over 13 orders of magnitude, within some deviations of the mean."""
    draw = np.random.default_rng(0)
    a, b = 10 ** draw.uniform(-6, 7, 2000), 10 ** draw.uniform(0, 7, 2000)
    deviation = np.sqrt(a * b / (a + b) ** 2 / (a + b + 1))
    x = np.clip(a / (a + b) + draw.normal(size=2000) * deviation, 1e-9, 1 - 1e-9)
    found = np.array(special.continued_betainc(a, b, x))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, scipy.special.betainc(a, b, x), atol=1e-7)


@pytest.mark.parametrize(
    ("a", "b", "x", "expected"),
    [(2, 3, 0.0, 0.0), (2, 3, 1.0, 1.0), (1, 1, 0.3, 0.3), (0.5, 0.5, 0.5, 0.5), (3, 1, 0.1, 1e-3)],
)
def test_known_values_of_the_continued_fraction(a, b, x, expected):
    found = special.continued_betainc(*(np.array([each], "float64") for each in (a, b, x)))
    np.testing.assert_allclose(found, [expected], rtol=1e-12, atol=1e-15)


def test_a_backend_without_gamma_functions_is_named(monkeypatch):
    monkeypatch.setattr(special.keras.backend, "backend", lambda: "openvino")
    with pytest.raises(InputError, match="which the backend openvino of Keras lacks: set KERAS_"):
        special.lgamma(1.0)
