"""The one flow that all recipes share: data -> train -> evaluate -> export -> predictions."""

import codecs
import dataclasses
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import keras

from recipes import answering, demonstration, plots, provenance
from recipes import scores as metrics
from recipes.config import (
    TrainingConfig,
    configured,
    differences,
    from_mapping,
    read_json,
    write_json,
)
from recipes.data.share import share_of
from recipes.predictions import Measured
from recipes.predictions import write as write_predictions
from recipes.run_files import record_new
from recipes.training import checkpoint, epochs, loop
from recipes.training.checkpoint import Progression
from recipes.training.precision import in_precision
from recipes.training.replicas import Team, team_of
from zoo import export
from zoo.errors import DamagedFile, InputError
from zoo.system import checksums, durable, lock, memory
from zoo.system.lock import InUseError

RUNS = Path("runs")
EXPORTS = Path("saved_models")
CONFIG = "config.json"
# what may change when a run is resumed: it does not change what the finished epochs gave
FREE_ON_RESUME = ("epochs", "minutes", "patience", "download", "strategy", "accumulate")


def new_directory(name: str) -> Path:
    """A folder for a new run: `runs/NAME/` and the time."""
    stem = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
        directory = RUNS / name / (stem + suffix)
        if not directory.exists():
            return directory
    raise InputError(f"{RUNS / name} is full of runs of this second: give --run-dir")


def latest_directory(name: str) -> Path:
    """The run that was begun last, or an error that says how to begin one."""
    found = sorted((RUNS / name).glob("*/config.json"))
    if not found:
        raise InputError(f"no run in {RUNS / name}: train first, or give --run-dir")
    return found[-1].parent


def load_config(task: ModuleType, directory: Path) -> TrainingConfig:
    """The configuration of a run.

    If `config.json` is damaged, its copy beside the checkpoints is read instead, and a line says
    so.

    Raises:
        InputError: There is no such run, it is one of another recipe, or both files are damaged.
    """
    path, copy = directory / CONFIG, directory / "checkpoints" / CONFIG
    try:
        stored = read_json(path if path.exists() or not copy.exists() else copy, dict)
    except DamagedFile as error:
        if not copy.exists():
            raise
        print(f"{error}; {copy} is used instead", file=sys.stderr, flush=True)
        path = copy
        stored = read_json(path, dict)
    if stored.pop("recipe", task.NAME) != task.NAME:
        raise InputError(f"{directory} is not a run of {task.NAME}: give another --run-dir")
    try:
        config: TrainingConfig = from_mapping(task.Config, stored)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return config


def options_of(task: ModuleType, path: Path) -> dict[str, Any]:
    """The options that a JSON file gives: `best.json` of a study, `config.json` of a run.

    Raises:
        InputError: It is no such file, or one of another recipe.
    """
    stored = read_json(path, dict, 'give --config JSON such as {"units": 64}')
    if stored.pop("recipe", task.NAME) != task.NAME:
        raise InputError(f"{path} is not of the recipe {task.NAME}: give another --config")
    stored.pop("warning", None)  # of a study whose settings failed in part
    return stored


def begin(task: ModuleType, given: dict[str, Any], directory: Path | None) -> tuple[Any, Path]:
    """The configuration and the folder of a new run."""
    config = configured(task, given)
    team = team_of(config.strategy)
    with memory.for_training():
        task.check(config)
    if config.strategy == "multiworker" and not directory:
        raise InputError("--strategy multiworker needs a --run-dir that all processes see")
    directory = directory or new_directory(task.NAME)
    if team.is_chief:
        _refuse_another(directory)
    return config, directory


def _refuse_another(directory: Path) -> None:
    if (directory / lock.LOCK).exists():  # by whom it is in use is more to the point
        with alone(directory):
            pass
    if (directory / CONFIG).exists() or (directory / "checkpoints" / CONFIG).exists():
        raise InputError(
            f"{directory} holds a run already: go on with it by --resume, or give another --run-dir"
        )


