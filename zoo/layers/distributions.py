"""What a forecaster predicts: the parameters of a distribution, or quantiles that cannot cross.

A distribution turns the P raw outputs of a network at each step into parameters (..., P), on the
scale of the data. It is computed in float64 and rounded to float32: differences of the logarithms
of gamma functions at large counts have no correct digit in float32. JAX computes in float32 unless
its `jax_enable_x64` is set: there the likelihoods of counts are right to about a hundredth nat up
to 10,000, and to a tenth at 100,000.
"""

import math
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from zoo.errors import InputError
from zoo.layers import special
from zoo.layers.special import betainc, lgamma

FLOOR = 1e-4  # the smallest standard deviation, in units of the scale; so the loss is bounded
LEAST_MEAN = 1e-6  # the smallest mean of counts, in units of the scale
LEAST_DISPERSION = 1e-6
TURN = 2 * math.pi
LEAST = 1e-7  # of a uniform number
HALVINGS = 52  # of an interval that contains a quantile


class Distribution:
    """What all distributions have. Shapes: `...` are any axes, such as (B, H, F_out).

    Parameters and values that are NaN give NaN.

    Attributes:
        num_parameters: P, the number of raw outputs and of parameters.
    """

    num_parameters: ClassVar[int]

    def parameters(self, raw: Any, scale: Any, shift: Any = 0.0) -> Any:
        """Constrains raw outputs (..., P) of a network: parameters float32 (..., P).

        Args:
            raw: Numbers of any size, around 0 and 1 for values around `shift` and `scale`.
            scale: Positive, broadcast to (...): the size of the series' values.
            shift: Broadcast to (...): the level of the series' values.
        """
        raise NotImplementedError

    def negative_log_likelihood(self, parameters: Any, values: Any) -> Any:
        """The negative logarithm of the density at values (...): float32 (...), in nats."""
        raise NotImplementedError

    def mean(self, parameters: Any) -> Any:
        """The mean, float32 (...): the first parameter."""
        return parameters[..., 0]

    def quantile(self, parameters: Any, levels: Any) -> Any:
        """The quantiles at Q levels, each above 0 and below 1: float32 (..., Q)."""
        raise NotImplementedError

    def transformed(self, parameters: Any, uniforms: Any) -> Any:
        """Makes a value from two uniform numbers above 0 and below 1: float32 (...).

        Rows with the same parameters and the same `uniforms` (..., 2) have the same value, whatever
        else is drawn with them.
        """
        return self.quantile(parameters, _double(uniforms[..., :1]))[..., 0]

    def sample(self, parameters: Any, seed: Any) -> Any:
        """Draws one value from each distribution: float32 (...).

        Args:
            parameters: (..., P).
            seed: A `keras.random.SeedGenerator`, or two ints (2,) that determine the values, other
                ones on each backend.
        """
        seed = seed.next() if isinstance(seed, keras.random.SeedGenerator) else seed
        size = (*ops.shape(parameters)[:-1], 2)
        return self.transformed(parameters, special.uniforms(size, seed, LEAST, 1 - LEAST))


class Normal(Distribution):
    """The normal distribution; its parameters are `loc` and `scale`.

        loc = shift + scale raw_0,   sigma = scale (softplus(raw_1) + 1e-4)
        -log p(y) = (y - loc)^2 / (2 sigma^2) + log sigma + log(2 pi) / 2

    Example:
        >>> normal = Normal()
        >>> found = normal.parameters(ops.array([[0.0, 1.0]]), scale=2.0, shift=5.0)
        >>> normal.quantile(found, [0.5]).numpy().tolist()
        [[5.0]]
    """

    num_parameters: ClassVar[int] = 2

    def parameters(self, raw: Any, scale: Any, shift: Any = 0.0) -> Any:
        loc, sigma = _location_and_scale(raw, scale, shift)
        return _stacked(loc, sigma)

    def negative_log_likelihood(self, parameters: Any, values: Any) -> Any:
        loc, sigma = _parts(parameters)
        z = (_double(values) - loc) / sigma
        return _single(0.5 * z * z + ops.log(sigma) + 0.5 * math.log(2 * math.pi))

    def quantile(self, parameters: Any, levels: Any) -> Any:
        loc, sigma = _parts(parameters)
        return _single(loc[..., None] + sigma[..., None] * _standard_normal(_checked(levels)))

    def transformed(self, parameters: Any, uniforms: Any) -> Any:
        """Box and Muller's transformation (1958)."""
        loc, sigma = _parts(parameters)
        first, second = (_double(uniforms[..., place]) for place in (0, 1))
        return _single(loc + sigma * ops.sqrt(-2 * ops.log(first)) * ops.cos(TURN * second))


