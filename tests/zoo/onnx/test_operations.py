"""Keras operations in ONNX Runtime against Keras, each on its own."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.zoo.onnx.running import assert_same, run, session, written
from zoo.errors import InputError

ACTIVATIONS = [
    *("elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_sigmoid"),
    *("log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus"),
    *("softsign", "tanh"),
]

OPERATIONS = {
    "arithmetic": lambda x, n: (x - 2) / (ops.abs(x) + 1) * x**2 + ops.maximum(x, 0.5) - 1.0 / 3,
    "comparisons": lambda x, n: ops.where((x > 0) & (x <= 1) | (n[:, :, None] != 2), x, -x),
    "exponentials": lambda x, n: ops.expm1(x) + ops.exp(-x) + ops.log(ops.square(x) + 1),
    "small expm1": lambda x, n: ops.expm1(x * 1e-5) * 1e5,
    "roots": lambda x, n: ops.rsqrt(ops.abs(x) + 1) + ops.sqrt(ops.abs(x)) + ops.sign(x),
    "reductions": lambda x, n: ops.sum(x, axis=1) + ops.mean(x, axis=1) - ops.max(x, axis=1),
    "logsumexp": lambda x, n: ops.logsumexp(x * 100, axis=-1, keepdims=True),
    "any and all": lambda x, n: ops.equal(ops.any(x > 1, axis=1), ops.all(x > -1, axis=1)),
    "slices": lambda x, n: x[:, 1:, None, ::2] + x[:, :1, ..., -1:, None],
    "backwards": lambda x, n: x[:, ::-1, 1] + ops.flip(x, axis=1)[..., 0],
    "parts": lambda x, n: ops.concatenate(ops.split(x, [1, 3], axis=-1)[::-1], axis=-1),
    "stacks": lambda x, n: (
        ops.stack([x, -x], axis=1) + ops.stack(ops.unstack(x, axis=2), axis=2)[:, None]
    ),
    "shapes": lambda x, n: ops.transpose(
        ops.reshape(ops.moveaxis(x, 2, 1), (-1, 2, 2, 3)), (0, 3, 1, 2)
    ),
    "repeats": lambda x, n: ops.tile(x, (1, 2, 1)) + ops.repeat(x, 2, axis=1),
    "pad": lambda x, n: ops.pad(x, ((0, 0), (1, 0), (0, 2)), constant_values=7.0),
    "cumsum": lambda x, n: ops.cumsum(x, axis=1) + ops.clip(x, -0.5, 0.5),
    "take": lambda x, n: ops.take(np.eye(4, dtype="float32"), n, axis=0) + ops.one_hot(n, 4),
    "take along": lambda x, n: ops.take_along_axis(x, ops.cast(n % 3, "int32")[:, :, None], axis=2),
    "argmax": lambda x, n: ops.argmax(x, axis=-1) + ops.zeros_like(n) + ops.ones_like(n) // 2,
    "missing": lambda x, n: ops.isfinite(ops.log(x)) | ops.isnan(x),
    "casts": lambda x, n: ops.cast(x > 0, "float32") * ops.cast(n, "float32")[:, :, None],
}


def assert_written(function):
    inputs = keras.Input((3, 4), name="x"), keras.Input((3,), dtype="int32", name="n")
    model = keras.Model(inputs, function(*inputs))
    draw = np.random.default_rng(0)
    x = draw.normal(size=(2, 3, 4)).astype("float32")
    n = draw.integers(0, 4, (2, 3)).astype("int32")
    found = run(
        session(written(model)),
        **{each.name: v for each, v in zip(inputs, (x, n), strict=True) if used(model, each)},
    )
    assert_same(function(x, n), found["out_0"])


def used(model, tensor):
    return any(each is tensor for each in model.inputs)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation(name):
    assert_written(OPERATIONS[name])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation(name):
    assert_written(lambda x, n: keras.activations.get(name)(x))


def test_relu_with_a_threshold_is_refused():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.activations.relu(inputs, threshold=1.0))
    with pytest.raises(InputError, match="relu with a threshold"):
        written(model)


def test_a_reshape_to_several_dynamic_sizes_is_refused():
    inputs = keras.Input((None, 4))
    outputs = ops.reshape(inputs, (None, 2, None))
    with pytest.raises(InputError, match="a reshape to several dynamic sizes"):
        written(keras.Model(inputs, outputs))
