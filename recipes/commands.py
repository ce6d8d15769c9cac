"""The verbs of a recipe: their options, and what they do.

`recipes.cli` imports this module only when there is something to do, since it needs TensorFlow.
"""

import argparse
import dataclasses
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from recipes import predictions, pretrained, provenance
from recipes.answering import predict, write
from recipes.cli import VERBS, Parser
from recipes.config import READING
from recipes.data.table import Row, TableOptions, read_table
from recipes.recipe import Recipe
from recipes.run import Run, stored_options
from recipes.training import backends
from recipes.tuning import command as tuning
from zoo import export, formats
from zoo.errors import InputError, nearest
from zoo.options import add_arguments, divided, options_of
from zoo.system.command import Place
from zoo.system.lines import read_lines
from zoo.system.startup import program

TRAINING_VERBS = ("all", "train")
OWN_ON_DATA = ("limit", "source_file", "target_file")  # `evaluate` does not take the run's
HEADER = re.compile(r"\w+(?: \w+)?(?:[,;\t]\w+(?: \w+)?)+")  # may name a table's columns


def run(recipe: Recipe, verb: str, words: list[str], place: Place) -> None:
    """Runs one of `cli.VERBS` with the options and arguments that follow it.

    `place` gets the run's folder, which the sentence about a failure needs.
    """
    options = parse(recipe, verb, words)
    backends.require_known(recipe.name, verb, recipe.trains_anywhere)
    if verb == "tune":
        place.resumable = True
        tuning.run(recipe, options)
    elif verb == "predict":
        _predict(recipe, options, place)
    elif verb in TRAINING_VERBS:
        _train(recipe, verb, options, place)
    else:
        directory = options.pop("run_dir")
        each = Run.open(recipe, directory) if directory else Run.latest(recipe)
        place.folder = each.directory
        if verb == "evaluate":
            _evaluate(each, options)
        else:
            chosen = formats.chosen(options)
            each.export(options["export_dir"], form=options["format"], **chosen)


def parse(recipe: Recipe, verb: str, words: list[str]) -> dict[str, Any]:
    """The options of a verb by name; options of the recipe only where they are given."""
    prog = f"{program()} {verb} {recipe.name}"
    word = "FILE" if recipe.reads_files else "TEXT"
    after = f" [{word} ...]" if verb == "predict" else ""
    parser = Parser(
        prog=prog,
        usage=f"{prog} [options]{after}",
        description=VERBS[verb],
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=30),
    )
    run = parser.add_argument_group("run")
    run.add_argument(
        "--module",
        action="append",
        default=[],
        help="your module (a name or a path) that registers cells, models or recipes",
    )
    architecture = ""
    if verb == "tune":
        first = _first(words)
        named = first.architecture or pretrained.architecture_of(recipe, first.init)
        tuning.add_options(parser, run, recipe, named)
    else:
        _add_common(run, verb, recipe)
    if verb in TRAINING_VERBS:
        architecture = _architecture(recipe, words)
        for title, options in recipe.option_groups([architecture]).items():
            group = parser.add_argument_group(title)
            add_arguments(group, options, other_defaults=recipe.builtin_defaults())
    parsed, unknown = parser.parse_known_args(words)
    if unknown:
        known = [action.option_strings[0] for action in parser._actions if action.option_strings]
        usual = {each.flag: each.name for each in options_of(recipe.config).values()}
        if architecture and unknown[0] in usual:  # the error names the architecture
            recipe.configured({"architecture": architecture, usual[unknown[0]]: None})
        raise InputError(f"unknown option {unknown[0]!r}: {nearest(unknown[0], known)}")
    return {name: value for name, value in vars(parsed).items() if name != "module"}


def _first(words: list[str]) -> argparse.Namespace:
    """The flags on which it depends which others there are."""
    parser = Parser(prog=program(), add_help=False, allow_abbrev=False)
    parser.add_argument("--architecture", default="")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--run-dir", type=Path)
    parser.add_argument("--init", default="")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_known_args(words)[0]


def _architecture(recipe: Recipe, words: list[str]) -> str:
    """The architecture whose options are flags: by flag, by file, or of the run or `--init`."""
    parsed = _first(words)
    name: str = parsed.architecture or pretrained.architecture_of(recipe, parsed.init)
    if not name and parsed.config:
        name = stored_options(recipe, parsed.config).get("architecture", "")
    if not name and parsed.resume:
        run = Run.open(recipe, parsed.run_dir) if parsed.run_dir else Run.latest(recipe)
        name = run.config.architecture
    return name or recipe.config.architecture


def _add_common(parser: Any, verb: str, recipe: Recipe) -> None:
    text = "the run's folder (default: runs/NAME/TIME)"
    if verb in ("evaluate", "export"):
        text = "the run's folder (default: the newest one in runs/NAME)"
    if verb == "predict":
        text = (
            "use this run's best model, exported into the run's folder if necessary (default: the "
            "newest version in --export-dir)"
        )
    parser.add_argument("--run-dir", type=Path, help=text)
    if verb == "evaluate":
        options = options_of(recipe.config)
        reading = [options[name] for name in READING if name in options]
        runs = {each.name: "default: the run's" for each in reading if each.name not in OWN_ON_DATA}
        add_arguments(
            parser,
            [
                dataclasses.replace(each, default=None) if each.name in runs else each
                for each in reading
            ],
            other_defaults=runs,
        )
        _add_output(parser, "each example's prediction, for --data or for the run's test split")
    if verb in TRAINING_VERBS:
        parser.add_argument("--resume", action="store_true", help="continue after an interruption")
        parser.add_argument(
            "--config",
            type=Path,
            help="JSON of options, such as tune's best.json; options given here override it",
        )
    if verb == "train":
        parser.add_argument(
            "--find-rate",
            action="store_true",
            help="only try rising learning rates, and keep no weights",
        )
        parser.add_argument(
            "--monitor",
            action="store_true",
            help="measure the gradients, and print what looks wrong with a remedy",
        )
    if verb in ("all", "export", "predict"):
        formats.add_folder(parser)
    if verb == "export":
        formats.add_options(parser)
    if verb == "predict":
        own = options_of(recipe.answering)
        add_arguments(parser, own.values())
        table = options_of(TableOptions)
        add_arguments(parser, [each for name, each in table.items() if name not in own])
        _add_output(parser, "the rows of --data with the answers as further columns")
        word, what = ("FILE", "files") if recipe.reads_files else ("TEXT", "texts")
        parser.add_argument(
            "texts", nargs="*", metavar=word, help=f"the {what} (default: the lines of stdin)"
        )
        parser.add_argument(
            "--version", type=int, help="the exported version (default: the newest)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object per line")


