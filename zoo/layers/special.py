"""Special functions that Keras lacks, and uniform numbers from two ints, on each backend.

TensorFlow and JAX have them all. PyTorch lacks the incomplete beta function: it is computed here.
"""

from typing import Any

import keras
from keras import ops

from zoo.errors import InputError

MOST_TERMS, AT_ONCE = 20_000, 20  # of a continued fraction; between two checks for its end
CLOSE = 1e-13
TINY = 1e-300


def widest() -> str:
    """The widest type of floats: float64, but float32 on JAX unless its `jax_enable_x64` is set."""
    if keras.backend.backend() == "jax":
        import jax

        return str(jax.dtypes.canonicalize_dtype("float64"))
    return "float64"


def lgamma(x: Any) -> Any:
    """The logarithm of the gamma function of positive numbers."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.math.lgamma(x)
    if backend == "jax":
        from jax.scipy.special import gammaln

        return gammaln(x)
    if backend == "torch":
        import torch

        return torch.lgamma(x)
    raise _without(backend)


def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularized incomplete beta function I_x(a, b); a and b positive, x in 0 to 1."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.math.betainc(a, b, x)
    if backend == "jax":
        from jax.scipy.special import betainc as of_jax

        return of_jax(a, b, x)
    return continued_betainc(a, b, x)


def continued_betainc(a: Any, b: Any, x: Any) -> Any:
    """`betainc` by its continued fraction, outside of graphs.

        I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) / (1 + d_1 / (1 + d_2 / (1 + ...)))
        d_2m = m (b - m) x / ((a + 2m - 1)(a + 2m)),
        d_2m+1 = -(a + m)(a + b + m) x / ((a + 2m)(a + 2m + 1))

    Where x is above (a + 1) / (a + b + 2) it is 1 - I_(1-x)(b, a), which converges sooner.

    Source: DLMF 8.17.22, by the method of Lentz (Applied Optics 15, 1976).
    """
    a, b, x = (ops.cast(each, widest()) for each in (a, b, x))
    swapped = x > (a + 1) / (a + b + 2)
    a, b, x = ops.where(swapped, b, a), ops.where(swapped, a, b), ops.where(swapped, 1 - x, x)
    upper = product = ops.ones_like(a + b + x)
    lower = ops.zeros_like(upper)
    for number in range(1, MOST_TERMS + 1):
        m = (number + 1) // 2
        if number % 2:
            m -= 1
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / _not_zero(1 + d * lower)
        upper = _not_zero(1 + d / upper)
        product = product * upper * lower
        if number % AT_ONCE == 0 and bool(ops.all(ops.abs(upper * lower - 1) < CLOSE)):
            break
    front = a * ops.log(_not_zero(x)) + b * ops.log1p(-x)
    front = front - (lgamma(a) + lgamma(b) - lgamma(a + b)) - ops.log(a)
    found = ops.where(x <= 0, 0.0, ops.exp(front) / product)
    return ops.where(swapped, 1 - found, found)


def uniforms(size: Any, seed: Any, low: float, high: float) -> Any:
    """Uniform numbers of a size that two ints (2,) determine, in the widest type."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.random.stateless_uniform(size, ops.cast(seed, "int32"), low, high, "float64")
    if backend == "jax":
        import jax

        seed = ops.cast(seed, "uint32")
        key = jax.random.fold_in(jax.random.key(seed[0]), seed[1])
        return jax.random.uniform(key, size, widest(), low, high)
    if backend == "torch":
        import torch

        first, second = (int(each) for each in ops.convert_to_numpy(ops.cast(seed, "int64")))
        draw = torch.Generator().manual_seed((first % 2**31 << 31) + second % 2**31)
        return low + (high - low) * torch.rand(tuple(size), generator=draw, dtype=torch.float64)
    raise _without(backend)


def _not_zero(values: Any) -> Any:
    return ops.where(ops.abs(values) < TINY, TINY, values)


def _without(backend: str) -> InputError:
    return InputError(
        f"distributions need gamma functions, which the backend {backend} of Keras lacks: set "
        "KERAS_BACKEND to tensorflow, jax or torch"
    )
