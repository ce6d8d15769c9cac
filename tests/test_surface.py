"""What users type and what files contain: nothing may be lost or get another default.

The tests of the recipes and of the exports add what runs and signatures have, from the models that
they train anyway. `surface.json` holds what was there; `python -m tests.test_surface` adds to it
what is new.
"""

import argparse
import dataclasses
import importlib
import inspect
import re
from typing import Any

import keras
import pytest

import zoo.__main__
from recipes import cli
from recipes.registry import BUILTIN, find
from tests import surface
from zoo import registry
from zoo.diagnostics.command import COMMANDS as DIAGNOSTICS

COMMANDS = {
    **{f"recipes {name} {verb}": cli.main for name in BUILTIN for verb in cli.VERBS},
    **{
        f"zoo {verb}": zoo.__main__.main
        for verb in ("list", "describe", "summary", "inspect", "serve", *DIAGNOSTICS)
    },
    "zoo": zoo.__main__.main,
}
PACKAGES = ("zoo", "zoo.cells", "zoo.decoding", "zoo.layers", "zoo.text", "zoo.tuning")
SIZES = {
    **{"vocabulary_size": 20, "source_vocabulary_size": 20, "target_vocabulary_size": 22},
    **{"num_classes": 3, "num_tags": 5, "num_features": 6, "units": 4, "embedding_dim": 4},
    **{"num_labels": 3, "horizon": 5},
}
LETTERS = {"character_dim": 3, "character_units": 4, "affix_dim": 2, "casing_dim": 2}
CONTEXT = {"vocabulary_size": 9, "units": 3, "embedding_dim": 2, "character_vocabulary_size": 8}
NUMBERS = {"vocabulary_size": None, "input_dim": 3}
# options that add layers, weights, inputs or outputs, or move them
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "attention pooling": ("many_to_one", {"pooling": "attention", "dense_layers": 2}),
    "learned states": ("many_to_one", {"learned_initial_state": True, "bidirectional": True}),
    "convolved letters": ("many_to_many", {"characters": "cnn", **LETTERS}),
    "recurrent letters": ("many_to_many", {"characters": "recurrent", **LETTERS}),
    "pretrained vectors": ("many_to_many", {"pretrained_dim": 6, "learned_size": 9}),
    "further tags": ("many_to_many", {"auxiliary": {"pos": 4}, "head": "crf"}),
    "neighbour words": ("many_to_many", {"neighbour_words": 7, "bidirectional": True}),
    "context": ("many_to_many", {"context": CONTEXT, "characters": "cnn", **LETTERS}),
    "given states": ("language_model", {"explicit_states": True, "num_layers": 2, "cell": "lstm"}),
    "sampled words": ("language_model", {"sampled": 16, "tied": True, "ar": 1.0, "tar": 1.0}),
    "class as input": ("one_to_many", {"conditioning": "input"}),
    "class as state": ("one_to_many", {"conditioning": "state", "num_layers": 2}),
    "vector": ("one_to_many", {"vector_dim": 5, "num_classes": None}),
    "no attention": ("encoder_decoder", {"attention": "none"}),
    "one table": ("encoder_decoder", {"shared": True, "target_vocabulary_size": 20}),
    "fed input": ("encoder_decoder", {"input_feeding": True, "coverage": True, "num_layers": 2}),
    "first queries": ("encoder_decoder", {"queries": "first", "num_layers": 2, "cell": "lstm"}),
    "two cells": ("encoder_decoder", {"encoder_cell": "lstm", "encoder_units": 5, "cell": "gru"}),
    "numbers": ("many_to_one", {**NUMBERS, "missing": "indicator"}),
    "a number": ("many_to_one", {**NUMBERS, "num_classes": None, "num_outputs": 2}),
    "numbers at each step": ("many_to_many", {**NUMBERS, "num_tags": None, "num_outputs": 2}),
    "a waveform": ("ctc", {**NUMBERS, "input_dim": 1, "features": "log_mel", "spec_augment": 1}),
    "a source of numbers": ("encoder_decoder", {"source_vocabulary_size": None, "input_dim": 3}),
    "covariates": ("forecaster", {"future_dim": 1, "static_dim": 2, "missing": "indicator"}),
    "separate segments": ("segrnn", {"future_dim": 1, "units": 4}),
    "scheduled sampling": ("encoder_decoder", {"scheduled_sampling": 0.5}),
}
STATUSES = {
    **{"recipes": 0, "recipes --help": 0, "recipes nothing": 2, "recipes ner nothing": 2},
    **{"recipes ner train --nothing": 2, "recipes ner train --units many": 2},
    **{"recipes ner train --units 0": 2, "recipes ner evaluate --run-dir nowhere": 2},
    **{"zoo list": 0, "zoo describe many_to_one": 0, "zoo describe nothing": 2},
    **{"zoo list --topology nothing": 2, "zoo summary many_to_one --nothing": 2},
}