def _add_output(parser: Any, content: str) -> None:
    parser.add_argument(
        "--write-predictions",
        type=Path,
        metavar="FILE",
        help=f"a .tsv, .csv or .jsonl file for {content}",
    )


def _train(recipe: Recipe, verb: str, options: dict[str, Any], place: Place) -> None:
    directory, resumed, stored = (options.pop(name) for name in ("run_dir", "resume", "config"))
    export_root, find_rate = options.pop("export_dir", None), options.pop("find_rate", False)
    monitored = options.pop("monitor", False)
    stored_values = stored_options(recipe, stored) if stored else {}
    if stored_values.get("epochs") and "epochs" not in options:
        print(
            f"epochs: {stored_values['epochs']}, from {stored}; --epochs overrides it", flush=True
        )
    options = {**stored_values, **options}
    with Run.opened(recipe, options, directory, resumed) as run:
        place.folder, place.resumable = run.directory, not find_rate
        place.needed = run.directory / "config.json"
        if find_rate:
            run.find_rate()
        elif verb == "all":
            run.complete(export_root)
        else:
            run.train(monitored)
            print(f"run: {run.directory}")
            print(run.next_steps())


def _evaluate(run: Run, options: dict[str, Any]) -> None:
    path = options.pop("write_predictions")
    if path is not None:
        if not run.recipe.labelled:
            raise InputError(
                f"--write-predictions is for recipes that predict a label, tags or a translation, "
                f"and {run.recipe.name} does not: leave it out"
            )
        predictions.check(path)
    if options and not {"data", "source_file", "target_file"} & set(options):
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise InputError(f"{flags} says how other data is read: give --data, too")
    if not options:
        run.evaluate()
    if options or path is not None:
        run.measure(options, path)


def _predict(recipe: Recipe, options: dict[str, Any], place: Place) -> None:
    answering, options = divided(recipe.answering, options)
    recipe.answering(**answering)  # wrong options are refused before a model is loaded
    directory = options["export_dir"] / recipe.name
    run, version = options["run_dir"], options["version"]
    if run is not None and version is not None:
        raise InputError("--run-dir and --version both choose the model: leave one of them out")
    output = options["write_predictions"]
    own, texts = _texts(options, output, recipe.reads_files)
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
    if output is None:
        predict(recipe, texts, path, options["json"], answering, own=own)
        return
    count = write(recipe, own, list(texts), path, output, answering)
    print(f"predictions: {output} ({count:,} rows)")


def _texts(
    options: dict[str, Any], output: Path | None, are_files: bool
) -> tuple[list[Row], Iterable[str]]:
    """The texts to answer, or names of files, and the rows of the file that they are from, if any.

    Raises:
        InputError: The options or the file do not fit.
    """
    table, _ = divided(TableOptions, options)
    words: list[str] = options["texts"]
    if output is not None:
        predictions.check(output)
    if table.get("data"):
        if words:
            raise InputError(
                f"--data {table['data']} and the text {words[0]!r} are both to be answered: leave "
                "one of them out"
            )
        return read_table(TableOptions(**table))
    if table or output is not None:
        flags = [f"--{name.replace('_', '-')}" for name in table]
        flags += [] if output is None else ["--write-predictions"]
        raise InputError(f"{', '.join(flags)} is for the rows of a file: give --data, too")
    if len(words) == 1 and not are_files and _is_file(words[0]):
        _hint(f"the text {words[0]!r} is the name of a file", words[0])
    return [], words or _lines()


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or not one
        return False


def _hint(problem: str, name: str) -> None:
    print(f"warning: {problem}: --data {shlex.quote(name)} answers its rows", file=sys.stderr)


def _lines() -> Iterator[str]:
    """The lines of standard input, each as soon as it is complete."""
    if sys.stdin is None:
        raise InputError(
            "standard input is closed: give texts as arguments, or one per line on standard input"
        )
    if sys.stdin.isatty():
        print("type one text per line; end with Ctrl-D", file=sys.stderr)
    return _watched(read_lines(_bytes_of(sys.stdin)))


def _watched(lines: Iterator[str]) -> Iterator[str]:
    """Yields all lines, and warns if the first one looks like the header of a table."""
    for number, line in enumerate(lines):
        if number == 0 and HEADER.fullmatch(line):
            _hint(f"the first line, {line!r}, looks like the header of a table", "FILE")
        yield line


def _bytes_of(stream: TextIO) -> BinaryIO:
    """A stream's bytes, from a separate reader if the stream has a descriptor.

    Python closes `sys.stdin` when it exits, which fails while a thread waits for a line.
    """
    try:
        return open(stream.fileno(), "rb", closefd=False)
    except (OSError, ValueError):
        return stream.buffer
