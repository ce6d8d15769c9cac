"""`python -m recipes NAME tune`: options in, a study out."""

import argparse
import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from recipes import registry
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
UNITS = {True: "2:32:log:4", False: "16:256:log"}  # of the built-in corpora, and of others
FRACTIONS = {True: "0.1,1.0", False: "1.0"}
WAIT = 600  # seconds that a worker waits for its chief's study
# a study's options, beside those of the recipe
OWN = [
    Option("algorithm", str, None, f"{', '.join(ALGORITHMS)} (default: grid)"),
    Option("trials", int, None, "settings that are tried, at most (default: 100)"),
    Option(
        "minutes",
        float,
        None,
        "the whole search's time: no trial begins that would end later (default: any)",
    ),
    Option("seeds", int, None, "runs of each setting, each with its own seed (default: 2)"),
    Option(
        "fractions",
        str,
        None,
        f"fractions of the training data (default: {FRACTIONS[True]} of a built-in corpus, else "
        f"{FRACTIONS[False]})",
    ),
    Option(
        "objective",
        str,
        None,
        "validation metric that chooses epochs and settings, such as loss (default: the recipe's)",
    ),
]
QUOTES = "text with commas in double quotes inside the shell's: '\"2,3\"'"
# options that no search may vary, and why
FIXED = {
    "seed": "a run of each setting for several seeds is what --seeds 3 asks for",
    "objective": "settings are compared by one metric",
}


class SearchFailed(Failure):
    """Most settings failed; the sentence says what they died of."""


def _own(recipe: Recipe) -> list[Option]:
    """The options of the study itself, but those that the recipe has by the same name."""
    shared = {"objective"} & {field.name for field in dataclasses.fields(recipe.config)}
    return [each for each in OWN if each.name not in shared]


def _architectures(recipe: Recipe, text: str) -> list[str]:
    """The architectures that a search tries: one of them, or several with commas between."""
    return separated("architecture", text) if text else [recipe.config.architecture]


def add_options(
    parser: argparse.ArgumentParser, run: Any, recipe: Recipe, architectures: str
) -> None:
    """Adds the study's options, and the recipe's, each of which may have several values.

    Args:
        parser: Gets a group for each kind of options.
        run: Its group for where and how the search runs.
        recipe: What is searched.
        architectures: The value of `--architecture`, or "".
    """
    run.add_argument("--study-dir", type=Path, help="its folder (default: studies/NAME/TIME)")
    run.add_argument("--resume", action="store_true", help="go on after an interruption")
    run.add_argument("--trial", metavar="N", help="run trial N of a study again, and compare")
    run.add_argument("--chief", action="store_true", help="hand out trials to workers")
    run.add_argument("--worker", metavar="ID", help="take trials from a chief")
    run.add_argument(
        "--address", default="127.0.0.1:9517", help="HOST:PORT of the chief (default: %(default)s)"
    )
    run.add_argument(
        "--sign-of-life",
        type=float,
        default=PATIENCE,
        metavar="X",
        help="seconds without one after which a worker is taken for dead (default: %(default)s)",
    )
    add_arguments(parser.add_argument_group("search"), _own(recipe))
    taken = {each.name for each in _own(recipe)} | {"train_fraction"}
    for title, options in recipe.option_groups(_architectures(recipe, architectures)).items():
        group = parser.add_argument_group(title)
        for each in options:
            if each.name not in taken:
                several = f"{NOTATION}; {QUOTES}" if each.kind is str else NOTATION
                if each.kind not in SCALARS:
                    several = "a JSON list of several"
                add_arguments(group, [each], several, recipe.builtin_defaults())


def run(recipe: Recipe, options: dict[str, Any]) -> None:
    """Begins a study, goes on with one, or runs one of its trials again."""
    tf.get_logger().setLevel("ERROR")  # graphs are made anew for each trial, as they should be
    how = {
        name: options.pop(name)
        for name in ("study_dir", "resume", "trial", "chief", "worker", "address", "sign_of_life")
    }
    if how["worker"] is not None:
        _work(recipe, options, **how)
        return
    chosen = "objective" in options
    if how["resume"] or how["trial"] is not None:
        directory = how["study_dir"] or latest(recipe.name)
        study = load(recipe, directory)
        if options and not _same(planned(recipe, dict(options)), study, options):
            given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
            raise InputError(
                f"{directory} is a study with other options: give the same ones, or none beside "
                f"--resume (given: {given})"
            )
    else:
        study = planned(recipe, options)
        directory = how["study_dir"] or STUDIES / recipe.name / time.strftime("%Y%m%d-%H%M%S")
    with alone(directory):
        _run(recipe, study, directory, chosen, **how)


def _run(recipe: Recipe, study: Study, directory: Path, chosen: bool, **how: Any) -> None:
    """Searches, in a folder that no other search uses; `chosen`: by the user's own objective."""
    if not how["resume"] and how["trial"] is None and (directory / "study.json").exists():
        raise InputError(
            f"{directory} holds a study already: go on with it by --resume, or give another "
            "--study-dir"
        )
    measure = tune.Trainings(recipe, study.fixed, directory / "data" / "alone", study.objective)
    if how["trial"] is not None:
        again(study, measure, directory, how["trial"])
        return
    if not (how["resume"] or how["chief"]):
        study = judged(study, measure, chosen)
    _tell(study, directory)
    if how["chief"]:
        print(f"chief at {how['address']}: waiting for workers", flush=True)
        lead(study, directory, how["address"], how["sign_of_life"])
    else:
        conduct(study, measure, directory)
    _end(recipe, study, directory)