def main_of(command: str) -> tuple[Any, list[str]]:
    """The function behind `python -m PACKAGE`, and the words that follow."""
    package, *words = command.split()
    return {"recipes": cli.main, "zoo": zoo.__main__.main}[package], words


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser whose help a command prints."""
    main, words = main_of(command)
    asked: list[argparse.ArgumentParser] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            argparse.ArgumentParser, "print_help", lambda self, file=None: asked.append(self)
        )
        with pytest.raises(SystemExit, match="0"):
            main([*words, "--help"])
    return asked[-1]


def flags_of(command: str) -> dict[str, Any]:
    """Each spelling of each flag: how many values it takes, and its default where it has one.

    A recipe's options have none in the parser: `defaults_of` tells theirs.
    """
    found = {}
    for action in parser_of(command)._actions:
        flag = {"takes": 1 if action.nargs is None else action.nargs}
        printed = re.search(r"\(default: ([^\s)]+)\)", action.help or "")
        if action.default is not argparse.SUPPRESS:
            flag["default"] = action.default
        elif printed and "tune" in command:
            flag["default"] = printed[1]
        found |= {spelling: flag for spelling in action.option_strings or [action.dest]}
    return found


def defaults_of(recipe: str) -> dict[str, Any]:
    """The options that apply where none are given; this looks into the recipe, at one place."""
    task = find(recipe)
    return {
        "builtin": dataclasses.asdict(task.configured({})),
        "own data": dataclasses.asdict(task.configured({"data": "my_data"})),
        "predict": dataclasses.asdict(task.answering()),
    }


def parameters_of(function: Any) -> dict[str, list[Any]]:
    """A function's arguments, each with type and default as `describe` prints them."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        kind = getattr(parameter.annotation, "__name__", str(parameter.annotation))
        found[name] = [kind, "required" if required else repr(parameter.default)]
    return found


def built(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Inputs, outputs, layers and weights of an architecture's small model."""
    known = registry.architecture(name).options
    sizes = {key: size for key, size in SIZES.items() if key in known}
    if "horizon" in known:
        sizes["input_dim"] = 3
    model = zoo.build(name, **{**sizes, **options})
    return {
        "name": model.name,
        "inputs": {each.name: shown(each) for each in keras.tree.flatten(model.inputs)},
        "outputs": keras.tree.map_structure(shown, model.output),
        "layers": {
            layer.name: keras.saving.get_registered_name(type(layer)) for layer in model.layers
        },
        "weights": [f"{weight.path} {tuple(weight.shape)}" for weight in model.weights],
    }


def shown(tensor: Any) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}"


MODELS = {
    **{name: (name, {}) for name in zoo.names()},
    **{f"cell {cell}": ("many_to_one", {"cell": cell}) for cell in zoo.cell_names()},
    **{f"{name}: {text}": (name, options) for text, (name, options) in VARIANTS.items()},
}


@pytest.mark.parametrize("command", surface.names("flags", COMMANDS))
def test_no_flag_is_lost_and_none_changes_its_default(command):
    surface.assert_kept("flags", command, flags_of(command))


@pytest.mark.parametrize("recipe", surface.names("defaults", BUILTIN))
def test_no_option_of_a_recipe_is_lost_and_none_changes_its_default(recipe):
    surface.assert_kept("defaults", recipe, defaults_of(recipe))


@pytest.mark.parametrize("name", surface.names("options", zoo.names()))
def test_architectures_keep_their_options_with_types_defaults_and_order(name):
    entry = registry.architecture(name)
    surface.assert_kept("topologies", name, entry.topology)
    found = {
        option.name: [option.type_name, "required" if option.required else repr(option.default)]
        for option in entry.options.values()
    }
    surface.assert_kept("options", name, found)
    golden = list(surface.read()["options"][name])
    assert [option for option in found if option in golden] == golden


@pytest.mark.parametrize("name", surface.names("cells", zoo.cell_names()))
def test_cells_keep_their_options_with_defaults(name):
    surface.assert_kept("cells", name, parameters_of(registry.cell_class(name)))


@pytest.mark.parametrize("name", surface.names("models", MODELS))
def test_models_keep_the_names_of_inputs_outputs_layers_and_weights(name):
    surface.assert_kept("models", name, built(*MODELS[name]))


@pytest.mark.parametrize("package", surface.names("public names", PACKAGES))
def test_packages_keep_their_public_names(package):
    module = importlib.import_module(package)
    found = {name: "" for name in module.__all__ if hasattr(module, name)}
    surface.assert_kept("public names", package, found)


def test_saved_models_find_their_classes():
    """By the names under which `.keras` files have them, after `import zoo`."""
    objects = keras.saving.get_custom_objects()
    found = {key: "" for key, each in objects.items() if each.__module__.startswith("zoo.")}
    surface.assert_kept("registered classes", "zoo", found)


@pytest.mark.parametrize("command", STATUSES)
def test_exit_statuses_are_kept(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main, words = main_of(command)
    assert main(words) == STATUSES[command]


if __name__ == "__main__":
    import os
    import sys

    os.environ[surface.RECORD] = "1"
    sys.exit(pytest.main(["-q", "-k", "surface", "tests"]))