class StudentT(Distribution):
    """Student's t distribution, for values with outliers: `loc`, `scale` and the freedom `df`.

        loc = shift + scale raw_0,   sigma = scale (softplus(raw_1) + 1e-4)
        df = 2 + softplus(raw_2) + 1e-4,   z = (y - loc) / sigma
        -log p(y) = lgamma(df / 2) - lgamma((df + 1) / 2) + log(pi df) / 2 + log sigma
                    + (df + 1) / 2 log(1 + z^2 / df)

    With more than 2 degrees of freedom there is a variance, sigma^2 df / (df - 2).

    A quantile is found by halving an interval 52 times: it is between those of the normal
    distribution (df infinite) and of df = 2, which have closed forms.
    """

    num_parameters: ClassVar[int] = 3

    def parameters(self, raw: Any, scale: Any, shift: Any = 0.0) -> Any:
        loc, sigma = _location_and_scale(raw, scale, shift)
        return _stacked(loc, sigma, 2.0 + FLOOR + ops.softplus(_float(raw)[..., 2]))

    def negative_log_likelihood(self, parameters: Any, values: Any) -> Any:
        loc, sigma, df = _parts(parameters)
        z = (_double(values) - loc) / sigma
        constant = lgamma(0.5 * df) - lgamma(0.5 * (df + 1)) + 0.5 * ops.log(math.pi * df)
        return _single(constant + ops.log(sigma) + 0.5 * (df + 1) * ops.log1p(z * z / df))

    def quantile(self, parameters: Any, levels: Any) -> Any:
        loc, sigma, df = (each[..., None] for each in _parts(parameters))
        levels = _checked(levels)
        tail = ops.minimum(levels, 1 - levels)  # by symmetry the right half is enough
        zeros = ops.zeros_like(df * tail)
        low = zeros + _standard_normal(1 - tail)
        high = zeros + (1 - 2 * tail) / ops.sqrt(2 * tail * (1 - tail))

        def above(z: Any) -> Any:  # P(T > z) < tail
            return 0.5 * betainc(0.5 * df + zeros, 0.5 + zeros, df / (df + z * z)) < tail

        z = ops.sign(levels - 0.5) * _bisected(above, low, high)
        return _single(loc + sigma * z)

    def transformed(self, parameters: Any, uniforms: Any) -> Any:
        """Bailey's transformation, Mathematics of Computation 62 (1994)."""
        loc, sigma, df = _parts(parameters)
        first, second = (_double(uniforms[..., place]) for place in (0, 1))
        radius = ops.sqrt(df * ops.expm1(-2 / df * ops.log(first)))
        return _single(loc + sigma * radius * ops.cos(TURN * second))


class NegativeBinomial(Distribution):
    """The negative binomial distribution, for counts: the mean `mu` and the dispersion `alpha`.

        mu = scale (softplus(raw_0) + 1e-6),   alpha = (softplus(raw_1) + 1e-6) / sqrt(scale)
        r = 1 / alpha
        log p(y) = lgamma(y + r) - lgamma(y + 1) - lgamma(r)
                   - r log(1 + alpha mu) + y log(alpha mu / (1 + alpha mu))

    The variance is mu + alpha mu^2: the counts of Poisson's distribution where alpha is 0, with
    more spread where it is larger. Counts have no shift.

    A quantile is the smallest count whose cumulative probability reaches the level. It is found by
    halving an interval 52 times, whose end is Cantelli's bound: the mean and sqrt(level / (1 -
    level)) standard deviations.

    Raises:
        InputError: A shift is not 0.

    Source: Salinas, Flunkert and Gasthaus, DeepAR, arXiv:1704.04110, sections 3.1 and 3.3.
    """

    num_parameters: ClassVar[int] = 2

    def parameters(self, raw: Any, scale: Any, shift: Any = 0.0) -> Any:
        if not isinstance(shift, int | float) or shift != 0:
            raise InputError(
                "counts of the negative binomial distribution have no shift, got one: use the "
                "distribution normal or student_t for values with a level that is subtracted"
            )
        positive, scale = ops.softplus(_float(raw)), _float(scale)
        mu = scale * (positive[..., 0] + LEAST_MEAN)
        return _stacked(mu, (positive[..., 1] + LEAST_DISPERSION) / ops.sqrt(scale))

    def negative_log_likelihood(self, parameters: Any, values: Any) -> Any:
        mu, alpha = _parts(parameters)
        y, r = _double(values), 1 / alpha
        ways = lgamma(y + r) - lgamma(y + 1) - lgamma(r)
        odds = alpha * mu
        return _single(r * ops.log1p(odds) + y * ops.log1p(1 / odds) - ways)

    def quantile(self, parameters: Any, levels: Any) -> Any:
        mu, alpha = (each[..., None] for each in _parts(parameters))
        levels = _checked(levels)
        odds = alpha * mu
        zeros = ops.zeros_like(mu * levels)
        width = ops.sqrt(levels / (1 - levels)) * ops.sqrt(mu + odds * mu)

        r, p = 1 / alpha + zeros, 1 / (1 + odds) + zeros

        def above(count: Any) -> Any:  # P(Y <= count) >= level
            return betainc(r, ops.floor(count) + 1, p) >= levels

        return _single(ops.floor(_bisected(above, zeros, ops.ceil(mu + width) + 1)))


