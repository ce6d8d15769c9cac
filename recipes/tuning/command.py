"""`python -m recipes NAME tune`: parses the options and runs a study."""

import argparse
import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from recipes import pretrained, registry
from recipes.config import numbers
from recipes.recipe import Recipe
from recipes.training import epochs
from recipes.training.loop import direction_of
from recipes.tuning import measure as tune
from zoo.errors import Failure, InputError
from zoo.options import SCALARS, Option, add_arguments
from zoo.system.commas import separated
from zoo.tuning.report import report
from zoo.tuning.results import Findings
from zoo.tuning.space import NOTATION, Axis, parse
from zoo.tuning.storage import Measure, Records, Run, number
from zoo.tuning.study import ALGORITHMS, Study
from zoo.tuning.trials import PATIENCE, alone, conduct, follow, lead
from zoo.tuning.values import whole

STUDIES = Path("studies")
UNITS = {True: "2:32:log:4", False: "16:256:log"}  # by whether the data is built in
FRACTIONS = {True: "0.1,1.0", False: "1.0"}
WAIT = 600  # seconds that a worker waits for its chief's study
# options of a study; those of the recipe are added
OWN = [
    Option("algorithm", str, None, f"{', '.join(ALGORITHMS)} (default: grid)"),
    Option("trials", int, None, "settings to try at most (default: 100)"),
    Option(
        "minutes",
        float,
        None,
        "minutes for the search: no trial starts that would end later (default: any)",
    ),
    Option("seeds", int, None, "runs per setting, with different seeds (default: 2)"),
    Option(
        "fractions",
        str,
        None,
        f"fractions of the training split, 0 to 1 (default: {FRACTIONS[True]} of a built-in "
        f"corpus, else {FRACTIONS[False]})",
    ),
    Option(
        "objective",
        str,
        None,
        "validation metric that chooses epochs and settings, such as loss (default: the recipe's)",
    ),
]
QUOTES = "a value with commas in double quotes inside the shell's: '\"2,3\"'"
# options that a search cannot vary, and the reason
FIXED = {
    "seed": "for several seeds per setting give --seeds 3",
    "objective": "settings are compared by one metric",
    "init": "all settings start from the same weights",
}


class SearchFailed(Failure):
    """Most settings failed; the message names the cause."""


def _own(recipe: Recipe) -> list[Option]:
    """Returns the options of the study that the recipe does not declare itself."""
    shared = {"objective"} & {field.name for field in dataclasses.fields(recipe.config)}
    return [each for each in OWN if each.name not in shared]


def _architectures(recipe: Recipe, text: str) -> list[str]:
    """Returns the architectures of a search, one or several separated by commas."""
    return separated("architecture", text) if text else [recipe.config.architecture]


def add_options(
    parser: argparse.ArgumentParser, run: Any, recipe: Recipe, architectures: str
) -> None:
    """Adds the options of the study and of the recipe, which may have several values.

    The options of the command itself join the group `run`. `architectures` is the value of
    `--architecture`, or "".
    """
    run.add_argument(
        "--study-dir", type=Path, help="folder of the study (default: studies/NAME/TIME)"
    )
    run.add_argument("--resume", action="store_true", help="continue an interrupted study")
    run.add_argument("--trial", metavar="N", help="rerun trial N of a study and compare the scores")
    run.add_argument("--chief", action="store_true", help="distribute trials to workers")
    run.add_argument("--worker", metavar="ID", help="run the trials of a chief as the worker ID")
    run.add_argument(
        "--address", default="127.0.0.1:9517", help="HOST:PORT of the chief (default: %(default)s)"
    )
    run.add_argument(
        "--sign-of-life",
        type=float,
        default=PATIENCE,
        metavar="X",
        help="seconds without a message after which a worker counts as dead (default: %(default)s)",
    )
    add_arguments(parser.add_argument_group("search"), _own(recipe))
    taken = {each.name for each in _own(recipe)} | {"train_fraction"}
    for title, options in recipe.option_groups(_architectures(recipe, architectures)).items():
        group = parser.add_argument_group(title)
        for each in options:
            if each.name not in taken:
                several = f"{NOTATION}; {QUOTES}" if each.kind is str else NOTATION
                if each.kind not in SCALARS:
                    several = "a JSON list of values"
                add_arguments(group, [each], several, recipe.builtin_defaults())


def run(recipe: Recipe, options: dict[str, Any]) -> None:
    """Starts a study, resumes it, or reruns one of its trials."""
    tf.get_logger().setLevel("ERROR")  # each trial traces graphs, which TensorFlow warns of
    command = {
        name: options.pop(name)
        for name in ("study_dir", "resume", "trial", "chief", "worker", "address", "sign_of_life")
    }
    if command["worker"] is not None:
        _work(recipe, options, **command)
        return
    chosen = "objective" in options
    if command["resume"] or command["trial"] is not None:
        directory = command["study_dir"] or latest(recipe.name)
        study = load(recipe, directory)
        if options and not _same(planned(recipe, dict(options)), study, options):
            given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
            raise InputError(
                f"{directory} is a study with other options: drop {given}, or start a new study "
                "with another --study-dir"
            )
    else:
        study = planned(recipe, options)
        directory = command["study_dir"] or STUDIES / recipe.name / time.strftime("%Y%m%d-%H%M%S")
    with alone(directory):
        _run(recipe, study, directory, chosen, **command)


