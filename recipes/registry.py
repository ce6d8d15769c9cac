"""The recipes by name. Listing them imports no TensorFlow; `find` imports a recipe's module."""

import importlib
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from zoo.errors import InputError, nearest
from zoo.system import startup

if TYPE_CHECKING:
    from recipes.recipe import Recipe

    Kind = TypeVar("Kind", bound=type[Recipe])

BUILTIN = {
    "sentiment": "many to one: a review -> positive or negative; any text -> any label",
    "ner": "many to many: a sentence -> its persons, places, products; any spans of tokens",
    "names": "one to many: a nationality -> new surnames; any label -> new texts",
    "melodies": "one to many: a start note -> a melody that begins with it, as MIDI and ABC",
    "origin": "one to one: a name's letter n-grams -> where it comes from; any text -> any label",
    "generation": "language model: a corpus -> new text, and the probability of a text",
    "translation": "encoder-decoder: dates in words -> ISO 8601; any text -> its translation",
    "forecasting": "many to many: the history of series -> their next values, with intervals",
    "signals": "many to one: a series of numbers or a sound -> its class",
    "digits": "ctc: speech -> text; any series -> the labels that it spells",
    "pos": "many to many: a sentence -> each token's part of speech; any tag a token",
}
_RECIPES: dict[str, "type[Recipe]"] = {}
modules_of_user: list[str] = []  # imported by --module


def register(recipe: "Kind") -> "Kind":
    """A class decorator that makes a recipe known by its `name`; see `docs/own_recipe.md`.

    Raises:
        InputError: Another recipe has that name.
    """
    if recipe.name in _RECIPES or (
        recipe.name in BUILTIN and not recipe.__module__.startswith(f"recipes.{recipe.name}.")
    ):
        raise InputError(f"{recipe.name!r} is a recipe already: choose another name")
    _RECIPES[recipe.name] = recipe
    return recipe


def summaries() -> dict[str, str]:
    """The name and the summary of each recipe: the built-in ones, then those of the user."""
    return {**BUILTIN, **{name: recipe.summary for name, recipe in _RECIPES.items()}}


def unknown(name: str, known: Iterable[str] = (), kind: str = "recipe") -> InputError:
    """The error about a word that is not the name of a recipe, nor another one that is `known`."""
    hint = nearest(name, known or summaries())
    own = "" if modules_of_user else " (a recipe of your own needs --module)"
    return InputError(f"unknown {kind} {name!r}: {hint}{own}")


def find(name: str) -> "Recipe":
    """The recipe of that name.

    Raises:
        InputError: There is none.
    """
    if name not in summaries():
        raise unknown(name)
    if name not in _RECIPES:
        importlib.import_module(f"recipes.{name}")
    return _RECIPES[name]()


def command(recipe: str, verb: str, *words: Any) -> str:
    """A command as a shell takes it, with the user's modules of this process."""
    modules = [word for module in modules_of_user for word in ("--module", module)]
    task = [verb, recipe] if startup.program() in startup.SCRIPTS else [recipe, verb]
    return shlex.join([*startup.program().split(), *task, *modules, *map(str, words)])


def import_module(module: str) -> None:
    """Imports a module of the user's, which registers cells, architectures or recipes.

    Raises:
        InputError: There is no such module.
    """
    name, folder = place_of_module(module)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"--module {module}: {error}; give a name that `import` takes, or a path such as "
            f"folder/{name}.py"
        ) from error
    if module not in modules_of_user:
        modules_of_user.append(module)


def place_of_module(module: str) -> tuple[str, str]:
    """The name that `import` takes, and the folder for Python's path.

    `module` is a name, or the path of a file, with or without `.py`. The folder of a name is "",
    the current one.

    Raises:
        InputError: It is a path, and there is no such file.
    """
    path = Path(module)
    if path.suffix != ".py" and path.name == module:
        return module, ""
    file = path.with_name(path.name.removesuffix(".py") + ".py")
    if not (file.is_file() or path.is_dir()):
        raise InputError(f"--module {module}: there is no file {file}")
    return file.stem, str(file.parent.resolve())