def resume(task: ModuleType, given: dict[str, Any], directory: Path | None) -> tuple[Any, Path]:
    """Takes up an interrupted run; what shaped its finished epochs cannot change."""
    directory = directory or latest_directory(task.NAME)
    config = load_config(task, directory)
    # with a decay, another number of epochs would change the rate of the finished ones
    fixed = config.decay != "none" and config.epochs is not None
    names = [name for name in FREE_ON_RESUME if name != "epochs" or not fixed]
    changed = differences(config, given, names)
    if changed:
        raise InputError(f"a resumed run keeps its options; without {', '.join(changed)}, please")
    free = {name: value for name, value in given.items() if name in names}
    return dataclasses.replace(config, **free), directory


@contextmanager
def opened(
    task: ModuleType, given: dict[str, Any], directory: Path | None, resumed: bool
) -> Iterator[tuple[Any, Path]]:
    """A new or an interrupted run, into which no other process writes meanwhile.

    The replicas of a run that several processes train share its folder; their chief holds it.

    Args:
        task: The recipe.
        given: The options.
        directory: The run's folder, or None for a new name or the run that was begun last.
        resumed: Whether an interrupted run goes on.

    Yields:
        The configuration and the folder.

    Raises:
        InputError: The options do not fit, or another process holds the folder.
    """
    start = resume if resumed else begin
    with ExitStack() as stack:
        while True:
            config, found = start(task, given, directory)
            if not team_of(config.strategy).is_chief:
                break
            try:
                stack.enter_context(alone(found))
            except InUseError:
                if directory or resumed:
                    raise
                continue  # another process has just taken the name
            if resumed:
                config, found = resume(task, given, found)  # as the process before left it
            else:
                _refuse_another(found)
            break
        yield config, found


def alone(directory: Path) -> AbstractContextManager[None]:
    """Keeps other processes from writing into a run's folder."""
    advice = "wait until it ends, or give another --run-dir"
    return lock.hold(directory, "the run", advice)


def train(task: ModuleType, config: Any, directory: Path) -> Any:
    """Trains a run from its beginning or from its last finished epoch.

    Returns:
        What the task prepared, for the verbs that follow.
    """
    team = team_of(config.strategy)
    with alone(directory) if team.is_chief else nullcontext():
        return _train(task, config, directory, team)


def _train(task: ModuleType, config: Any, directory: Path, team: Team) -> Any:
    keras.utils.set_random_seed(config.seed)
    new = not any((folder / CONFIG).exists() for folder in _config_folders(directory))
    try:
        with team.chief_first():
            config, splits = _loaded(task, config)
            if new and team.is_chief:  # before the vocabularies: what is prepared can be taken up
                _write_config(task, config, directory)
            prepared = _prepared(task, config, splits, directory)
        model, progression = _model(task, config, prepared, directory)
    except InputError:
        if new and team.is_chief:  # the options or the data are wrong: there is no run
            _forget(directory)
        raise
    if not new and team.is_chief:  # a run that cannot be resumed keeps the options it had
        _write_config(task, config, directory)
    print(f"model: {config.architecture}, {model.count_params():,} parameters", flush=True)
    progression = loop.train(
        model,
        task.epochs(model, prepared),
        lambda trained: task.validate(trained, prepared),
        config,
        directory,
        progression,
    )
    if team.is_chief:
        hint = loop.how_to_go_on(progression, config)
        if hint:
            print(f"{hint} (run: {directory})", flush=True)
        curves = directory / "curves.png"
        plots.learning_curves(progression.history, progression.best_epoch, curves)
        metrics.write(directory, metrics.of_training(model, prepared, progression))
    return prepared


