"""The graphs of models that read series of numbers: classifiers, transcribers, forecasters."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.errors import InputError
from zoo.layers import States, named_states, nested_states
from zoo.layers.distributions import Normal
from zoo.onnx import served
from zoo.onnx.served import Served


def numbers(model: keras.Model) -> dict[str, Any]:
    """What a caller must know of the numbers that a model reads, for `runtime.json`."""
    layers = _layers(model)
    log_mel = layers.get("log_mel")
    return {
        "input_dim": int(model.input["values"].shape[-1]),
        "missing": layers["observed"].missing,
        "sample_rate": log_mel.sample_rate if log_mel else 0,
        "hop": log_mel.hop if log_mel else 1,
    }


def _layers(model: Any) -> Mapping[str, Any]:
    """A model's layers by name; of an ensemble those of its first member."""
    own = model.members[0] if isinstance(model, ForecasterEnsemble) else model
    return {layer.name: layer for layer in own.layers}


def transcriber(model: keras.Model) -> dict[str, Served]:
    """The graph `model`: `values` (B, T, F), `lengths` (B,) -> `logits` (B, T', C + 1)."""
    return {"model": served.whole(model, {})}


def classifier(model: keras.Model, can_stream: bool) -> dict[str, Served]:
    """The graph `model`: `values`, `lengths` -> `logits` (B, C); and `start`, `step` of a stream.

    `step`: `value` (B, F) and the states -> `logits` after it, and the new states.
    """
    found = {"model": served.whole(model, {})}
    if can_stream:
        layers = _layers(model)
        encoder = layers["encoder"]
        states = named_states(encoder.get_initial_states(1))
        inputs = {"value": ((None, int(model.input["values"].shape[-1])), "float32")}

        def step(given: dict[str, Any], before: States) -> Any:
            value = ops.convert_to_tensor(given["value"])
            mask = ops.ones_like(value[:, :1], dtype="bool")
            vectors = layers["observed"](layers["normalization"](value[:, None]), mask)[:, 0]
            output, after = encoder.step(vectors, nested_states(before))
            return {"logits": layers["logits"](output)}, named_states(after)

        found["start"] = served.start(model, states)
        found["step"] = served.step(model, inputs, states, step, {})
    return found


def forecaster(model: Any) -> dict[str, Served]:
    """The graph `model` of a forecaster that forecasts all steps at once.

    `values`, `lengths`, and `future`, `static` where the model has them -> `quantiles`
    (B, H, D, Q); of a distribution `parameters` (B, H, D, P), and `quantiles` of the normal one.

    Raises:
        InputError: The model forecasts step by step, by drawing from its own distribution.
    """
    if model.draws:
        raise InputError(
            "a forecaster with the decoder 'recurrent' draws each step from its own distribution, "
            "which is no ONNX graph: build one with the decoder 'direct' or 'segment', or export "
            "it as a SavedModel"
        )
    head, made = model.head, model.outputs
    if head.distribution is None:
        quantiles = made[0] if len(made) == 1 else ops.mean(ops.stack(made), axis=0)
        return {"model": served.whole(model, {}, {"quantiles": quantiles})}
    if len(made) > 1:
        raise InputError(
            "an ensemble of forecasters with distributions has no parameters of its own: write "
            "its members as ONNX, or build them with the output 'quantiles'"
        )
    found = {"parameters": made[0]}
    if isinstance(head.distribution, Normal):
        found["quantiles"] = head.distribution.quantile(made[0], head.quantiles)
    return {"model": served.whole(model, {}, found)}
