"""The command line: which recipe, which verb, which options; then the work, and an exit status.

`rnn-zoo` and `python -m recipes` are the same program.
"""

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import zoo
import zoo.__main__ as models
from recipes import registry
from recipes.config import READING, add_options
from zoo.errors import InputError, nearest
from zoo.system import startup
from zoo.system.command import Place, guarded
from zoo.system.lines import read_lines
from zoo.version import VERSION

if TYPE_CHECKING:
    from recipes.recipe import Recipe
    from recipes.run import Run

VERBS = {
    "all": "train, evaluate and export a model, and predict a few examples (the default verb)",
    "train": "train a model, or continue a run with --resume",
    "evaluate": "measure a run's best model on the validation and test splits, or on other data",
    "tune": "search over the hidden size K and any other options, and write a report",
    "export": "write a run's best model as a SavedModel",
    "predict": "predict with the exported model: texts as arguments, or one per line on stdin",
}
TRAINING_VERBS = ("all", "train")


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, 1 failed or interrupted, 2 wrong input.
    """
    words = sys.argv[1:] if arguments is None else arguments
    return guarded(program(), words, _dispatch)


def program() -> str:
    """How this process was started, for texts that name a command to type."""
    name = startup.script_name(sys.argv[0])
    return name if name in startup.SCRIPTS else "python -m recipes"


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
    with startup.importing():
        zoo.import_models()
        recipe = registry.find(name)
    options = _parse(recipe, verb, rest)
    if verb == "tune":
        from recipes.tuning import command

        place.resumable = True
        command.run(recipe, options)
    else:
        _run(recipe, verb, options, place)
    return 0


def _import_modules(words: list[str]) -> list[str]:
    """Imports the user's modules, which may hold the recipe; returns the other words."""
    parser = _Parser(prog=program(), add_help=False, allow_abbrev=False)
    parser.add_argument("--module", action="append", default=[])
    end = words.index("--") if "--" in words else len(words)
    parsed, others = parser.parse_known_args(words[:end])
    if parsed.module:
        with startup.importing():
            zoo.import_models()
            for module in parsed.module:
                registry.import_module(module)
    return [*others, *words[end:]]


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
            raise InputError(f"unknown recipe {second!r}: {nearest(second, recipes)}")
        return second, first, rest[1:]
    if first not in recipes:
        known = [*recipes, *VERBS, *models.COMMANDS]
        raise InputError(f"unknown recipe or command {first!r}: {nearest(first, known)}")
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
            f"  {name} all sentiment                          # the built-in reviews, in a minute",
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


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are the project's: one sentence, status 2."""

    def error(self, message: str) -> Any:
        raise InputError(f"{message}: see {self.prog} --help")


def _parse(recipe: "Recipe", verb: str, words: list[str]) -> dict[str, Any]:
    parser = _Parser(
        prog=f"{program()} {verb} {recipe.name}", description=VERBS[verb], allow_abbrev=False
    )
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        help="your module that registers cells, models or recipes",
    )
    if verb == "tune":
        from recipes.tuning import command

        command.add_options(parser, recipe)
    else:
        _add_common(parser, verb, recipe)
    if verb in TRAINING_VERBS:
        add_options(parser, recipe.config)
    parsed, unknown = parser.parse_known_args(words)
    if unknown:
        known = [action.option_strings[0] for action in parser._actions if action.option_strings]
        raise InputError(f"unknown option {unknown[0]!r}: {nearest(unknown[0], known)}")
    return {name: value for name, value in vars(parsed).items() if name != "module"}


