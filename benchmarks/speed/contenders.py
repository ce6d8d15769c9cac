"""Our layer, stock Keras' layers, and one large matrix product as the lower bound."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed import torch_peers
from benchmarks.speed.shapes import (
    Shape,
    batches_of_lengths,
    mask_of,
    product_sizes,
    rows_of_product,
)
from benchmarks.speed.timing import Contender
from zoo.layers import Recurrent

STOCK = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}


class Data:
    """The batches of a shape: random inputs, zero in the padding, with masks and lengths."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.lengths = batches_of_lengths(shape)
        masks = [mask_of(lengths) for lengths in self.lengths]
        generator = np.random.default_rng(0)
        self.arrays = [
            (generator.normal(size=(*mask.shape, shape.inputs)) * mask[..., None]).astype("float32")
            for mask in masks
        ]
        self.batches = [
            (tf.constant(array), tf.constant(mask))
            for array, mask in zip(self.arrays, masks, strict=True)
        ]


def peer_of(cell: str) -> str:
    """The cell whose stock layers a cell is compared with: its own, or the LSTM."""
    return cell if cell in STOCK else "lstm"


def contenders(cell: str, data: Data, passed: str) -> tuple[list[Contender], Contender]:
    """Ours and its peers, ours first; and the limit."""
    layer = Recurrent(cell, data.shape.units)
    ours = Contender("ours", tensorflow_call(layer, our_outputs(layer), data, passed))
    kind = peer_of(cell)
    peers = [
        _stock(kind, data, passed, jit=False),
        _stock(kind, data, passed, jit=True),
        torch_peers.contender(kind, data.shape, data.arrays, data.lengths, passed),
    ]
    return [ours, *peers], _limit(layer.directions[0][0].cell, data)


def our_outputs(layer: Recurrent) -> Callable[..., Any]:
    """`x, mask, training -> outputs` of the recurrent layer."""
    return lambda x, mask, training: layer(x, mask=mask, training=training)[0]


def stock_outputs(layer: Any, masked: bool) -> Callable[..., Any]:
    """The same of a stock layer, which needs no mask where nothing is padding."""
    return lambda x, mask, training: layer(x, mask=mask if masked else None, training=training)


def _stock(kind: str, data: Data, passed: str, jit: bool) -> Contender:
    options = {"return_sequences": True, "zero_output_for_mask": True}
    layer = getattr(keras.layers, STOCK[kind])(data.shape.units, **options)
    outputs = stock_outputs(layer, masked=data.shape.kind != "full")
    name = f"Keras {STOCK[kind]}" + (", XLA" if jit else "")
    return Contender(name, tensorflow_call(layer, outputs, data, passed, jit))


def tensorflow_call(
    layer: Any, outputs: Callable[..., Any], data: Data, passed: str, jit: bool = False
) -> Callable[[], None]:
    """`one_pass` over all batches, with the results waited for."""
    layer.build((None, None, data.shape.inputs))
    run = one_pass(layer, outputs, passed, jit)

    def call() -> None:
        for x, mask in data.batches:
            run(x, mask)[0].numpy()

    return call


def one_pass(layer: Any, outputs: Callable[..., Any], passed: str, jit: bool = False) -> Any:
    """The compiled pass `x, mask -> results`.

    Args:
        layer: Built; its weights get gradients, as do the inputs.
        outputs: `x, mask, training -> outputs`.
        passed: `forward` gives the outputs, `train` the gradients of the sum of their squares.
        jit: Let XLA compile the whole pass.
    """

    @tf.function(jit_compile=jit, autograph=False)
    def run(x: Any, mask: Any) -> list[Any]:
        if passed == "forward":
            return [outputs(x, mask, False)]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = outputs(x, mask, True)
            loss = tf.reduce_sum(y * y)
        return tape.gradient(loss, [x, *[weight.value for weight in layer.trainable_weights]])

    return run


def _limit(cell: Any, data: Data) -> Contender:
    """One product with the multiply-adds of the layer's own over the real tokens, forward."""
    inner, width = product_sizes(cell, data.shape)
    left = tf.random.normal((rows_of_product(data.lengths), inner))
    right = tf.random.normal((inner, width))
    product = tf.function(lambda a, b: tf.matmul(a, b), autograph=False)
    return Contender("its products alone", lambda: product(left, right).numpy(), peer=False)
