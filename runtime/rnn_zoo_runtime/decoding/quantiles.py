"""Quantiles of a forecaster's distributions, from parameters (..., P), as the zoo computes them.

They are computed in float64 and rounded to float32.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

HALVINGS = 52  # of an interval that contains a quantile
TERMS = 20_000  # of a continued fraction at most; about the root of the parameters are needed
CLOSE = 1e-15  # of its factors to 1, where it ends
TINY = 1e-300


def normal(parameters: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Of the normal distribution: `loc` and `scale` (..., 2) and Q levels -> float32 (..., Q)."""
    loc, scale = (each[..., None] for each in _parts(parameters))
    return (loc + scale * _standard_normal(levels)).astype(np.float32)


def student_t(parameters: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Of Student's t: `loc`, `scale` and the freedom `df` (..., 3) -> float32 (..., Q)."""
    loc, scale, df = (each[..., None] for each in _parts(parameters))
    known = np.array(levels, np.float64)
    tail = np.minimum(known, 1 - known)  # by symmetry the right half is enough
    zeros = np.zeros(np.broadcast_shapes(df.shape, tail.shape))
    low = zeros + _standard_normal(1 - tail)
    high = zeros + (1 - 2 * tail) / np.sqrt(2 * tail * (1 - tail))

    def above(z: np.ndarray) -> np.ndarray:  # P(T > z) < tail
        beyond: np.ndarray = 0.5 * betainc(0.5 * df + zeros, 0.5 + zeros, df / (df + z * z)) < tail
        return beyond

    z = np.sign(known - 0.5) * _bisected(above, low, high)
    return (loc + scale * z).astype(np.float32)


def negative_binomial(parameters: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Of counts: the mean `mu` and the dispersion `alpha` (..., 2) -> float32 (..., Q).

    A quantile is the smallest count whose cumulative probability reaches the level.
    """
    mu, alpha = (each[..., None] for each in _parts(parameters))
    known = np.array(levels, np.float64)
    odds = alpha * mu
    zeros = np.zeros(np.broadcast_shapes(mu.shape, known.shape))
    width = np.sqrt(known / (1 - known)) * np.sqrt(mu + odds * mu)
    r, p = 1 / alpha + zeros, 1 / (1 + odds) + zeros

    def above(count: np.ndarray) -> np.ndarray:  # P(Y <= count) >= level
        reached: np.ndarray = betainc(r, np.floor(count) + 1, p) >= known
        return reached

    return np.floor(_bisected(above, zeros, np.ceil(mu + width) + 1)).astype(np.float32)


QUANTILES: dict[str, Callable[[np.ndarray, Sequence[float]], np.ndarray]] = {
    "normal": normal,
    "student_t": student_t,
    "negative_binomial": negative_binomial,
}


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
    log_beta = _lgamma(first) + _lgamma(second) - _lgamma(first + second)
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


def _parts(parameters: np.ndarray) -> list[np.ndarray]:
    return [parameters[..., place].astype(np.float64) for place in range(parameters.shape[-1])]


def _standard_normal(levels: Sequence[float] | np.ndarray) -> np.ndarray:
    return np.array([NormalDist().inv_cdf(float(level)) for level in levels])


def _lgamma(values: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.vectorize(math.lgamma, otypes=[np.float64])(values)
    return found


def _bisected(
    above: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The end of the smallest interval in which `above`, false and then true, becomes true."""
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        reached = above(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high
