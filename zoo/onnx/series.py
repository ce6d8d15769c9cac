"""The graphs of models that read series of numbers: classifiers, transcribers, forecasters."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.architectures.forecaster_model import PARAMETERS, Window, vectors_of, window_of
from zoo.errors import InputError
from zoo.layers import States, named_states, nested_states
from zoo.layers.distributions import Normal
from zoo.onnx import models, served
from zoo.onnx.graph import BATCH, TIME
from zoo.onnx.served import Served


def numbers(model: keras.Model) -> dict[str, Any]:
    """What a caller must know of the numbers that a model reads, for `runtime.json`."""
    layers = _layers(model)
    log_mel = layers.get("log_mel")
    known = {
        "input_dim": int(model.input["values"].shape[-1]),
        "missing": layers["observed"].missing,
        "sample_rate": log_mel.sample_rate if log_mel else 0,
        "hop": log_mel.hop if log_mel else 1,
    }
    if "head" in layers:  # of a forecaster
        head = layers["head"]
        known |= {"levels": head.quantiles, "output": head.output_kind, "horizon": head.horizon}
    return known


def _layers(model: Any) -> Mapping[str, Any]:
    """A model's layers by name; of an ensemble those of its first member."""
    own = model.members[0] if isinstance(model, ForecasterEnsemble) else model
    return {layer.name: layer for layer in own.layers}


def transcriber(model: keras.Model) -> dict[str, Served]:
    """The graph `model`: `values` (B, T, F), `lengths` (B,) -> `logits` (B, T', C + 1)."""
    steps = TIME if numbers(model)["hop"] == 1 else "frames"
    return {"model": served.whole(model, {}, axes={"logits": [BATCH, steps]})}


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
    """The graphs of a forecaster.

    `model`, where all steps are forecast at once: `values`, `lengths`, and `future`, `static` where
    the model has them -> `quantiles` (B, H, D, Q); of a distribution `parameters` (B, H, D, P), and
    `quantiles` of the normal one.

    `step`, of a distribution in one direction: `value` (B, F), the covariates `next_future` (B, G)
    of the step after it and `static`, and the states -> the new states, among them `parameters`
    (B, D, P), the distribution of the next value. `start`: `streams` -> the states before the first
    value, where values are not scaled by their window; `read`, where the model forecasts step by
    step: `values`, `lengths`, `next_future`, `static` -> the states after them.

    Raises:
        InputError: The model forecasts step by step, each channel by itself, or is an ensemble of
            distributions.
    """
    head, made = model.head, model.outputs
    if head.distribution is None:
        quantiles = made[0] if len(made) == 1 else ops.mean(ops.stack(made), axis=0)
        return {"model": served.whole(model, {}, {"quantiles": quantiles})}
    if len(made) > 1:
        raise InputError(
            "an ensemble of forecasters with distributions has no parameters of its own: write "
            "its members as ONNX, or build them with the output 'quantiles'"
        )
    if model.draws:
        return {"read": _read(model), "step": _step(model)}
    outputs = {"parameters": made[0]}
    if isinstance(head.distribution, Normal):
        outputs["quantiles"] = head.distribution.quantile(made[0], head.quantiles)
    found = {"model": served.whole(model, {}, outputs)}
    if model.can_stream and not head.separate:
        states = _stream_states(model)
        found |= {"start": served.start(model, states), "step": _step(model)}
    return found


def _stream_states(model: Any) -> States:
    """The states of one row before the first value; those of its window where it has one."""
    layers, head = _layers(model), model.head
    if head.separate:
        raise InputError(
            "steps of a forecaster with channels 'separate' cannot be written as ONNX: build it "
            "with channels 'together', or export it as a SavedModel"
        )
    states = named_states(layers["encoder"].get_initial_states(1))
    if layers["window_scale"].kind != "none":
        size = (1, 1, int(model.input["values"].shape[-1]))
        states |= {"shift": ops.zeros(size), "scale": ops.ones(size)}
    return {**states, PARAMETERS: ops.ones((1, head.targets, head.size))}


def _known(model: Any) -> dict[str, tuple[Any, str]]:
    """The inputs of a step besides the value."""
    found: dict[str, tuple[Any, str]] = {}
    if "future" in model.input:
        found["next_future"] = ((None, int(model.input["future"].shape[-1])), "float32")
    if "static" in model.input:
        found["static"] = models.specs({"static": model.input["static"]})["static"]
    return found


def _read(model: Any) -> Served:
    """The graph that reads a window, and gives the states and the first value's distribution."""
    own = _stream_states(model)
    names = {name: model.input[name] for name in ("values", "lengths")}
    specs = {**models.specs(names), **_known(model)}
    layers = _layers(model)

    def read(given: dict[str, Any]) -> dict[str, Any]:
        window, mask = window_of(layers, given)
        vectors = vectors_of(layers, given["values"], mask, window)
        _, states, last = layers["encoder"](vectors, mask=mask, return_last=True)
        found = {**named_states(states), "shift": window.shift, "scale": window.scale}
        found[PARAMETERS] = _next(model, last, window, given)
        return {name: found[name] for name in own}

    file = models.graph_of(model, specs, lambda _, given: read(given))
    probe = served.probe_of(specs, {})
    return Served(file, probe, served.arrays(read(dict(probe))))


def _next(model: Any, output: Any, window: Window, given: dict[str, Any]) -> Any:
    """The parameters of the next value (B, D, P), from the body's output (B, K)."""
    known = given.get("next_future")
    known = None if known is None else known[:, None]
    return model._next(output[:, None], window, known)[:, 0]


def _step(model: Any) -> Served:
    """The graph that reads a value, and gives the distribution of the next one."""
    layers, states = _layers(model), _stream_states(model)
    inputs = {"value": ((None, int(model.input["values"].shape[-1])), "float32"), **_known(model)}

    def step(given: dict[str, Any], before: States) -> Any:
        values = given["value"][:, None]
        zeros = ops.zeros_like(values)
        static = given.get("static")
        if static is not None:
            static = layers["static_normalization"](static)
        shift, scale = before.get("shift", zeros), before.get("scale", zeros + 1.0)
        window = Window(shift, scale, static)
        mask = ops.ones_like(values[:, :, 0], dtype="bool")
        vectors = vectors_of(layers, values, mask, window)[:, 0]
        output, after = layers["encoder"].step(vectors, nested_states(before))
        new = {**before, **named_states(after)}
        return {}, {**new, PARAMETERS: _next(model, output, window, given)}

    return served.step(model, inputs, states, step, {})