def _add_common(parser: argparse.ArgumentParser, verb: str, recipe: "Recipe") -> None:
    if verb == "predict":
        parser.add_argument(
            "--run-dir",
            type=Path,
            help="answer with this run's best model, which is exported into the run's folder if it "
            "has not been (default: the newest version in --export-dir)",
        )
    else:
        parser.add_argument(
            "--run-dir", type=Path, help="the run's folder (default: runs/NAME/TIME)"
        )
    if verb == "evaluate":
        add_options(parser, recipe.config, READING)
        parser.add_argument(
            "--write-predictions",
            type=Path,
            metavar="FILE",
            help="a .tsv, .csv or .jsonl file for each example's prediction: of --data, or of the "
            "run's test split",
        )
    if verb in TRAINING_VERBS:
        parser.add_argument("--resume", action="store_true", help="go on after an interruption")
        parser.add_argument(
            "--config", type=Path, help="JSON of options, such as tune's best.json; others override"
        )
    if verb == "train":
        parser.add_argument(
            "--find-rate", action="store_true", help="try rising learning rates, keep no weights"
        )
    if verb in ("all", "export", "predict"):
        parser.add_argument(
            "--export-dir", type=Path, default=Path("saved_models"), help="folder of NAME/VERSION"
        )
    if verb == "predict":
        add_options(parser, recipe.answering)
        parser.add_argument("texts", nargs="*", metavar="TEXT", help="default: lines of stdin")
        parser.add_argument(
            "--version", type=int, help="the exported version (default: the newest)"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _run(recipe: "Recipe", verb: str, options: dict[str, Any], place: Place) -> None:
    from recipes.run import Run, stored_options

    if verb == "predict":
        _predict(recipe, options, place)
        return
    directory = options.pop("run_dir")
    export_root = options.pop("export_dir", None)
    if verb in TRAINING_VERBS:
        resumed = options.pop("resume")
        find_rate = options.pop("find_rate", False)
        stored = options.pop("config")
        given = {**(stored_options(recipe, stored) if stored else {}), **options}
        with Run.opened(recipe, given, directory, resumed) as run:
            place.folder, place.resumable = run.directory, not find_rate
            place.needed = run.directory / "config.json"
            if find_rate:
                run.find_rate()
            elif verb == "all":
                run.complete(export_root)
            else:
                run.train()
                print(f"run: {run.directory}")
                print(run.next_steps())
        return
    run = Run.open(recipe, directory) if directory else Run.latest(recipe)
    place.folder = run.directory
    if verb == "evaluate":
        _evaluate(run, options)
    else:
        run.export(export_root)


def _evaluate(run: "Run", options: dict[str, Any]) -> None:
    from recipes import predictions

    path = options.pop("write_predictions")
    if path is not None:
        if not run.recipe.labelled:
            raise InputError(
                f"--write-predictions is for recipes that predict a label, tags or a translation, "
                f"and {run.recipe.name} does not: leave it out"
            )
        predictions.check(path)
    if options and not {"data", "source_file", "target_file"} & set(options):
        given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise InputError(f"{given} says how other data is read: give --data, too")
    if not options:
        run.evaluate()
    if options or path is not None:
        run.measure(options, path)


def _predict(recipe: "Recipe", options: dict[str, Any], place: Place) -> None:
    from recipes import provenance
    from recipes.answering import predict
    from recipes.run import Run
    from zoo import export

    how = {name: value for name, value in options.items() if name in _fields(recipe.answering)}
    recipe.answering(**how)  # wrong options show before a model is looked for
    directory = options["export_dir"] / recipe.name
    run, version = options["run_dir"], options["version"]
    if run is not None and version is not None:
        raise InputError("--run-dir and --version both choose the model: leave one of them out")
    texts = options["texts"] or _lines()
    if run is not None:
        place.folder = run
        path = Run.open(recipe, run).exported(options["export_dir"])
    elif version is not None:
        path = directory / str(version)
        if not path.is_dir():
            known = ", ".join(map(str, export.versions(directory)))
            raise InputError(f"no version {version} in {directory}: there is {known}")
    else:
        path = export.newest(directory)
    print(provenance.sentence(path), file=sys.stderr)
    predict(recipe, texts, path, options["json"], how)


def _fields(config: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(config)]


def _lines() -> Iterator[str]:
    """The lines of standard input, each as soon as it is there."""
    if sys.stdin is None:
        raise InputError("standard input is closed: give texts as arguments, or a line each on it")
    if sys.stdin.isatty():
        print("one text a line; end with Ctrl-D", file=sys.stderr)
    return read_lines(_bytes_of(sys.stdin))


def _bytes_of(stream: TextIO) -> BinaryIO:
    """A stream's bytes, by a reader of their own where the stream has a descriptor.

    Python closes `sys.stdin` at its exit, which fails while a thread waits for a line of it.
    """
    try:
        return open(stream.fileno(), "rb", closefd=False)
    except (OSError, ValueError):
        return stream.buffer