DISTRIBUTIONS: dict[str, Distribution] = {
    "normal": Normal(),
    "student_t": StudentT(),
    "negative_binomial": NegativeBinomial(),
}


@keras.saving.register_keras_serializable("zoo")
class OrderedQuantiles(keras.layers.Layer):
    """Quantiles that do not cross: the middle one, and distances from it outward.

        q_m = raw_m,   q_(i+1) = q_i + softplus(raw_(i+1)) for i >= m,
        q_(i-1) = q_i - softplus(raw_(i-1)) for i <= m

    Raw outputs (..., Q) -> quantiles (..., Q) of levels in increasing order, each at least the one
    before. m = (Q - 1) / 2, rounded down; with the level 0.5 there, the median is the raw output.

    Example:
        >>> OrderedQuantiles()(ops.array([[-30.0, 2.0, 30.0]])).numpy().round(3).tolist()
        [[2.0, 2.0, 32.0]]
    """

    def call(self, raw: Any) -> Any:
        middle = (raw.shape[-1] - 1) // 2
        center = raw[..., middle : middle + 1]
        distances = ops.softplus(raw)
        below = ops.flip(ops.cumsum(ops.flip(distances[..., :middle], axis=-1), axis=-1), axis=-1)
        above = ops.cumsum(distances[..., middle + 1 :], axis=-1)
        return ops.concatenate([center - below, center, center + above], axis=-1)

    def compute_output_shape(self, raw_shape: Any) -> Any:
        return raw_shape


def _location_and_scale(raw: Any, scale: Any, shift: Any) -> tuple[Any, Any]:
    raw, scale, shift = _float(raw), _float(scale), _float(shift)
    return shift + scale * raw[..., 0], scale * (ops.softplus(raw[..., 1]) + FLOOR)


def _stacked(*parts: Any) -> Any:
    zeros = sum(ops.zeros_like(part) for part in parts)  # of the shape of all together
    return ops.stack([part + zeros for part in parts], axis=-1)


def _parts(parameters: Any) -> list[Any]:
    return [_double(parameters[..., place]) for place in range(parameters.shape[-1])]


def _float(values: Any) -> Any:
    return ops.cast(values, "float32")


def _double(values: Any) -> Any:
    return ops.cast(values, special.widest())


def _single(values: Any) -> Any:
    return ops.cast(values, "float32")


def _checked(levels: Any) -> Any:
    """Levels as float64 (Q,); known ones are checked."""
    known = isinstance(levels, list | tuple | np.ndarray)
    if known and not all(0 < level < 1 for level in levels):
        raise InputError(f"levels of quantiles must be above 0 and below 1, got {list(levels)}")
    return _double(levels)


def _standard_normal(levels: Any) -> Any:
    return math.sqrt(2) * ops.erfinv(2 * levels - 1)


def _bisected(above: Any, low: Any, high: Any) -> Any:
    """The end of the smallest interval in which `above`, false and then true, becomes true."""

    def halved(_: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        first, last = ends
        middle = 0.5 * (first + last)
        reached = above(middle)
        return ops.where(reached, first, middle), ops.where(reached, middle, last)

    return ops.fori_loop(0, HALVINGS, halved, (low, high))[1]