def _run(recipe: Recipe, study: Study, directory: Path, chosen: bool, **command: Any) -> None:
    """Runs the search in a locked folder; `chosen`: the user has chosen the objective."""
    if not command["resume"] and command["trial"] is None and (directory / "study.json").exists():
        raise InputError(
            f"{directory} already holds a study: continue it with --resume, or give another "
            "--study-dir"
        )
    measure = tune.Trainings(recipe, study.fixed, directory / "data" / "alone", study.objective)
    if command["trial"] is not None:
        rerun(study, measure, directory, command["trial"])
        return
    if not (command["resume"] or command["chief"]):
        study = judged(study, measure, chosen)
    _announce(study, directory)
    if command["chief"]:
        print(f"chief at {command['address']}: waiting for workers", flush=True)
        lead(study, directory, command["address"], command["sign_of_life"])
    else:
        conduct(study, measure, directory)
    _end(recipe, study, directory)


def latest(name: str) -> Path:
    """Returns the folder of the latest study of a recipe."""
    found = sorted((STUDIES / name).glob("*/study.json"))
    if not found:
        raise InputError(f"no study in {STUDIES / name}: start one, or give --study-dir")
    return found[-1].parent


def load(recipe: Recipe, directory: Path) -> Study:
    """Loads a study of a recipe."""
    study = Study.load(directory)
    if study.name != recipe.name:
        raise InputError(f"{directory} is a study of {study.name}: give another --study-dir")
    return study


def planned(recipe: Recipe, options: dict[str, Any]) -> Study:
    """Returns the study that the options describe.

    Raises:
        InputError: An option is malformed, or no model can be built with it.
    """
    own = {each.name: options.pop(each.name) for each in _own(recipe) if each.name in options}
    named = options.get("architecture", "")
    named = named or pretrained.architecture_of(recipe, options.get("init", ""))
    groups = recipe.option_groups(_architectures(recipe, named))
    known = {each.name: each for group in groups.values() for each in group}
    read = {name: parse(name, text, known[name].kind) for name, text in options.items()}
    axes = [
        dataclasses.replace(value, only_if=known[value.name].only_if)
        for value in read.values()
        if isinstance(value, Axis)
    ]
    fixed = {name: value for name, value in read.items() if not isinstance(value, Axis)}
    builtin = fixed.get("data", "builtin") == "builtin"
    _check_axes(axes)
    if fixed.get("init"):
        _check_start(recipe, fixed["init"], axes)
    if not axes:
        if "units" in fixed:
            raise InputError(
                f"nothing to search over with --units {fixed['units']}: give several values, "
                "such as 16:256:log"
            )
        axes = [parse("units", UNITS[builtin], int)]
    config = recipe.configured(fixed)
    recipe.check(config)
    strategies = [axis.values for axis in axes if axis.name == "strategy"] or [(config.strategy,)]
    if "multiworker" in strategies[0]:
        raise InputError(
            "a run of a search trains in one process, got --strategy multiworker: leave it out, "
            "and share the search itself by --chief and --worker"
        )
    name = own.get("objective", recipe.objective(config))
    algorithm = own.get("algorithm", "grid")
    most = _most_epochs(recipe, config, algorithm)
    if algorithm == "hyperband":  # its brackets divide one number of epochs, for all fractions
        fixed["epochs"] = most
    return Study(
        recipe.name,
        tuple(axes),
        fixed,
        name,
        direction_of(name),
        algorithm=algorithm,
        trials=own.get("trials", 100),
        epochs=most,
        minutes=own.get("minutes", 0.0),
        seeds=own.get("seeds", 2),
        fractions=tuple(numbers("fractions", own.get("fractions", FRACTIONS[builtin]), float)),
        seed=config.seed,
        others={
            name: value
            for name, value in dataclasses.asdict(config).items()
            if name not in {axis.name for axis in axes}
        },
    )


def _most_epochs(recipe: Recipe, config: Any, algorithm: str) -> int:
    """Returns the epochs of a run; reads the data if Hyperband needs its size."""
    if config.epochs is not None:
        return int(config.epochs)
    if algorithm != "hyperband":
        return config.RULE.least  # at least; each run chooses by the size of its fraction
    size = epochs.size_of(recipe.load(config).train)
    settled = epochs.settled(config, size)
    print(epochs.line_of(settled, size), flush=True)
    return int(settled.epochs)


