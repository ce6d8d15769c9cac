"""The graphs of each kind of model."""

from typing import Any

import keras

from zoo.architectures.language_model import LanguageModel
from zoo.architectures.many_to_many import TaggingModel
from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.layers import States, named_states
from zoo.onnx import models, served
from zoo.onnx.crf import best_path
from zoo.onnx.served import Served
from zoo.onnx.trace import Trace

IDS = {"token_ids": ((None,), "int32")}


def sizes_of(model: keras.Model) -> dict[str, int]:
    """The number of ids of each input, as far as a layer says so."""
    layers = {layer.name: layer for layer in model.layers}
    found = {"class_ids": 0, "casing_ids": 8}
    for name, names in (
        ("token_ids", ("embedding", "context_embedding", "target_embedding")),
        ("source_ids", ("source_embedding", "target_embedding")),
        ("character_ids", ("characters", "context_characters")),
    ):
        known = [getattr(layers.get(each), "vocabulary_size", None) for each in names]
        found[name] = min((size for size in known if size), default=2)
    if "condition" in layers:
        found["class_ids"] = getattr(layers["condition"], "input_dim", 2)
    return {name: max(2, size) for name, size in found.items()}


def classifier(model: keras.Model, sparse: bool = False) -> dict[str, Served]:
    """The graph `model` of a functional model -> `logits`.

    With `sparse` most numbers of the inputs, float (B, D), are 0.
    """
    return {"model": served.whole(model, sizes_of(model), sparse=sparse)}


def tagger(model: TaggingModel) -> dict[str, Served]:
    """The graph `model`, with a CRF also its best path; `start` and `step` of a unidirectional one.

    `model`: the model's inputs -> `logits` (B, T, C); with a CRF `tag_ids` int32 (B, T),
    `confidence` (B, T) and `log_probability` (B,) besides. `step`: the inputs of one token ->
    `logits` (B, C), with a CRF those of the sentence so far, and the states.
    """
    model = model.without_auxiliary()
    found = {
        "model": served.whole(model, sizes_of(model)) if model.crf is None else _with_crf(model)
    }
    if model.can_stream and "observed" not in model.layers_by_name():
        inputs = {
            name: ((shape[0], *shape[2:]), dtype)
            for name, (shape, dtype) in models.specs(models.inputs_of(model)).items()
        }

        def step(given: dict[str, Any], states: States) -> Any:
            scores, after = model.step({name: ids[:, None] for name, ids in given.items()}, states)
            return {"logits": scores}, after

        states = model.initial_states(1)
        found["start"] = served.start(model, states)
        found["step"] = served.step(model, inputs, states, step, sizes_of(model))
    return found


def _with_crf(model: TaggingModel) -> Served:
    """A tagger's graph with the CRF's best path."""
    crf: Any = model.crf
    _, place, _ = model.output._keras_history
    arguments = crf._inbound_nodes[place].arguments
    logits = arguments.args[0]
    mask = arguments.kwargs.get("mask", arguments.args[1] if len(arguments.args) > 1 else None)
    inputs = models.inputs_of(model)

    def run(trace: Trace, given: dict[str, Any]) -> dict[str, Any]:
        for name, tensor in inputs.items():
            trace.bind(tensor, trace.name(given[name]))
        found = best_path(trace.graph, crf, trace.name(logits), trace.name(mask))
        return {
            "logits": logits,
            "tag_ids": trace.symbol(found.tag_ids, (None, None), "int32"),
            "confidence": trace.symbol(found.confidence, (None, None)),
            "log_probability": trace.symbol(found.log_probability, (None,)),
        }

    specs = models.specs(inputs)
    probe = served.probe_of(specs, sizes_of(model))
    both = keras.Model(inputs, {"logits": logits, "chain": model.output})(probe, training=False)
    tags, confidence, log_probability = crf.tagging(both["chain"])
    expected = {
        "logits": both["logits"],
        "tag_ids": tags,
        "confidence": confidence,
        "log_probability": log_probability,
    }
    return Served(models.graph_of(model, specs, run), probe, served.arrays(expected))


