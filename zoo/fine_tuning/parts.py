"""The parts of a model from the bottom to the top, and what of them is frozen in which epoch."""

from typing import Any

import keras

from zoo.architectures.context import PREFIX
from zoo.errors import InputError
from zoo.fine_tuning.freezing import FREEZES, frozen_levels
from zoo.layers import Decoder, Recurrent
from zoo.layers.bridges import EncoderBridge, StateBridge

BODY = (
    Recurrent,
    Decoder,
    EncoderBridge,
    StateBridge,
    keras.layers.RNN,
    keras.layers.Bidirectional,
)
HIDDEN = "hidden_"  # the layers of a network without recurrence


def layers_by_part(model: keras.Model) -> dict[str, list[keras.layers.Layer]]:
    """The layers with weights by part: `embeddings`, `body`, `head`.

    The body are the recurrent layers, with the bridge between two of them, or the hidden layers of
    a network without recurrence. What they read is computed by the embeddings; the head is above
    them.

    Raises:
        InputError: The model has no body.
    """
    is_body = [_is_body(layer) for layer in model.layers]
    if not any(is_body):
        raise InputError(f"{model.name!r} has no recurrent layer: it cannot be fine-tuned in parts")
    last = max(place for place, inside in enumerate(is_body) if inside)
    found: dict[str, list[keras.layers.Layer]] = {"embeddings": [], "body": [], "head": []}
    for place, (layer, inside) in enumerate(zip(model.layers, is_body, strict=True)):
        part = "body" if inside else "embeddings" if place < last else "head"
        if layer.weights:
            found[part].append(layer)
    return found


def _is_body(layer: keras.layers.Layer) -> bool:
    """Whether a layer is of the body; one of a language model that a tagger reads is not."""
    is_recurrent = isinstance(layer, BODY) or layer.name.startswith(HIDDEN)
    return is_recurrent and not layer.name.startswith(PREFIX)


def levels(model: keras.Model) -> list[list[Any]]:
    """The trainable variables by level, bottom up: embeddings, each recurrent layer, head."""
    parts = layers_by_part(model)
    found = [[each for layer in parts["embeddings"] for each in layer.trainable_variables]]
    for layer in parts["body"]:
        found += _levels_of(layer)
    return [*found, [each for layer in parts["head"] for each in layer.trainable_variables]]


def _levels_of(layer: keras.layers.Layer) -> list[list[Any]]:
    """The trainable variables of a layer of the body; of a stack those of each of its layers."""
    if not isinstance(layer, Recurrent):
        return [layer.trainable_variables]
    found = [[each for one in row for each in one.trainable_variables] for row in layer.directions]
    found[-1] += [each for dense in layer.upper for each in dense.trainable_variables]
    return found


def schedule(
    model: keras.Model, freeze: str, unfreeze_every: int, layer_decay: float
) -> tuple[list[int], list[float]]:
    """When each trainable variable begins to train, and at which share of the learning rate.

    Every `unfreeze_every` epochs one more level is unfrozen, from the top down. A level's rate is
    `layer_decay` times that of the level above it.

    Returns:
        The first epoch, from 0, and the share of the rate, for each trainable variable of the model
        in its order.

    Source: Howard and Ruder, arXiv:1801.06146, sections 3.2 and 3.3.
    """
    found = levels(model)
    frozen, top = frozen_levels(len(found), freeze), len(found) - 1
    firsts, shares = {}, {}
    for number, variables in enumerate(found):
        waits = frozen - number if number < frozen and unfreeze_every else 0
        for variable in variables:
            firsts[id(variable)] = waits * unfreeze_every
            shares[id(variable)] = layer_decay ** (top - number)
    order = [id(variable) for variable in model.trainable_variables]
    return [firsts[key] for key in order], [shares[key] for key in order]


def freeze_layers(model: keras.Model, freeze: str) -> list[keras.layers.Layer]:
    """Freezes parts of a model whose optimizer is not built: no gradient is computed there.

    Returns:
        The layers that were not frozen before.
    """
    parts = layers_by_part(model)
    frozen = FREEZES[1 : FREEZES.index(freeze) + 1]
    found = [layer for part in frozen for layer in parts[part] if layer.trainable]
    for layer in found:
        layer.trainable = False
    return found
