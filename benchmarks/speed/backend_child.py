"""`python -m benchmarks.speed.backend_child`: times a layer beside Keras' own on Keras' backend.

It reads a job as JSON from its input and prints a row as JSON for each pass. `benchmarks.backends`
starts it with `KERAS_BACKEND`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from benchmarks.speed.shapes import parse_shape
from benchmarks.speed.timing import Contender, interleave, ratio, spread
from zoo.layers import Recurrent

STOCK = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}
PASSES = ("train", "forward")
Call = Callable[[], Any]


def our_layer(cell: str, units: int) -> tuple[Any, Callable[[Any], Any]]:
    """The zoo's layer, and what takes the outputs from what it returns."""
    return Recurrent(cell=cell, units=units), lambda found: found[0]


def stock_layer(cell: str, units: int) -> tuple[Any, Callable[[Any], Any]]:
    """Keras' layer; its GRU for a cell that Keras lacks."""
    return STOCK.get(cell, keras.layers.GRU)(units, return_sequences=True), lambda found: found


def on_jax(layer: Any, outputs: Callable[[Any], Any], inputs: Any) -> dict[str, Call]:
    """A compiled step of training, and a compiled forward pass."""
    import jax

    weights = [each.value for each in layer.trainable_variables]
    fixed = [each.value for each in layer.non_trainable_variables]

    def total(weights: Any, values: Any) -> Any:
        found, _ = layer.stateless_call(weights, fixed, values, training=True)
        return jax.numpy.sum(outputs(found) ** 2)

    step = jax.jit(jax.value_and_grad(total, argnums=(0, 1)))
    forward = jax.jit(lambda weights, values: layer.stateless_call(weights, fixed, values)[0])
    values = jax.numpy.asarray(inputs)
    return {
        "train": lambda: jax.block_until_ready(step(weights, values)),
        "forward": lambda: jax.block_until_ready(forward(weights, values)),
    }


def on_torch(layer: Any, outputs: Callable[[Any], Any], inputs: Any) -> dict[str, Call]:
    """A step of training, and a forward pass, as Keras runs them."""
    import torch

    values = torch.tensor(inputs, requires_grad=True)

    def train() -> None:
        layer.zero_grad()
        values.grad = None
        (outputs(layer(values, training=True)) ** 2).sum().backward()

    def forward() -> None:
        with torch.no_grad():
            layer(values)

    return {"train": train, "forward": forward}


def rows(job: dict[str, Any]) -> Any:
    """Yields the rows of a job."""
    calls_of = {"jax": on_jax, "torch": on_torch}[keras.backend.backend()]
    for name in job["shapes"]:
        shape = parse_shape(name)
        rng = np.random.default_rng(0)
        inputs = rng.normal(size=(shape.batch, shape.time, shape.inputs)).astype("float32")
        for cell in job["cells"]:
            calls = {}
            for kind, make in {"ours": our_layer, "stock": stock_layer}.items():
                layer, outputs = make(cell, shape.units)
                layer(keras.ops.convert_to_tensor(inputs))
                calls[kind] = calls_of(layer, outputs, inputs)
            for each in PASSES:
                both = [Contender(kind, found[each]) for kind, found in calls.items()]
                interleave(both, job["rounds"])
                ours, stock = both
                yield {
                    "labels": [keras.backend.backend(), shape.name, cell, each],
                    "ours": asdict(spread([1000 * second for second in ours.seconds])),
                    "stock": asdict(ratio(stock.seconds, ours.seconds)),
                }


if __name__ == "__main__":
    for row in rows(json.load(sys.stdin)):
        print(json.dumps(row), flush=True)
