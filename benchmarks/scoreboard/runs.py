"""Runs' folders to records: their metrics, and the command that their options amount to."""

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scoreboard import commits
from benchmarks.scoreboard.records import Record, Result
from recipes.config import READING
from zoo.errors import InputError
from zoo.system import stored

# the metric that ranks a recipe's models; the loss of the others
RANKING = {
    "digits": "word_error_rate",
    "forecasting": "mase",
    "sentiment": "accuracy",
    "signals": "accuracy",
    "origin": "accuracy",
    "pos": "accuracy",
    "ner": "entity_f1",
    "translation": "bleu_lowercase",
}
NESTED = ("pairs",)  # metrics with parts that are stored, too
DIGITS = 6  # of a stored metric, after the point
OWN = ("seed", "download", "strategy")  # options that do not distinguish what is measured
PLACES = tuple(name for name in READING if name in ("data", "source_file", "target_file"))
Options = Mapping[str, Any]


def read(folder: Path) -> tuple[dict[str, Any], Result]:
    """The options and the metrics of a run.

    A recipe that writes examples (names, melodies) measures them with metrics that it also gives
    for the real ones of test: the record has those of the written ones.

    Raises:
        InputError: It is no run, or it was not evaluated.
    """
    missing = "give the folder of a run"
    config = stored.read_json(folder / "config.json", dict, missing=missing)
    path, recipe = folder / "metrics.json", config.get("recipe", "RECIPE")
    evaluate = f"run `rnn-zoo evaluate {recipe} --run-dir {folder}` first"
    metrics = stored.read_json(path, dict, missing=evaluate)
    if not isinstance(metrics.get("test"), dict):
        raise InputError(f"{path} has no metrics of the test split: {evaluate}")
    return config, Result(
        config.get("seed", 0),
        _numbers(metrics["test"] | metrics.get("written", {})),
        _numbers(metrics.get("validation", {})),
        metrics.get("seconds"),
        metrics.get("parameters"),
        metrics.get("best_epoch"),
    )


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are numbers; those of parts, such as classes, are left out."""
    found = {}
    for name, value in metrics.items():
        if name in NESTED and isinstance(value, dict):
            found |= {f"{name}.{part}": each for part, each in _numbers(value).items()}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = round(value, DIGITS)
    return found


def together(folders: Sequence[Path]) -> tuple[dict[str, Any], list[Result]]:
    """The common options and the results of runs that differ in the seed alone, by seed.

    Raises:
        InputError: Two runs have other options, or the same seed.
    """
    options: dict[str, Any] = {}
    results: dict[int, tuple[Path, Result]] = {}
    for folder in folders:
        config, result = read(folder)
        options = options or config
        for name in sorted({*config, *options} - {*OWN}):
            if config.get(name) != options.get(name):
                raise InputError(
                    f"{folders[0]} and {folder} are not of one command: {name} is "
                    f"{options.get(name)!r} and {config.get(name)!r}; add them one by one"
                )
        if result.seed in results:
            other = results[result.seed][0]
            raise InputError(f"{other} and {folder} have the same seed, {result.seed}: give one")
        results[result.seed] = folder, result
    return options, [results[seed][1] for seed in sorted(results)]


def command_of(options: Options, defaults: Options) -> str:
    """The command of a run: the options that differ from the defaults, without the seed.

    Args:
        options: The run's `config.json`.
        defaults: The options where a user gives none but those that say where the data is.

    Example:
        >>> options = {"recipe": "ner", "data": "a b.conll", "units": 9, "tied": False, "seed": 2}
        >>> command_of(options, {"data": "builtin", "units": 64, "tied": True, "seed": 0})
        "rnn-zoo all ner --data 'a b.conll' --units 9 --no-tied"
        >>> command_of({"recipe": "ner", "filters": [2, 3]}, {"filters": (2, 3)})
        'rnn-zoo all ner'
    """
    defaults = json.loads(json.dumps(defaults))  # a run's file has lists for tuples
    words = ["rnn-zoo", "all", options["recipe"]]
    for name, value in options.items():
        if name in ("recipe", *OWN) or value is None or value == defaults.get(name):
            continue
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            text = json.dumps(value) if isinstance(value, list | dict) else str(value)
            words += [f"--{flag}", text]
    return shlex.join(words)


def defaults_of(options: Options) -> dict[str, Any]:
    """What the options of a run are by default, on its data."""
    places = {name: value for name, value in options.items() if name in PLACES}
    defaults = _configured(options["recipe"], places)
    return defaults | {name: "builtin" if name == "data" else "" for name in places}


def options_of(command: str) -> dict[str, Any]:
    """All options of a command of a recipe; None where the data decides.

    Raises:
        InputError: It trains no recipe.
    """
    from recipes.commands import parse  # it imports TensorFlow

    recipe, words = words_of(command)
    task = _recipe(recipe)
    given = parse(task, "train", words)
    known = {field.name for field in dataclasses.fields(task.config)}
    return _configured(recipe, {name: given[name] for name in given if name in known})


def words_of(command: str) -> tuple[str, list[str]]:
    """The recipe and the options of a command such as `rnn-zoo all ner --units 9`.

    Raises:
        InputError: It is not such a command.
    """
    program, *words = shlex.split(command)
    if program != "rnn-zoo" or len(words) < 2:
        raise InputError(f"`{command}` trains no recipe, so it cannot be run from here")
    return words[1], words[2:]


def _recipe(name: str) -> Any:
    import zoo
    from recipes import registry

    zoo.import_models()
    return registry.find(name)


def _configured(recipe: str, options: Options) -> dict[str, Any]:
    return dataclasses.asdict(_recipe(recipe).configured(options))


def same_but_place(options: Options, other: Options) -> str:
    """The first option in which two differ, except for where the data is; "" if there is none.

    An option that is None is chosen by the data, and equal to any.
    """
    for name in sorted({*options, *other} - {*OWN, *PLACES, "recipe"}):
        one, two = options.get(name), other.get(name)
        if None not in (one, two) and one != two:
            return name
    return ""


def record_of(folders: Sequence[Path], commit: str = "", **texts: str) -> Record:
    """A new record of runs.

    Args:
        folders: Runs that differ in the seed alone.
        commit: The one with which they were made; by default the newest one, which must be older
            than the runs.
        texts: `name`, `data`, `model` and `machine`, where these are not to be those of the
            options.

    Raises:
        InputError: The runs cannot be used, or no commit has their code.
    """
    options, results = together(folders)
    made = [(folder / "metrics.json").stat().st_mtime for folder in folders]
    if not commit:
        commit = commits.head()
        if min(made) < commits.seconds_of(commit):
            raise InputError(
                f"{folders[made.index(min(made))]} is older than the newest commit {commit}: give "
                "the commit with which it was made as --commit"
            )
    recipe = options["recipe"]
    metric = RANKING.get(recipe, "loss")
    cell = str(options.get("cell") or "")
    sized = f"{cell} of {options['units']}" if cell and "units" in options else ""
    model = sized or str(options.get("architecture", ""))
    defaults = {"name": f"{recipe}-{Path(str(options.get('data'))).name}", "machine": ""}
    chosen = {**defaults, "data": str(options.get("data")), "model": model}
    chosen |= {name: text for name, text in texts.items() if text}
    return Record(
        recipe=recipe,
        command=command_of(options, defaults_of(options)),
        metrics=[metric],
        results=results,
        commit=commit,
        date=commits.day_of(max(made)),
        tables=["results", f"recipe {recipe}"],
        architecture=str(options.get("architecture", "")),
        cell=cell,
        **chosen,
    )


def added(records: Sequence[Record], new: Record) -> list[Record]:
    """The records with a new one, which replaces the results of the one of the same name.

    That one keeps its texts and its command, which must have the same options.

    Raises:
        InputError: It has other options.
    """
    for place, old in enumerate(records):
        if old.name == new.name:
            _require_same(old, new)
            changed = dataclasses.replace(
                old,
                results=new.results,
                commit=new.commit,
                date=new.date,
                commit_of="run",
                machine=new.machine,
                validation="",
                time="",
            )
            return [*records[:place], changed, *records[place + 1 :]]
    return [*records, new]


def _require_same(old: Record, new: Record) -> None:
    """Raises unless two records are of one command, whatever the path of its data."""
    if new.command == old.command:
        return
    own = options_of(old.command) if new.recipe == old.recipe else {}
    other = same_but_place(own, options_of(new.command)) if own else "recipe"
    if other:
        raise InputError(
            f"the record {old.name} is of `{old.command}`, the runs are of `{new.command}`, which "
            f"differs in {other}: give another --name"
        )
