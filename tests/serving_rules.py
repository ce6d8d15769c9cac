"""TensorFlow Serving's published rules for rows and batches, replayed on functions of tensors.

`row_format` follows json_tensor.cc: `{"instances": [...]}` become one tensor for each input, and
each output gives back one value for each instance. `batched` follows batching_session.cc and
batching_util.h: requests that wait are joined along the first dimension of every input, padded to
an allowed batch size, and the outputs are split again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Rows = dict[str, np.ndarray]


def functions_of(pipeline: Any) -> dict[str, Any]:
    """The functions of a pipeline's signatures, by name."""
    return {name: each.function for name, each in pipeline.signatures().items()}


class RuleBroken(AssertionError):
    """What a server would refuse."""


def check_spec(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Every input and output has the batch as its first dimension, of no fixed size."""
    if not inputs:
        raise RuleBroken("a signature without inputs has no batch")
    for name, spec in {**inputs, **outputs}.items():
        if spec.shape.rank is None or spec.shape.rank < 1:
            raise RuleBroken(f"{name} is a scalar: it has no batch dimension")
        if spec.shape[0] is not None:
            raise RuleBroken(f"{name} has a first dimension of fixed size {spec.shape[0]}")


def row_format(function: Any, instances: Sequence[Mapping[str, Any]]) -> list[Rows]:
    """The predictions for instances, which are named alike and of one shape: a row each."""
    names = set(instances[0])
    tensors = {}
    for name in names:
        values = [np.asarray(instance[name]) for instance in instances]
        if any(set(instance) != names for instance in instances):
            raise RuleBroken("all instances must have the same keys")
        if len({value.shape for value in values}) > 1:
            raise RuleBroken(f"instances of {name} have different shapes")
        tensors[name] = np.stack(values)
    outputs = run(function, tensors)
    for name, values in outputs.items():
        if values.ndim < 1 or len(values) != len(instances):
            raise RuleBroken(f"{name} has shape {values.shape} for {len(instances)} instances")
    rows = range(len(instances))
    return [{name: values[row : row + 1] for name, values in outputs.items()} for row in rows]


def batched(function: Any, requests: Sequence[Rows], allowed: int) -> list[Rows]:
    """Answers to requests that are joined to one batch of `allowed` rows."""
    sizes = []
    for request in requests:
        firsts = {values.shape[0] if values.ndim else None for values in request.values()}
        if len(firsts) > 1 or None in firsts:
            raise RuleBroken(f"the inputs of a request differ in dimension 0: {firsts}")
        sizes.append(firsts.pop())
    total = sum(sizes)
    joined = {}
    for name in requests[0]:
        parts = padded([request[name] for request in requests])
        parts.append(np.repeat(parts[0][:1], allowed - total, axis=0))  # fills the batch
        joined[name] = np.concatenate(parts)
    outputs = run(function, joined)
    for name, values in outputs.items():
        if values.ndim < 1 or len(values) != allowed:
            raise RuleBroken(f"{name} has shape {values.shape} for a batch of {allowed}")
    edges = np.cumsum(sizes)[:-1].tolist()
    split = {name: np.split(values[:total], edges) for name, values in outputs.items()}
    return [{name: parts[n] for name, parts in split.items()} for n in range(len(requests))]


def padded(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """`pad_variable_length_inputs`: all dimensions but the first made equal, with zeros or ""."""
    widest = np.max([part.shape[1:] for part in parts], axis=0).astype(int).tolist()
    filler = b"" if parts[0].dtype == object else 0
    return [
        np.pad(
            part,
            [
                (0, 0),
                *[(0, most - size) for most, size in zip(widest, part.shape[1:], strict=True)],
            ],
            constant_values=filler,
        )
        for part in parts
    ]


def run(function: Any, inputs: Rows) -> Rows:
    """The outputs of a function of named tensors, as NumPy arrays."""
    tensors = {name: tf.constant(values) for name, values in inputs.items()}
    return {name: np.asarray(values) for name, values in function(**tensors).items()}