def _model(
    task: ModuleType, config: Any, prepared: Any, directory: Path
) -> tuple[keras.Model, Progression]:
    """The model as the newest whole state has it, or a new one."""
    stored = checkpoint.load(directory / "checkpoints")
    if stored:
        print(f"resumed after epoch {stored[1].epoch}")
        return stored
    with in_precision(config.precision), memory.for_training():
        model = task.build(config, prepared)
    rows, steps = prepared.batches["train"].largest_batch
    memory.check_step(model, -(-rows // config.accumulate), steps)
    return model, Progression()


def _config_folders(directory: Path) -> tuple[Path, Path]:
    """Where a run's configuration is, and its copy."""
    return directory, directory / "checkpoints"


def _write_config(task: ModuleType, config: Any, directory: Path) -> None:
    content = {"recipe": task.NAME, **dataclasses.asdict(config)}
    for folder in _config_folders(directory):
        durable.make_folder(folder)
        write_json(folder / CONFIG, content, checked=True)


def _forget(directory: Path) -> None:
    """Takes away the files by which a folder is a run."""
    for folder in (directory / "checkpoints", directory):
        for name in (CONFIG, checksums.NAME):
            (folder / name).unlink(missing_ok=True)
    if (directory / "checkpoints").exists():
        (directory / "checkpoints").rmdir()


def load_data(task: ModuleType, config: Any, directory: Path) -> tuple[Any, Any]:
    """Loads and prepares the data, and reports its size; makes the run's folder.

    Returns:
        The configuration, with `epochs` and `patience` chosen by the size of the training split
        where they are not given; and what the task prepared.
    """
    config, splits = _loaded(task, config)
    return config, _prepared(task, config, splits, directory)


def _loaded(task: ModuleType, config: Any) -> tuple[Any, tuple[Any, float]]:
    """The configuration with its epochs; the splits, and when loading them began."""
    start = time.monotonic()
    splits = share_of(task.load(config), config.train_fraction, config.split_seed)
    size = epochs.size_of(splits.train)
    settled = epochs.settled(config, size)
    if config.epochs is None:
        print(epochs.told(settled, size), flush=True)
    return settled, (splits, start)


def _prepared(task: ModuleType, config: Any, splits: tuple[Any, float], directory: Path) -> Any:
    """What the recipe makes of the splits."""
    durable.make_folder(directory)
    prepared = task.prepare(config, splits[0], directory)
    if team_of(config.strategy).is_chief:
        record_new(directory)
    sizes = {name: len(batches.encoded) for name, batches in prepared.batches.items()}
    counts = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    seconds = time.monotonic() - splits[1]
    print(f"data: {config.data}: {counts}; ready in {seconds:.0f} s", flush=True)
    print(prepared.summary, flush=True)
    return prepared


def evaluate(task: ModuleType, config: Any, directory: Path, prepared: Any = None) -> None:
    """Measures the best model of a run on validation and test."""
    with alone(directory):
        model = best_model(directory)
        if prepared is None:
            config, prepared = load_data(task, config, directory)
        scores = task.evaluate(model, prepared, directory)
        metrics.write(directory, scores)
    for split, values in scores.items():
        print(f"{split}: {metrics.told(values)}")


def measure(
    task: ModuleType,
    config: Any,
    directory: Path,
    data: dict[str, Any],
    predictions: Path | None = None,
) -> None:
    """Measures the best model of a run on other data, or writes its predictions; or both.

    The run's own metrics stay as they are: those of other data go to its folder `evaluations`.

    Args:
        task: The recipe's module.
        config: The run's options.
        directory: The run's folder.
        data: The options of other data, such as `data` and `text_column`; empty for the run's own
            test split, of which only predictions are written.
        predictions: The file for each example's prediction, or None.
    """
    other = _of_other_data(config, data) if data else config
    splits = task.load(other, whole=True) if data else task.load(config)
    measured: Measured = task.measure(best_model(directory), config, splits, directory)
    if data:
        name = other.data if "data" in data else other.source_file
        print(f"{name}: {metrics.told(measured.scores)}")
        folder = directory / "evaluations"
        durable.make_folder(folder)
        path = free_path(folder, time.strftime("%Y%m%d-%H%M%S"), ".json")
        write_json(path, {"data": name, **measured.scores})
        print(f"metrics: {path}")
    if predictions and measured.predictions is not None:
        count = write_predictions(predictions, measured.predictions)
        print(f"predictions: {predictions} ({count:,} rows)")


def _of_other_data(config: Any, data: dict[str, Any]) -> Any:
    """The run's options with other data, of which all counts unless a limit is given."""
    free = {"limit": 0, "source_file": "", "target_file": ""}
    if "data" not in data:
        free["data"] = "builtin"  # where the two files of a translation are given in its place
    own = {field.name for field in dataclasses.fields(config)}
    values = {**{name: value for name, value in free.items() if name in own}, **data}
    return dataclasses.replace(config, **values)


def free_path(folder: Path, stem: str, ending: str) -> Path:
    """A path in a folder that does not exist yet."""
    numbers = ("", *(f"-{number}" for number in range(2, 1000)))
    for path in (folder / f"{stem}{number}{ending}" for number in numbers):
        if not path.exists():
            return path
    raise InputError(f"{folder} is full of files of this second: try again")


def best_model(directory: Path) -> keras.Model:
    """The model of a run that validated best."""
    best_path(directory)
    return checkpoint.load_best(directory / "checkpoints")


def best_path(directory: Path) -> Path:
    """The file of that model, or an error that says that there is none."""
    path = directory / "checkpoints" / checkpoint.BEST
    if not path.exists():
        raise InputError(f"{directory} holds no trained model: train first, or give --run-dir")
    return path


def export_run(
    task: ModuleType, config: Any, directory: Path, export_root: Path, file: TextIO | None = None
) -> Path:
    """Exports the best model of a run as the next version; says so on `file`, or stdout."""
    model = best_model(directory)
    path: Path = task.export(model, config, directory, export_root / task.NAME)
    provenance.write(path, task.NAME, config, directory)
    print(f"exported: {path} (loaded in a fresh process, same answers)", file=file)
    return path


def exported_from(task: ModuleType, directory: Path, export_root: Path) -> Path:
    """The exported model of a run: from `export_root`, or from the run's own `exported` folder.

    Where neither has one with the weights of the run's best model, it is exported to the latter.
    """
    config = load_config(task, directory)
    best_path(directory)
    own = directory / "exported"
    for root in (export_root, own):
        path = provenance.of_run(directory, root / task.NAME)
        if path:
            return path
    return export_run(task, config, directory, own, file=sys.stderr)


def predict(
    task: ModuleType,
    texts: Iterable[str],
    path: Path,
    as_json: bool = False,
    how: dict[str, Any] | None = None,
    line: Callable[[dict[str, Any]], str] | None = None,
) -> None:
    """Prints the answers of an exported model, in the order of the texts.

    Args:
        task: The recipe's module.
        texts: A list, or what yields texts as they come: those at hand are answered while the next
            is waited for.
        path: The version's folder.
        as_json: Print an object a line.
        how: The options that the recipe's answers have.
        line: An answer -> the line to print; by default the recipe's own.
    """
    options = task.Answering(**how or {})
    shown = line or task.line
    served = export.load(path)
    ascii_only = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name != "utf-8"

    def answer(some: Sequence[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = task.answer(served.signatures, some, options)
        return rows

    unknown = answering.UnknownTokens()
    for pool in answering.pools_of(texts, whole=bool(getattr(options, "attention", ""))):
        for text, rows in zip(pool, answering.answered(answer, pool, options), strict=True):
            for row in rows:
                print(json.dumps(row, ensure_ascii=ascii_only) if as_json else shown(row))
            unknown.note(text, rows)
        sys.stdout.flush()
    unknown.report()


def _pictured(directory: Path) -> list[str]:
    """The files of a run that are for people."""
    pictures = ("curves.png", "confusion.png", "confusions.csv")
    names = ("config.json", "metrics.json", "history.csv", *pictures)
    return [name for name in names if (directory / name).exists()]


def run(task: ModuleType, config: Any, directory: Path, export_root: Path) -> None:
    """The whole job: train, evaluate, export, a few predictions; tells where everything lies."""
    prepared = train(task, config, directory)
    if not team_of(config.strategy).is_chief:
        return
    evaluate(task, config, directory, prepared)
    path = export_run(task, config, directory, export_root)
    print("predictions of the exported model:")
    examples = task.examples(config, prepared)
    how = getattr(task, "EXAMPLE_OPTIONS", None)
    predict(task, examples, path, how=how, line=demonstration.line_of(task))
    if note := demonstration.note(task, config, prepared):
        print(note)
    print(f"run: {directory} ({', '.join(_pictured(directory))})")
    print(f"model: {path}; ask it with: {predict_command(task, examples, export_root)}")


def predict_command(task: ModuleType, examples: Sequence[str], export_root: Path) -> str:
    """A command that a shell takes as it stands: it asks the newest export about an example."""
    words = ["python", "-m", "recipes", task.NAME, "predict"]
    if export_root != EXPORTS:
        words += ["--export-dir", str(export_root)]
    usual = [text for text in examples if text.isprintable() and text.strip()]
    text = min(usual or ["your text"], key=len)
    return shlex.join([*words, *(["--"] if text.startswith("-") else []), text])