def _check_axes(axes: Sequence[Axis]) -> None:
    for axis in axes:
        if axis.name in FIXED:
            given = ", ".join(map(str, axis.values)) or f"{axis.low:g} to {axis.high:g}"
            raise InputError(
                f"--{axis.name} takes one value in a search, got {given}: {FIXED[axis.name]}"
            )


def _check_start(recipe: Recipe, name: str, axes: Sequence[Axis]) -> None:
    """Refuses a search over what the pretrained model of `--init` decides, or over nothing."""
    kept = pretrained.kept_options(recipe, name)
    for axis in axes:
        if axis.name in kept:
            flag = f"--{axis.name.replace('_', '-')}"
            raise InputError(
                f"{flag} cannot be searched over with --init {name}, which has "
                f"{kept[axis.name]}: leave one of them out"
            )
    if not axes:
        raise InputError(
            f"nothing to search over: with --init {name} the sizes are the pretrained model's; "
            "give several values of another option, such as --learning-rate 1e-4:1e-2:log"
        )


def _same(new: Study, study: Study, options: dict[str, Any]) -> bool:
    """Returns whether `new` equals `study`, apart from an objective that was not given."""
    if "objective" not in options:
        new = dataclasses.replace(new, objective=study.objective, direction=study.direction)
    return new == study


def judged(study: Study, measure: tune.Trainings, chosen: bool) -> Study:
    """Returns the study with an objective that the data has, unless the user has `chosen` one.

    Raises:
        InputError: The data cannot be read.
    """
    values = next(iter(study.space.grid())) if study.algorithm == "grid" else {}
    axes = {axis.name: axis.values[0] if axis.values else axis.low for axis in study.axes}
    first = Run("0", values or axes, study.fractions[0], study.seed, Path())
    prepared = measure.data(measure.config(first), [axis.name for axis in study.axes])
    objective = measure.recipe.fitting_objective(study.objective, prepared)
    if chosen or objective == study.objective:
        return study
    print(f"the data has no {study.objective}: settings are compared by {objective}", flush=True)
    measure.objective = objective
    return dataclasses.replace(study, objective=objective, direction=direction_of(objective))


def _announce(study: Study, directory: Path) -> None:
    count = f"{study.settings} settings" if study.settings else f"up to {study.trials} settings"
    each = study.seeds * len(study.fractions)
    names = ", ".join(axis.name for axis in study.space.axes)
    print(f"study: {directory}: {count} of {names}, {each} runs each", flush=True)


def _end(recipe: Recipe, study: Study, directory: Path) -> None:
    train = registry.command(recipe.name, "all", "--config", directory / "best.json")
    extra = {"recipe": recipe.name, **study.fixed}
    tune.tidy(directory / "trials")
    findings = Findings.of(study, Records(directory))
    try:
        sentence = report(study, directory, train, extra)
    except InputError as error:
        if not findings.failures:
            raise
        raise SearchFailed(str(error)) from error
    print(sentence)
    most = study.fixed.get("epochs")
    note = f" (with the search's epochs, {most}: --epochs N overrides it)" if most else ""
    print(f"report: {directory / 'report.md'}; train with: {train}{note}", flush=True)
    if findings.mostly_failed:
        ended = findings.finished + len(findings.failures)
        raise SearchFailed(
            f"only {findings.finished} of {ended} settings could be trained, so the recommendation "
            f"is unreliable: see {directory / 'report.md'}"
        )


def rerun(study: Study, measure: Measure, directory: Path, trial: str) -> None:
    """Repeats the runs of a trial and prints the old and the new score of each.

    `trial` is its number in messages and in `trials.csv`, from 1.
    """
    wanted = whole("trial", int(trial) if trial.isdecimal() else trial, 1)
    rows = [row for row in Records(directory).rows() if number(row["trial"]) == wanted]
    if not rows:
        raise InputError(f"{directory} has no finished trial {trial}: see its trials.csv")
    for row in rows:
        place = directory / "again" / f"{os.getpid()}-{row['fraction']:g}-{row['seed']}"
        results = measure(Run(row["trial"], row["values"], row["fraction"], row["seed"], place))
        name = study.objective
        outcome = "the same" if results[name] == row[name] else "NOT the same"
        print(
            f"trial {wanted}  fraction {row['fraction']:g}  seed {row['seed']}: {name} "
            f"{row[name]:.6f} then, {results[name]:.6f} now: {outcome}",
            flush=True,
        )


def _work(recipe: Recipe, options: dict[str, Any], **command: Any) -> None:
    if options or command["study_dir"] is None:
        raise InputError("a worker takes its options from the chief: give --study-dir alone")
    directory: Path = command["study_dir"]
    end = time.monotonic() + WAIT
    while not (directory / "study.json").exists():
        if time.monotonic() > end:
            raise InputError(f"{directory} has had no study.json for {WAIT} s: start the chief")
        time.sleep(0.5)
    study = load(recipe, directory)
    place = directory / "data" / command["worker"]
    measure = tune.Trainings(recipe, study.fixed, place, study.objective)
    follow(study, measure, directory, command["worker"], command["address"])
