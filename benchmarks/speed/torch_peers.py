"""PyTorch's layers as peers; without PyTorch they are listed but not timed."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.speed.shapes import Shape
from benchmarks.speed.timing import Contender

try:
    import torch
except ImportError:
    torch = None

MISSING = "PyTorch is not installed (extra `benchmark`)"
LAYERS = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "RNN"}


def version() -> str:
    """PyTorch's version, or that it is missing."""
    return torch.__version__ if torch else "not installed"


def set_threads(count: int) -> None:
    """Sets the number of PyTorch's threads."""
    if torch:
        torch.set_num_threads(count)


def contender(
    kind: str, shape: Shape, arrays: list[np.ndarray], lengths: list[np.ndarray], passed: str
) -> Contender:
    """`nn.LSTM` and its like: full batches unchanged, others packed.

    Args:
        kind: A cell of `LAYERS`.
        shape: Sizes and kind.
        arrays: The batches, (B, T, E) each.
        lengths: The rows' lengths, (B,) for each batch.
        passed: `forward` or `train`.
    """
    packed = shape.kind != "full"
    name = f"PyTorch {LAYERS[kind]}" + (" packed" if packed else "")
    if torch is None:
        return Contender(name, None, MISSING)
    layer = getattr(torch.nn, LAYERS[kind])(shape.inputs, shape.units, batch_first=True)
    inputs = [torch.tensor(array, requires_grad=passed == "train") for array in arrays]
    counts = [torch.tensor(count, dtype=torch.int64) for count in lengths]
    reader = _packed_outputs(layer, shape.kind == "bucketed") if packed else _outputs(layer)
    call = _training if passed == "train" else _forward
    return Contender(name, call(layer, reader, list(zip(inputs, counts, strict=True))))


def _outputs(layer: Any) -> Callable[[Any, Any], Any]:
    return lambda values, _counts: layer(values)[0]


def _packed_outputs(layer: Any, is_sorted: bool) -> Callable[[Any, Any], Any]:
    def read(values: Any, counts: Any) -> Any:
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            values, counts, batch_first=True, enforce_sorted=is_sorted
        )
        return layer(packed)[0].data

    return read


def _training(layer: Any, reader: Any, batches: list[Any]) -> Callable[[], None]:
    def call() -> None:
        for values, counts in batches:
            layer.zero_grad()
            values.grad = None
            outputs = reader(values, counts)
            (outputs * outputs).sum().backward()

    return call


def _forward(layer: Any, reader: Any, batches: list[Any]) -> Callable[[], None]:
    def call() -> None:
        with torch.inference_mode():
            for values, counts in batches:
                reader(values, counts)

    return call
