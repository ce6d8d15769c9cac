"""Copies pretrained weights into a model whose tables may have more rows."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.errors import InputError
from zoo.fine_tuning.parts import layers_by_part
from zoo.layers import TokenEmbedding
from zoo.text import UNK

OWN = ("rare_rates",)  # what a model takes from its own training data


class Growth(NamedTuple):
    """A table that is extended at its end.

    Attributes:
        layers: The names of the layers that have it, or whose outputs stand for its rows.
        before: The rows of the pretrained model.
        after: The rows of the new one.
        unknown: Whether the new rows are copies of that of UNK, not those of the new model.
    """

    layers: Sequence[str]
    before: int
    after: int
    unknown: bool = False


def weights_of(model: keras.Model) -> dict[str, list[tuple[str, np.ndarray]]]:
    """The weights of a model's layers: name -> the path of each weight, and its values.

    The states of random generators are left out.
    """
    return {
        layer.name: [(each.path, each.numpy()) for each in _weights(layer)]
        for layer in model.layers
        if _weights(layer)
    }


def _weights(layer: keras.layers.Layer) -> list[Any]:
    return [
        each
        for each in layer.variables
        if "seed_generator" not in each.path and each.path.rpartition("/")[2] not in OWN
    ]


def give_weights(
    pretrained: dict[str, list[tuple[str, np.ndarray]]],
    model: keras.Model,
    growths: Iterable[Growth] = (),
    new_head: bool = False,
) -> None:
    """Copies weights, as `weights_of` returns them, into a built model.

    A table that grows keeps its first rows; the others stay as the new model has them. A word
    without a learned vector of its own, of a model with pretrained vectors, gets that of UNK.

    Args:
        pretrained: The weights.
        model: The model that gets them.
        growths: The tables that may be larger in the new model.
        new_head: Leave the layers above the body as they are.

    Raises:
        InputError: A layer or a size differs: it is the model of another architecture.
    """
    allowed = {name: each for each in growths for name in each.layers}
    parts = layers_by_part(model)
    kept = {layer.name for layer in parts["head"]} if new_head else set()
    for layer in model.layers:
        mine = _weights(layer)
        if not mine or layer.name in kept:
            continue
        theirs = pretrained.get(layer.name, [])
        if len(mine) != len(theirs):
            if layer.name in {each.name for each in parts["head"]} and not theirs:
                continue  # an output that helps in training alone
            raise InputError(
                f"the layer {layer.name!r} has {len(mine)} weights, but {len(theirs)} in the "
                "pretrained model: start from one of the same architecture"
            )
        for variable, (_, values) in zip(mine, theirs, strict=True):
            variable.assign(_grown(layer, variable, values, allowed.get(layer.name)))
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # its mean and variance are copies of the weights


def _grown(
    layer: keras.layers.Layer, variable: Any, values: np.ndarray, growth: Growth | None
) -> np.ndarray:
    """Pretrained values in the shape of the new variable, whose other values stay."""
    shape = tuple(variable.shape)
    is_table = growth is not None and isinstance(layer, TokenEmbedding)
    if is_table and growth is not None and len(values) < growth.before:
        missing = np.repeat(values[UNK : UNK + 1], growth.before - len(values), axis=0)
        values = np.concatenate([values, missing])
    if values.shape == shape:
        return values
    differing = [
        axis for axis, (a, b) in enumerate(zip(values.shape, shape, strict=False)) if a != b
    ]
    axis = differing[0] if differing else 0
    fits = (
        growth is not None
        and len(values.shape) == len(shape)
        and len(differing) == 1
        and (values.shape[axis], shape[axis]) == (growth.before, growth.after)
    )
    if not fits:
        raise InputError(
            f"{variable.path} has the shape {shape}, but {values.shape} in the pretrained model: "
            "start from one of the same architecture and the same kind of data"
        )
    found = variable.numpy()
    if growth is not None and growth.unknown:
        found[:] = values[UNK]
    found[tuple(slice(0, size) for size in values.shape)] = values
    return np.asarray(found)
