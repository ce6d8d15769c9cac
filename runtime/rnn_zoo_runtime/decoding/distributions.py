"""The distributions of forecasters: quantiles, likelihoods and values of uniform numbers.

Parameters (..., P) are those of `zoo.layers.distributions`. All is computed in float64 and rounded
to float32.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np

from rnn_zoo_runtime.decoding.beta import betainc, lgamma

HALVINGS = 52  # of an interval that contains a quantile
TURN = 2 * math.pi


class Distribution(Protocol):
    """What all distributions have; `...` are any axes."""

    def quantile(self, parameters: np.ndarray, levels: Any) -> np.ndarray:
        """The quantiles at levels (Q,), or (..., Q), each above 0 and below 1: float32 (..., Q)."""

    def transformed(self, parameters: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Makes a value from two uniform numbers (..., 2): float32 (...)."""

    def negative_log_likelihood(self, parameters: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The negative logarithm of the density at values (...): float32 (...), in nats."""


class Normal:
    """The normal distribution: `loc` and `scale`."""

    def quantile(self, parameters: np.ndarray, levels: Any) -> np.ndarray:
        """Quantiles at levels: float32 (..., Q)."""
        loc, scale = (each[..., None] for each in _parts(parameters))
        return _single(loc + scale * _standard_normal(levels))

    def transformed(self, parameters: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Box and Muller's transformation (1958)."""
        loc, scale = _parts(parameters)
        first, second = _parts(uniforms)
        return _single(loc + scale * np.sqrt(-2 * np.log(first)) * np.cos(TURN * second))

    def negative_log_likelihood(self, parameters: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Negative log-likelihoods of values (...): float32 (...), in nats."""
        loc, scale = _parts(parameters)
        z = (values.astype(np.float64) - loc) / scale
        return _single(0.5 * z * z + np.log(scale) + 0.5 * math.log(TURN))


class StudentT:
    """Student's t distribution: `loc`, `scale` and the freedom `df`."""

    def quantile(self, parameters: np.ndarray, levels: Any) -> np.ndarray:
        """Quantiles at levels: float32 (..., Q)."""
        loc, scale, df = (each[..., None] for each in _parts(parameters))
        levels = np.asarray(levels, np.float64)
        tail = np.minimum(levels, 1 - levels)  # by symmetry the right half is enough
        zeros = np.zeros(np.broadcast_shapes(df.shape, tail.shape))
        low = zeros + _standard_normal(1 - tail)
        high = zeros + (1 - 2 * tail) / np.sqrt(2 * tail * (1 - tail))

        def above(z: np.ndarray) -> Any:  # P(T > z) < tail
            return 0.5 * betainc(0.5 * df + zeros, 0.5 + zeros, df / (df + z * z)) < tail

        return _single(loc + scale * np.sign(levels - 0.5) * _bisected(above, low, high))

    def transformed(self, parameters: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Bailey's transformation, Mathematics of Computation 62 (1994)."""
        loc, scale, df = _parts(parameters)
        first, second = _parts(uniforms)
        radius = np.sqrt(df * np.expm1(-2 / df * np.log(first)))
        return _single(loc + scale * radius * np.cos(TURN * second))

    def negative_log_likelihood(self, parameters: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Negative log-likelihoods of values (...): float32 (...), in nats."""
        loc, scale, df = _parts(parameters)
        z = (values.astype(np.float64) - loc) / scale
        constant = lgamma(0.5 * df) - lgamma(0.5 * (df + 1)) + 0.5 * np.log(math.pi * df)
        return _single(constant + np.log(scale) + 0.5 * (df + 1) * np.log1p(z * z / df))


class NegativeBinomial:
    """The negative binomial distribution of counts: the mean `mu` and the dispersion `alpha`."""

    def quantile(self, parameters: np.ndarray, levels: Any) -> np.ndarray:
        """The smallest count whose cumulative probability reaches the level."""
        mu, alpha = (each[..., None] for each in _parts(parameters))
        levels = np.asarray(levels, np.float64)
        odds = alpha * mu
        zeros = np.zeros(np.broadcast_shapes(mu.shape, levels.shape))
        width = np.sqrt(levels / (1 - levels)) * np.sqrt(mu + odds * mu)
        r, p = 1 / alpha + zeros, 1 / (1 + odds) + zeros

        def above(count: np.ndarray) -> Any:  # P(Y <= count) >= level
            return betainc(r, np.floor(count) + 1, p) >= levels

        # a shorter interval has one count in it
        return _single(np.floor(_bisected(above, zeros, np.ceil(mu + width) + 1, until=1.0)))

    def transformed(self, parameters: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """The quantile at the first number."""
        return self.quantile(parameters, uniforms[..., :1])[..., 0]

    def negative_log_likelihood(self, parameters: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Negative log-likelihoods of values (...): float32 (...), in nats."""
        mu, alpha = _parts(parameters)
        y, r, odds = values.astype(np.float64), 1 / alpha, alpha * mu
        ways = lgamma(y + r) - lgamma(y + 1) - lgamma(r)
        return _single(r * np.log1p(odds) + y * np.log1p(1 / odds) - ways)


DISTRIBUTIONS: dict[str, Distribution] = {
    "normal": Normal(),
    "student_t": StudentT(),
    "negative_binomial": NegativeBinomial(),
}


def _parts(parameters: np.ndarray) -> list[np.ndarray]:
    return [parameters[..., place].astype(np.float64) for place in range(parameters.shape[-1])]


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _standard_normal(levels: Any) -> np.ndarray:
    found: np.ndarray = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])(levels)
    return found


def _bisected(
    above: Callable[[np.ndarray], Any], low: np.ndarray, high: np.ndarray, until: float = 0.0
) -> np.ndarray:
    """The end of the smallest interval in which `above`, false and then true, becomes true.

    It ends early where all intervals are shorter than `until`.
    """
    for _ in range(HALVINGS):
        if np.max(high - low, initial=0.0) < until:
            break
        middle = 0.5 * (low + high)
        reached = above(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high
