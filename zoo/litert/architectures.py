"""The graphs of each kind of model."""

from typing import Any

import keras
import numpy as np

from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.architectures.language_model import LanguageModel
from zoo.architectures.many_to_many import TaggingModel
from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.errors import InputError
from zoo.layers import States, named_states, nested_states
from zoo.litert import graphs
from zoo.litert.crf import best_path, emissions
from zoo.litert.graphs import LETTERS, Graph, Sizes
from zoo.onnx.models import inputs_of

TOKEN = {"token_ids": ((None,), "int32")}


def classifier(model: keras.Model, sizes: Sizes) -> dict[str, Graph]:
    """The graph `model` of a functional model -> `logits`."""
    return {"model": graphs.whole(model, sizes)}


def signals(model: keras.Model, can_stream: bool, sizes: Sizes) -> dict[str, Graph]:
    """The graph `model`: `values`, `lengths` -> `logits` (B, C); `start` and `step` of a stream.

    `step`: `value` (B, F), without NaN, and the states -> `logits` after it, and the states.
    """
    found = classifier(model, sizes)
    if can_stream:
        layers = {layer.name: layer for layer in model.layers}
        states = named_states(layers["encoder"].get_initial_states(sizes.rows))
        inputs = {"value": ((None, int(model.input["values"].shape[-1])), "float32")}

        def step(given: dict[str, Any], before: States) -> Any:
            values = layers["normalization"](given["value"][:, None])
            mask = keras.ops.ones_like(values[:, :, 0], dtype="bool")
            vectors = layers["observed"](values, mask)[:, 0]
            output, after = layers["encoder"].step(vectors, nested_states(before))
            return {"logits": layers["logits"](output)}, named_states(after)

        found["start"] = graphs.start(model, states)
        found["step"] = graphs.step(model, inputs, states, step)
    return found


def forecaster(model: Any, sizes: Sizes) -> dict[str, Graph]:
    """The graph `model` of a forecaster that forecasts all steps at once.

    The model's inputs -> `quantiles` (B, H, D, Q), or of a distribution `parameters` (B, H, D, P).

    Raises:
        InputError: The model draws step by step, or is an ensemble.
    """
    if isinstance(model, ForecasterEnsemble) or model.draws:
        raise InputError(
            "an ensemble of forecasters, or one that draws step by step, cannot be written as "
            "LiteRT: build one model with the decoder 'direct' or 'segment'"
        )
    name = "quantiles" if model.head.distribution is None else "parameters"
    return {"model": graphs.whole(model, sizes, lambda found, _: {name: found})}


def language_model(model: LanguageModel, sizes: Sizes) -> dict[str, Graph]:
    """The graphs `model`, `start` and `step` of a model with explicit states.

    `model`: `token_ids` (B, T) and the states -> `logits` (B, T, V) and the states after each row's
    last token; `step`: `token_ids` (B,) and the states -> `logits` (B, V) and the states.
    """
    states = model.initial_states(sizes.rows)
    return {
        "model": graphs.whole(model, sizes),
        "start": graphs.start(model, states),
        "step": _token_step(model, states),
    }


def conditional(model: ConditionalLanguageModel, sizes: Sizes) -> dict[str, Graph]:
    """The graphs `start` and `step` of a decoder of a class.

    `start`: `label_ids` int32 (B,) -> the states; `step` as in `language_model`.

    Raises:
        InputError: The decoder takes a vector.
    """
    if not model.num_classes:
        raise InputError("a decoder of vectors cannot be written as LiteRT: take one of classes")
    ids = np.arange(sizes.rows, dtype=np.int32) % model.num_classes
    begin = Graph(
        lambda given: model.initial_states(given["label_ids"]),
        {"label_ids": ids},
        graphs.weights_of(model),
    )
    return {"start": begin, "step": _token_step(model, model.initial_states(ids))}


def _token_step(model: LanguageModel, states: States) -> Graph:
    def step(given: dict[str, Any], own: States) -> Any:
        logits, after = model.step(given["token_ids"], own)
        return {"logits": logits}, after

    return graphs.step(model, TOKEN, states, step)


def tagger(model: TaggingModel, sizes: Sizes) -> dict[str, Graph]:
    """The graph `model`; `start` and `step` of a unidirectional one.

    `model`: the model's inputs -> `logits` (B, T, C); with a CRF also `tag_ids` int32 (B, T), those
    of the best path. `step`: the inputs of one token -> `logits` (B, C), with a CRF those of the
    sentence so far, and the states.
    """
    crf: Any = model.crf

    def best(logits: Any, given: dict[str, Any]) -> dict[str, Any]:
        mask = keras.ops.not_equal(given["token_ids"], 0)
        return {"logits": logits, "tag_ids": best_path(crf, logits, mask)}

    if crf is None:
        found = {"model": graphs.whole(model, sizes)}
    else:
        below = graphs.whole(emissions(model), sizes, best)
        found = {"model": below._replace(weights=graphs.weights_of(model))}
    if model.can_stream and "observed" not in model.layers_by_name():
        inputs = {
            name: ((None, *([LETTERS] if len(each.shape) > 2 else [])), each.dtype)
            for name, each in inputs_of(model).items()
        }

        def step(given: dict[str, Any], states: States) -> Any:
            scores, after = model.step({name: ids[:, None] for name, ids in given.items()}, states)
            return {"logits": scores}, after

        states = model.initial_states(sizes.rows)
        found["start"] = graphs.start(model, states)
        found["step"] = graphs.step(model, inputs, states, step)
    return found