def latest(name: str) -> Path:
    """The study that was begun last."""
    found = sorted((STUDIES / name).glob("*/study.json"))
    if not found:
        raise InputError(f"no study in {STUDIES / name}: begin one, or give --study-dir")
    return found[-1].parent


def load(recipe: Recipe, directory: Path) -> Study:
    """A study of this recipe."""
    study = Study.load(directory)
    if study.name != recipe.name:
        raise InputError(f"{directory} is a study of {study.name}: give another --study-dir")
    return study


def planned(recipe: Recipe, options: dict[str, Any]) -> Study:
    """What the options ask for.

    Raises:
        InputError: An option's value is not of its form, or fits no model.
    """
    own = {each.name: options.pop(each.name) for each in _own(recipe) if each.name in options}
    groups = recipe.option_groups(_architectures(recipe, options.get("architecture", "")))
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
    if not axes:
        if "units" in fixed:
            raise InputError(
                f"nothing to search over with --units {fixed['units']}: give several values, "
                "16:256:log"
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
    if algorithm == "hyperband":  # its brackets divide one number, for all shares of the data
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
        fractions=_shares(own.get("fractions", FRACTIONS[builtin])),
        seed=config.seed,
        others={
            name: value
            for name, value in dataclasses.asdict(config).items()
            if name not in {axis.name for axis in axes}
        },
    )


def _most_epochs(recipe: Recipe, config: Any, algorithm: str) -> int:
    """The epochs of a run; reads the data if they follow from its size and have to be known."""
    if config.epochs is not None:
        return int(config.epochs)
    if algorithm != "hyperband":
        return config.RULE.least  # at least; each run chooses by the size of its share
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


def _same(asked: Study, study: Study, options: dict[str, Any]) -> bool:
    """Whether options ask for a study that is there; where they name no objective, any fits."""
    if "objective" not in options:
        asked = dataclasses.replace(asked, objective=study.objective, direction=study.direction)
    return asked == study


def judged(study: Study, measure: tune.Trainings, chosen: bool) -> Study:
    """A study that is about to begin, compared by a metric that the data has.

    Args:
        study: As it is planned.
        measure: Its trainings, which keep the data that is read here.
        chosen: Whether the objective is the user's own choice.

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


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"fractions must be numbers with commas between them, got {text!r}"
        ) from error


def _tell(study: Study, directory: Path) -> None:
    count = f"{study.settings} settings" if study.settings else f"up to {study.trials} settings"
    each = study.seeds * len(study.fractions)
    names = ", ".join(axis.name for axis in study.space.axes)
    print(f"study: {directory}: {count} of {names}, {each} runs each", flush=True)


def _end(recipe: Recipe, study: Study, directory: Path) -> None:
    again = registry.command(recipe.name, "all", "--config", directory / "best.json")
    extra = {"recipe": recipe.name, **study.fixed}
    tune.tidy(directory / "trials")
    findings = Findings.of(study, Records(directory))
    try:
        sentence = report(study, directory, again, extra)
    except InputError as error:
        if not findings.failures:
            raise
        raise SearchFailed(str(error)) from error
    print(sentence)
    print(f"report: {directory / 'report.md'}; train with: {again}", flush=True)
    if findings.mostly_failed:
        ended = findings.finished + len(findings.failures)
        raise SearchFailed(
            f"only {findings.finished} of {ended} settings could be trained, so the recommendation "
            f"says little: see {directory / 'report.md'}"
        )


def again(study: Study, measure: Measure, directory: Path, trial: str) -> None:
    """Runs a trial's runs anew and prints the old and the new score of each.

    Args:
        study: The study.
        measure: Trains a run.
        directory: The study's folder.
        trial: The trial's number as messages and `trials.csv` have it, from 1 up.
    """
    wanted = whole("trial", int(trial) if trial.isdecimal() else trial, 1)
    rows = [row for row in Records(directory).rows() if number(row["trial"]) == wanted]
    if not rows:
        raise InputError(f"{directory} has no finished trial {trial}: see its trials.csv")
    for row in rows:
        place = directory / "again" / f"{os.getpid()}-{row['fraction']:g}-{row['seed']}"
        found = measure(Run(row["trial"], row["values"], row["fraction"], row["seed"], place))
        name = study.objective
        told = "the same" if found[name] == row[name] else "NOT the same"
        print(
            f"trial {wanted}  fraction {row['fraction']:g}  seed {row['seed']}: {name} "
            f"{row[name]:.6f} then, {found[name]:.6f} now: {told}",
            flush=True,
        )


def _work(recipe: Recipe, options: dict[str, Any], **how: Any) -> None:
    if options or how["study_dir"] is None:
        raise InputError("a worker takes its options from the chief: give --study-dir alone")
    directory: Path = how["study_dir"]
    end = time.monotonic() + WAIT
    while not (directory / "study.json").exists():
        if time.monotonic() > end:
            raise InputError(f"{directory} has had no study.json for {WAIT} s: start the chief")
        time.sleep(0.5)
    study = load(recipe, directory)
    place = directory / "data" / how["worker"]
    measure = tune.Trainings(recipe, study.fixed, place, study.objective)
    follow(study, measure, directory, how["worker"], how["address"])
