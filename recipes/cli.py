"""The command line: which recipe, which verb, which options; then the work, and an exit status.

`rnn-zoo` and `python -m recipes` are the same program.
"""

import argparse
import importlib
import sys
from typing import Any

import zoo
import zoo.__main__ as models
from recipes import registry
from zoo.errors import InputError, nearest
from zoo.system import startup
from zoo.system.command import Place, guarded
from zoo.system.startup import program
from zoo.version import VERSION

VERBS = {
    "all": "train, evaluate and export a model, and predict a few examples (the default verb)",
    "train": "train a model, or continue a run with --resume",
    "evaluate": "measure a run's best model on the validation and test splits, or on other data",
    "tune": "search over the hidden size K and any other options, and write a report",
    "export": "write a run's best model as a SavedModel, as ONNX or as LiteRT",
    "predict": "predict with the exported model: texts as arguments, or one per line on stdin",
}
KINDS = "'builtin', 'tfds:NAME[/CONFIG]', or a path to a file or a folder"  # of data


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, 1 failed or interrupted, 2 wrong input.
    """
    words = sys.argv[1:] if arguments is None else arguments
    return guarded(program(), words, _dispatch)


def _dispatch(words: list[str], place: Place) -> int:
    words = _import_modules(words)
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(f"rnn-zoo {VERSION}")
        return 0
    if words[0] in models.COMMANDS:
        return models.run(words, place, program())
    name, verb, rest = _recipe_and_verb(words)
    if not name:
        print(verb_help(verb))
        return 0
    _check_data(name, verb, rest)
    with startup.importing():
        zoo.import_models()
        recipe = registry.find(name)
        commands = importlib.import_module("recipes.commands")
    commands.run(recipe, verb, rest, place)
    return 0


def _import_modules(words: list[str]) -> list[str]:
    """Imports the user's modules, which may hold the recipe; returns the other words."""
    parser = Parser(prog=program(), add_help=False, allow_abbrev=False)
    parser.add_argument("--module", action="append", default=[])
    end = words.index("--") if "--" in words else len(words)
    parsed, others = parser.parse_known_args(words[:end])
    for module in parsed.module:
        registry.place_of_module(module)  # a wrong path is refused before TensorFlow is imported
    if parsed.module:
        with startup.importing():
            zoo.import_models()
            for module in parsed.module:
                registry.import_module(module)
    return [*others, *words[end:]]


def _check_data(name: str, verb: str, words: list[str]) -> None:
    """Refuses a `--data` that does not exist, before TensorFlow is imported.

    A search may have several; the recipe of a user may take anything.
    """
    parser = Parser(prog=f"{program()} {verb} {name}", add_help=False, allow_abbrev=False)
    parser.add_argument("--data", default="builtin")
    data = parser.parse_known_args(words)[0].data
    if {"-h", "--help"} & set(words) or name not in registry.BUILTIN or verb == "tune":
        return
    if data != "builtin":
        kinds = "a path to a table or a file of lines" if verb == "predict" else KINDS
        importlib.import_module("recipes.data.location").locate(data, kinds)


def _recipe_and_verb(words: list[str]) -> tuple[str, str, list[str]]:
    """Splits `train sentiment ...`, `sentiment train ...` or `sentiment ...` into its parts.

    Returns:
        The recipe, the verb and the other words; no recipe if only help for the verb is wanted.
    """
    recipes = registry.summaries()
    first, *rest = words
    second = rest[0] if rest and not rest[0].startswith("-") else ""
    if first in VERBS:
        if not second and {"-h", "--help"} & set(rest):
            return "", first, []
        if not second:
            raise InputError(f"{first} needs a recipe: {program()} {first} {'|'.join(recipes)}")
        if second not in recipes:
            raise registry.unknown(second)
        return second, first, rest[1:]
    if first not in recipes:
        known = [*recipes, *VERBS, *models.COMMANDS]
        raise registry.unknown(first, known, "recipe or command")
    if second and second not in VERBS:
        raise InputError(f"{first} has no verb {second!r}: {nearest(second, VERBS)}")
    return first, second or "all", rest[1:] if second else rest


def overview() -> str:
    """What there is to type, for `--help`."""
    name = program()
    return "\n".join(
        [
            "Recurrent neural networks for Keras 3: train, measure, tune, export, predict.",
            "",
            f"usage: {name} VERB RECIPE [options]",
            f"       {name} COMMAND [NAME]",
            "",
            *_section("verbs", VERBS),
            *_section("recipes", registry.summaries()),
            *_section("commands about the models", models.COMMANDS),
            "examples:",
            f"  {name} all sentiment                          # built-in reviews, two minutes",
            f"  {name} train sentiment --data reviews.csv     # your own file",
            f"  {name} train sentiment --help                 # all options and their defaults",
            f"  {name} describe lstm                          # the equations",
        ]
    )


def verb_help(verb: str) -> str:
    """What a verb does and for which recipes, for `train --help`."""
    return "\n".join(
        [
            f"usage: {program()} {verb} RECIPE [options]",
            "",
            f"{VERBS[verb][0].upper()}{VERBS[verb][1:]}.",
            "",
            *_section("recipes", registry.summaries()),
            f"{program()} {verb} RECIPE --help prints the options.",
        ]
    )


def _section(title: str, entries: dict[str, str]) -> list[str]:
    return [f"{title}:", *(f"  {name:12} {text}" for name, text in entries.items()), ""]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are the project's: one sentence, status 2."""

    def error(self, message: str) -> Any:
        """Raises the error that the parser would print."""
        raise InputError(f"{message}: see {self.prog} --help")