def language_model(model: LanguageModel) -> dict[str, Served]:
    """The graphs `model`, `read`, `start` and `step` of a model with explicit states.

    `model`: `token_ids` (B, T) and the states -> `logits` (B, T, V) and the states after the last
    token; `read`: the same without the logits, for a prompt.
    """
    sizes, states = sizes_of(model), model.initial_states(1)
    after = {f"{models.NEXT}{name}": model.output[name] for name in states}
    return {
        "model": served.whole(model, sizes, {"logits": model.output["logits"], **after}),
        "read": served.whole(model, sizes, after),
        "start": served.start(model, states),
        "step": _token_step(model, states),
    }


def conditional(model: ConditionalLanguageModel) -> dict[str, Served]:
    """The graphs of a decoder of a class or a vector.

    `model`: `label_ids` (B,), or `vector` (B, F), and `token_ids` (B, T) -> `logits` (B, T, V);
    `start`: `label_ids` or `vector` -> the states; `start_unconditional`: `streams` -> those
    without a class; `step`.
    """
    own = model.initial_states(keras.ops.zeros((1, *_condition(model).shape[1:]), _dtype(model)))
    return {
        "model": _conditional_whole(model),
        "start": _conditional_start(model, own),
        "start_unconditional": served.start(model, model.unconditional_states(1)),
        "step": _token_step(model, own),
    }


def _condition(model: ConditionalLanguageModel) -> Any:
    """The symbolic input that is the class or the vector."""
    return next(each for name, each in model.input.items() if name != "token_ids")


def _dtype(model: ConditionalLanguageModel) -> str:
    return str(_condition(model).dtype)


def _named(model: ConditionalLanguageModel) -> str:
    return "label_ids" if model.num_classes else "vector"


def _conditional_whole(model: ConditionalLanguageModel) -> Served:
    """The whole model, its first input under the bundle's name."""
    inputs = {_named(model): _condition(model), "token_ids": model.input["token_ids"]}
    sizes = {**sizes_of(model), "label_ids": model.num_classes}
    probe = served.probe_of(models.specs(inputs), sizes)

    def run(trace: Trace, given: dict[str, Any]) -> dict[str, Any]:
        for name, tensor in inputs.items():
            trace.bind(tensor, trace.name(given[name]))
        return {"logits": model.output}

    given = {_condition(model).name: probe[_named(model)], "token_ids": probe["token_ids"]}
    expected = served.arrays({"logits": model(given, training=False)})
    return Served(models.graph_of(model, models.specs(inputs), run), probe, expected)


def _conditional_start(model: ConditionalLanguageModel, own: States) -> Served:
    """The states before the first token of a class or a vector."""
    name, spec = _named(model), models.specs({"it": _condition(model)})["it"]

    def run(trace: Trace, given: dict[str, Any]) -> dict[str, Any]:
        layers, value = model.layers_by_name(), given[name]
        condition = layers["condition"](value)
        found = {"condition": condition}
        if "bridge" in layers:
            found |= named_states(layers["bridge"](condition))
        else:
            rows = trace.graph.size(trace.name(value), 0)
            rest = {key: state for key, state in own.items() if key != "condition"}
            found |= models.constant_states(trace, rest, rows)
        return {key: found[key] for key in own}

    probe = served.probe_of({name: spec}, {"label_ids": model.num_classes})
    expected = served.arrays(model.initial_states(probe[name]))
    return Served(models.graph_of(model, {name: spec}, run), probe, expected)


def _token_step(model: LanguageModel, states: States) -> Served:
    """`token_ids` (B,) and the states -> `logits` (B, V) and the new states."""
    products = model.input_products()  # of each token, where they are few

    def step(given: dict[str, Any], before: States) -> Any:
        logits, after = model.step(given["token_ids"], before, products)
        return {"logits": logits}, after

    return served.step(model, IDS, states, step, sizes_of(model))
