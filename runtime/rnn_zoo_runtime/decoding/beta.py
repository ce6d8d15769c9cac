"""The incomplete beta function, which NumPy lacks: quantiles and probabilities of distributions."""

import math

import numpy as np

TERMS = 20_000  # of a continued fraction at most; about the root of the parameters are needed
CLOSE = 1e-15  # of its factors to 1, where it ends
TINY = 1e-300


def betainc(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The regularised incomplete beta function I_x(a, b) of arrays, float64.

    Its continued fraction is evaluated from the front, by Lentz's method; where it converges
    slowly, that of 1 - I_(1 - x)(b, a).

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 and 8.17.4.

    Example:
        >>> betainc(np.array([2.0]), np.array([3.0]), np.array([0.5])).round(6).tolist()
        [0.6875]
    """
    a, b, x = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (a, b, x)))
    swapped = x > (a + 1) / (a + b + 2)
    first, second = np.where(swapped, b, a), np.where(swapped, a, b)
    place = np.where(swapped, 1 - x, x)
    log_beta = lgamma(first) + lgamma(second) - lgamma(first + second)
    with np.errstate(divide="ignore"):
        powers = first * np.log(place) + second * np.log1p(-place)
    found = np.exp(powers - log_beta) / first * _fraction(first, second, place)
    return np.where(swapped, 1 - found, found)


def _fraction(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The continued fraction 1 / (1 + d_1 / (1 + d_2 / ...))."""
    value, above, below = np.ones_like(x), np.ones_like(x), np.zeros_like(x)
    for term in range(1, TERMS):
        m = term // 2
        if term % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        below, above = 1 + d * below, 1 + d / above
        below = 1 / np.where(np.abs(below) < TINY, TINY, below)
        above = np.where(np.abs(above) < TINY, TINY, above)
        value = value * above * below
        if (np.abs(above * below - 1) < CLOSE).all():
            break
    return 1 / value


def lgamma(values: np.ndarray) -> np.ndarray:
    """The logarithm of the gamma function of an array, float64."""
    found: np.ndarray = np.vectorize(math.lgamma, otypes=[np.float64])(values)
    return found
