"""`Run`: one training of a recipe and its folder: data -> train -> evaluate -> export."""

import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self, TextIO

import keras

from recipes import plots, pretrained, provenance, registry, scores
from recipes.answering import predict
from recipes.config import TrainingConfig, differences, read_json, write_json
from recipes.data.splits import share_of
from recipes.predictions import Measured
from recipes.predictions import write as write_predictions
from recipes.recipe import Recipe
from recipes.run_files import describe, record_new
from recipes.training import checkpoint, epochs, loop, rate_finder
from recipes.training.checkpoint import Progression
from recipes.training.precision import in_precision
from recipes.training.replicas import Team, team_of
from zoo import formats
from zoo.diagnostics.monitor import Monitor
from zoo.errors import DamagedFile, InputError
from zoo.system import checksums, durable, lock, memory
from zoo.system.lock import InUseError

RUNS = Path("runs")
CONFIG = "config.json"
# what may change when a run is resumed: it does not change what the finished epochs gave
FREE_ON_RESUME = ("epochs", "minutes", "patience", "download", "strategy", "accumulate")


def new_directory(name: str) -> Path:
    """A folder for a new run: `runs/NAME/` and the time."""
    return free_path(RUNS / name)


def latest_directory(name: str) -> Path:
    """The folder of the newest run.

    Raises:
        InputError: There is none.
    """
    found = sorted((RUNS / name).glob("*/config.json"))
    if not found:
        raise InputError(f"no run in {RUNS / name}: train first, or give --run-dir")
    return found[-1].parent


def stored_options(recipe: Recipe, path: Path) -> dict[str, Any]:
    """The options in a JSON file: `best.json` of a study, `config.json` of a run.

    Raises:
        InputError: It is no such file, or one of another recipe.
    """
    stored = read_json(path, dict, 'give --config JSON such as {"units": 64}')
    if stored.pop("recipe", recipe.name) != recipe.name:
        raise InputError(f"{path} is not of the recipe {recipe.name}: give another --config")
    stored.pop("warning", None)  # of a study whose settings failed in part
    return stored


class Run:
    """A training of a recipe and the folder that it is in.

    The configuration's `epochs` and `patience` are settled once the data is loaded.
    """

    def __init__(self, recipe: Recipe, config: Any, directory: Path) -> None:
        self.recipe, self.config, self.directory = recipe, config, directory

    @classmethod
    def begin(cls, recipe: Recipe, given: dict[str, Any], directory: Path | None = None) -> Self:
        """A new run, by default in a new folder in `runs/NAME`, which `train` makes.

        Raises:
            InputError: The options do not fit, or the folder has a run already.
        """
        config = recipe.configured(given)
        team = team_of(config.strategy)
        with memory.for_training():
            recipe.check(config)
        if config.strategy == "multiworker" and not directory:
            raise InputError("--strategy multiworker needs a --run-dir that all processes see")
        run = cls(recipe, config, directory or new_directory(recipe.name))
        if team.is_chief:
            run._refuse_another()
        return run

    @classmethod
    def open(cls, recipe: Recipe, directory: Path) -> Self:
        """A run as its folder has it.

        If `config.json` is damaged, its copy beside the checkpoints is read instead, and a line
        says so.

        Raises:
            InputError: There is no such run, it is one of another recipe, or both files are
                damaged.
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
        if stored.pop("recipe", recipe.name) != recipe.name:
            raise InputError(f"{directory} is not a run of {recipe.name}: give another --run-dir")
        try:
            config: TrainingConfig = recipe.opened(stored)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        return cls(recipe, config, directory)

    @classmethod
    def latest(cls, recipe: Recipe) -> Self:
        """The newest run of a recipe in `runs/NAME`."""
        return cls.open(recipe, latest_directory(recipe.name))

    @classmethod
    def resume(cls, recipe: Recipe, given: dict[str, Any], directory: Path | None = None) -> Self:
        """An interrupted run, by default the newest one, with new values of what may change.

        Options that shaped the finished epochs must be the run's own.

        Raises:
            InputError: There is no such run, or an option cannot change.
        """
        run = cls.open(recipe, directory or latest_directory(recipe.name))
        # with a decay, another number of epochs would change the rate of the finished ones
        fixed = run.config.decay != "none" and run.config.epochs is not None
        names = [name for name in FREE_ON_RESUME if name != "epochs" or not fixed]
        changed = differences(run.config, given, names)
        if changed:
            raise InputError(
                f"--resume keeps the run's options: drop {', '.join(changed)}, or start a new run"
            )
        free = {name: value for name, value in given.items() if name in names}
        run.config = dataclasses.replace(run.config, **free)
        return run

    @classmethod
    @contextmanager
    def opened(
        cls, recipe: Recipe, given: dict[str, Any], directory: Path | None, resumed: bool
    ) -> Iterator[Self]:
        """A new run as by `begin`, or if `resumed` one as by `resume`, that no other process uses.

        The replicas of a run that several processes train share its folder; their chief holds it.

        Raises:
            InputError: The options do not fit, or another process holds the folder.
        """
        start = cls.resume if resumed else cls.begin
        with ExitStack() as stack:
            while True:
                run = start(recipe, given, directory)
                if not team_of(run.config.strategy).is_chief:
                    break
                try:
                    stack.enter_context(run.alone())
                except InUseError:
                    if directory or resumed:
                        raise
                    continue  # another process has just taken the name
                if resumed:
                    run = cls.resume(recipe, given, run.directory)  # as the process before left it
                else:
                    run._refuse_another()
                break
            yield run

    def alone(self) -> AbstractContextManager[None]:
        """Keeps other processes from writing into the folder."""
        advice = "wait until it ends, or give another --run-dir"
        return lock.hold(self.directory, "the run", advice)

    def _refuse_another(self) -> None:
        if (self.directory / lock.LOCK).exists():  # by whom it is in use is more to the point
            with self.alone():
                pass
        if any((folder / CONFIG).exists() for folder in self._config_folders):
            raise InputError(
                f"{self.directory} already holds a run: continue it with --resume, or give another "
                "--run-dir"
            )

    @property
    def _config_folders(self) -> tuple[Path, Path]:
        """Where the configuration is, and its copy."""
        return self.directory, self.directory / "checkpoints"

    def write_config(self) -> None:
        """Writes `config.json` and its copy; makes the folder."""
        content = {"recipe": self.recipe.name, **dataclasses.asdict(self.config)}
        for folder in self._config_folders:
            durable.make_folder(folder)
            write_json(folder / CONFIG, content, checked=True)

    def _forget(self) -> None:
        """Deletes the files that make the folder a run."""
        for folder in self._config_folders:
            for name in (CONFIG, checksums.NAME):
                (folder / name).unlink(missing_ok=True)
        if (self.directory / "checkpoints").exists():
            (self.directory / "checkpoints").rmdir()

    def train(self, monitored: bool = False) -> Any:
        """Trains from the beginning or from the last finished epoch.

        Args:
            monitored: Measure the gradients and print what looks wrong; see
                `zoo.diagnostics.monitor`.

        Returns:
            The prepared data, for the verbs that follow.
        """
        team = team_of(self.config.strategy)
        with self.alone() if team.is_chief else nullcontext():
            return self._train(team, monitored)

    def _train(self, team: Team, monitored: bool) -> Any:
        keras.utils.set_random_seed(self.config.seed)
        new = not any((folder / CONFIG).exists() for folder in self._config_folders)
        try:
            with team.chief_first():
                splits, start = self._loaded()
                if new and team.is_chief:  # before the vocabularies: what is prepared is reused
                    self.write_config()
                prepared = self._prepared(splits, start)
            model, progression = self._model(prepared)
        except InputError:
            if new and team.is_chief:  # the options or the data are wrong: there is no run
                self._forget()
            raise
        if not new and team.is_chief:  # a run that cannot be resumed keeps the options it had
            self.write_config()
        print(f"model: {self.config.architecture}, {model.count_params():,} parameters", flush=True)
        progression = loop.train(
            model,
            self.recipe.epochs(model, self.config, prepared),
            lambda trained: self.recipe.validate(trained, self.config, prepared),
            self.config,
            self.directory,
            progression,
            monitor=Monitor(model) if monitored else None,
        )
        if team.is_chief:
            model, more = self.recipe.finished(model, self.config, prepared, self.directory)
            progression.seconds += more
            resume = registry.command(
                self.recipe.name, "train", "--resume", "--run-dir", self.directory
            )
            anew = registry.command(self.recipe.name, "train", "--config", self.directory / CONFIG)
            hint = loop.how_to_go_on(progression, self.config, resume, anew)
            if hint:
                print(hint, flush=True)
            curves = self.directory / "curves.png"
            plots.learning_curves(progression.history, progression.best_epoch, curves)
            scores.write(self.directory, scores.of_training(model, prepared, progression))
            describe(self.directory)
        return prepared

    def _model(self, prepared: Any) -> tuple[keras.Model, Progression]:
        """The model as the newest whole state has it, or a new one."""
        stored = checkpoint.load(self.directory / "checkpoints")
        if stored:
            print(f"resumed after epoch {stored[1].epoch}")
            return stored
        model, progression = new_model(self.recipe, self.config, prepared), Progression()
        if self.config.init and team_of(self.config.strategy).is_chief:
            pretrained.record(self.config, prepared, model, self.directory)
            # from here on the run does without the pretrained model
            checkpoint.save(self.directory / "checkpoints", model, progression)
        return model, progression

    def load_data(self) -> Any:
        """Loads and prepares the data, and reports its size; makes the folder.

        `epochs` and `patience` are chosen by the size of the training split where they are not
        given.
        """
        return self._prepared(*self._loaded())

    def _loaded(self) -> tuple[Any, float]:
        """The splits, and when loading them began; settles the epochs."""
        start = time.monotonic()
        splits = share_of(
            self.recipe.load(self.recipe.data_of(self.config)),
            self.config.train_fraction,
            self.config.split_seed,
        )
        size, chosen = epochs.size_of(splits.train), self.config.epochs is None
        self.config = epochs.settled(self.config, size)
        if chosen:
            print(epochs.line_of(self.config, size), flush=True)
        return splits, start

    def _prepared(self, splits: Any, start: float) -> Any:
        """The splits as numbers."""
        durable.make_folder(self.directory)
        prepared = self.recipe.prepare(self.recipe.data_of(self.config), splits, self.directory)
        if team_of(self.config.strategy).is_chief:
            record_new(self.directory)
        sizes = {name: len(batches.encoded) for name, batches in prepared.batches.items()}
        counts = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        seconds = time.monotonic() - start
        print(f"data: {self.config.data}: {counts}; ready in {seconds:.0f} s", flush=True)
        print(prepared.summary, flush=True)
        return prepared

    def find_rate(self) -> float:
        """Trains for some steps at a rising learning rate and suggests one; keeps no weights."""
        self.config = rate_finder.steady(self.config)
        team = team_of(self.config.strategy)
        keras.utils.set_random_seed(self.config.seed)
        with team.chief_first():
            prepared = self.load_data()
        with in_precision(self.config.precision), memory.for_training():
            model = pretrained.initial_model(self.recipe, self.config, prepared)
        run_epoch = self.recipe.epochs(model, self.config, prepared)
        return rate_finder.find(model, run_epoch, self.config, self.directory)

    def evaluate(self, prepared: Any = None) -> None:
        """Measures the best model on validation and test."""
        with self.alone():
            model = self.best_model()
            if prepared is None:
                prepared = self.load_data()
            found = self.recipe.evaluate(model, self.config, prepared, self.directory)
            scores.write(self.directory, found)
            describe(self.directory)
        for split, values in found.items():
            print(f"{split}: {scores.formatted(values)}")

    def measure(self, data: dict[str, Any], predictions: Path | None = None) -> None:
        """Measures the best model on other data, or writes its predictions; or both.

        The run's own metrics stay as they are: those of other data go to its folder `evaluations`.

        Args:
            data: The options of other data, such as `data` and `text_column`; empty for the run's
                own test split, of which only predictions are written.
            predictions: The file for each example's prediction, or None.
        """
        other = _with_other_data(self.config, data) if data else self.config
        splits = self.recipe.load(self.recipe.data_of(other), whole=bool(data))
        model = self.best_model()
        measured: Measured = self.recipe.measure(model, self.config, splits, self.directory)
        if data:
            name = other.data if "data" in data else other.source_file
            print(f"{name}: {scores.formatted(measured.scores)}")
            folder = self.directory / "evaluations"
            durable.make_folder(folder)
            path = free_path(folder, ".json")
            write_json(path, {"data": name, **measured.scores})
            print(f"metrics: {path}")
        if predictions and measured.predictions is not None:
            count = write_predictions(predictions, measured.predictions)
            print(f"predictions: {predictions} ({count:,} rows)")

    def best_model(self) -> keras.Model:
        """The model that validated best."""
        self._best_path()
        return checkpoint.load_best(self.directory / "checkpoints")

    def _best_path(self) -> Path:
        """The file of that model, or an error that says that there is none."""
        path = self.directory / "checkpoints" / checkpoint.BEST
        if not path.exists():
            raise InputError(
                f"{self.directory} holds no trained model: train first, or give --run-dir"
            )
        return path

    def export(
        self,
        export_root: Path,
        file: TextIO | None = None,
        form: str = "savedmodel",
        **options: Any,
    ) -> Path:
        """Exports the best model as the next version; says so on `file`, or on stdout.

        `form` and `options` are those of `zoo.formats`.
        """
        pipeline = self.recipe.pipeline(self.best_model(), self.config, self.directory)
        path = formats.exported(pipeline, export_root, self.recipe.name, form, options)
        provenance.write(path, self.recipe.name, self.config, self.directory)
        print(formats.sentence(path, options), file=file)
        return path

    def exported(self, export_root: Path) -> Path:
        """The exported model: in `export_root`, or in the run's own folder `exported`.

        Where neither has one with the weights of the best model, it is exported to the latter.
        """
        self._best_path()
        own = self.directory / "exported"
        for root in (export_root, own):
            path = provenance.of_run(self.directory, root / self.recipe.name)
            if path:
                return path
        return self.export(own, file=sys.stderr)

    def complete(self, export_root: Path) -> None:
        """The whole job: train, evaluate, export, a few predictions, and what to do next."""
        prepared = self.train()
        if not team_of(self.config.strategy).is_chief:
            return
        self.evaluate(prepared)
        path = self.export(export_root)
        print("predictions of the exported model:")
        recipe = self.recipe
        examples = recipe.examples(self.config, prepared)
        predict(recipe, examples, path, request=recipe.example_options, line=recipe.format_example)
        if advice := recipe.advice(self.config, prepared):
            print(advice)
        print(f"run: {self.directory} (what its files are: {self.directory / 'README.md'})")
        print(f"model: {path}; ask it with: {predict_command(recipe, examples, export_root)}")

    def next_steps(self) -> str:
        """What to do after training, in commands for a shell."""
        words = ("--run-dir", self.directory)
        commands = (registry.command(self.recipe.name, verb, *words) for verb in NEXT)
        return "\n".join(["next:", *(f"  {command}" for command in commands)])


NEXT = ("evaluate", "export")  # the verbs after `train`


def new_model(recipe: Recipe, config: Any, prepared: Any) -> keras.Model:
    """A compiled model, if a step of it fits into memory."""
    with in_precision(config.precision), memory.for_training():
        model = pretrained.initial_model(recipe, config, prepared)
    rows, steps = prepared.batches["train"].largest_batch
    memory.check_step(model, -(-rows // config.accumulate), steps)
    return model


def _with_other_data(config: Any, data: dict[str, Any]) -> Any:
    """The run's options with other data, of which all counts unless a limit is given."""
    free = {"limit": 0, "source_file": "", "target_file": ""}
    if "data" not in data:
        free["data"] = "builtin"  # where the two files of a translation are given in its place
    own = {field.name for field in dataclasses.fields(config)}
    values = {**{name: value for name, value in free.items() if name in own}, **data}
    return dataclasses.replace(config, **values)


def free_path(folder: Path, ending: str = "") -> Path:
    """A path in a folder that is named by the time and does not exist yet."""
    stem = time.strftime("%Y%m%d-%H%M%S")
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    for path in (folder / f"{name}{ending}" for name in names):
        if not path.exists():
            return path
    raise InputError(f"{folder} is full of files of this second: try again")


def predict_command(recipe: Recipe, examples: Sequence[str], export_root: Path) -> str:
    """A command for a shell that asks the newest export about an example."""
    words: list[str | Path] = []
    if export_root != formats.ROOT:
        words += ["--export-dir", export_root]
    usual = [text for text in examples if text.isprintable() and text.strip()]
    text = min(usual or ["your text"], key=len)
    words += [*(["--"] if text.startswith("-") else []), text]
    return registry.command(recipe.name, "predict", *words)
