"""The search over an architecture of the zoo on the user's own arrays."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import durable
from zoo.errors import InputError, nearest
from zoo.layers import CRFLoss
from zoo.losses import TokenCrossentropy
from zoo.registry import architecture as registered
from zoo.registry import build
from zoo.tuning.conduct import alone, conduct
from zoo.tuning.findings import Findings
from zoo.tuning.records import Records, Run
from zoo.tuning.report import report
from zoo.tuning.space import Axis, parse
from zoo.tuning.study import Study

Split = tuple[Any, Any]  # inputs and targets: arrays, or dicts of arrays
CHOSEN = ("learning_rate", "batch_size")


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        options: The recommended options, for `zoo.build` and, with `learning_rate` and
            `batch_size`, for training.
        sentence: Why these.
        findings: The means and spreads of all settings.
        directory: Where `report.md`, `trials.csv` and `best.json` lie.
    """

    options: dict[str, Any]
    sentence: str
    findings: Findings
    directory: Path


def search(
    name: str,
    data: tuple[Split, Split],
    *,
    directory: str | Path,
    objective: str = "accuracy",
    loss: Any = None,
    algorithm: str = "grid",
    trials: int = 100,
    epochs: int = 10,
    patience: int = 2,
    minutes: float = 0.0,
    seeds: int = 1,
    fractions: Sequence[float] = (1.0,),
    seed: int = 0,
    learning_rate: Any = 1e-3,
    batch_size: Any = 32,
    **options: Any,
) -> Found:
    """Trains an architecture with many settings and says which to take.

    The same call goes on with a search that was interrupted.

    Args:
        name: An architecture, one of `zoo.names()`.
        data: Training and validation, each inputs and targets as `model.fit` takes them.
        directory: The study's folder.
        objective: `loss`, in nats, or a metric that Keras knows by name.
        loss: What is minimized; by default the cross entropy that fits the architecture.
        algorithm: `grid`, `random`, `bayesian` or `hyperband`.
        trials: Settings that are tried, at most.
        epochs: Epochs of a run, at most.
        patience: Epochs without a better objective before a run stops.
        minutes: The whole search's time; 0 = any.
        seeds: Runs of each setting.
        fractions: Shares of the training data.
        seed: The first seed.
        learning_rate: Adam's; a number, or several as below.
        batch_size: Examples a step; likewise.
        **options: The builder's options: a value, a list of values, or `zoo.tuning.space.NOTATION`
            such as `units="16:128:log"`.

    Returns:
        The recommended options, and all that led to them.

    Raises:
        InputError: An option is unknown or of another form, or there is nothing to search over.

    Example:
        >>> import numpy as np, tempfile, zoo.tuning
        >>> ids = np.random.default_rng(0).integers(1, 9, (64, 5))
        >>> split = ids, (ids == 3).any(axis=1).astype("int32")
        >>> found = zoo.tuning.search(
        ...     "many_to_one", (split, split), directory=tempfile.mkdtemp(), epochs=1,
        ...     vocabulary_size=9, num_classes=2, units=[2, 4])  # doctest: +ELLIPSIS
        trial 1 of 2  units 2: accuracy ...
        trial 2 of 2  units 4: accuracy ...
        >>> sorted(found.options)
        ['batch_size', 'learning_rate', 'num_classes', 'units', 'vocabulary_size']
    """
    given = {"learning_rate": learning_rate, "batch_size": batch_size, **options}
    read = {option: _read(name, option, value) for option, value in given.items()}
    axes = tuple(value for value in read.values() if isinstance(value, Axis))
    fixed = {option: value for option, value in read.items() if not isinstance(value, Axis)}
    study = Study(
        name,
        axes,
        fixed,
        objective,
        "min" if objective == "loss" else "max",
        algorithm=algorithm,
        trials=trials,
        epochs=epochs,
        minutes=minutes,
        seeds=seeds,
        fractions=tuple(fractions),
        seed=seed,
        others=_defaults(name),
    )
    place = Path(directory)
    durable.make_folder(place)
    with alone(place):
        conduct(study, _Fits(study, data, loss, patience), place)
        sentence = report(study, place, f"zoo.build({name!r}, **options)", fixed)
    findings = Findings.of(study, Records(place))
    chosen = findings.recommended(study.fractions[-1])
    return Found({**fixed, **chosen.values}, sentence, findings, place)


def _defaults(name: str) -> dict[str, Any]:
    """The builder's options that have plain defaults."""
    options = registered(name).options
    return {
        option: parameter.default
        for option, parameter in options.items()
        if isinstance(parameter.default, str | int | float)
    }


def _read(name: str, option: str, value: Any) -> Any:
    """An option's value or axis."""
    options = registered(name).options
    if option not in options and option not in CHOSEN:
        raise InputError(f"{name} has no option {option!r}: {nearest(option, [*options, *CHOSEN])}")
    if isinstance(value, list):
        values = tuple(dict.fromkeys(value))
        return values[0] if len(values) == 1 else Axis(option, values)
    if not isinstance(value, str):
        return value
    return parse(option, value, _kind(options, option))


def _kind(options: dict[str, inspect.Parameter], option: str) -> type:
    if option in CHOSEN:
        return float if option == "learning_rate" else int
    default = options[option].default
    return int if default is inspect.Parameter.empty or default is None else type(default)


class _Fits:
    """Measures a run by `fit`; one that was interrupted begins anew, to the same result."""

    def __init__(self, study: Study, data: tuple[Split, Split], loss: Any, patience: int) -> None:
        self.study, self.loss, self.patience = study, loss, patience
        self.train, self.validation = data

    def __call__(self, run: Run) -> dict[str, Any]:
        study = self.study
        keras.backend.clear_session()
        keras.utils.set_random_seed(run.seed)
        values = {**study.fixed, **run.values}
        rate, size = values.pop("learning_rate"), values.pop("batch_size")
        model = build(study.name, **values)
        metrics = [] if study.objective == "loss" else [study.objective]
        model.compile(
            keras.optimizers.Adam(rate, global_clipnorm=1.0),
            self.loss or _loss(study.name, values),
            metrics=metrics,
        )
        watched = f"val_{study.objective}"
        stop = keras.callbacks.EarlyStopping(
            watched, patience=self.patience, mode=study.direction, restore_best_weights=True
        )
        history = model.fit(
            *self._share(run.fraction),
            validation_data=self.validation,
            epochs=run.epochs or study.epochs,
            batch_size=size,
            callbacks=[stop],
            verbose=0,
        ).history
        best = max if study.direction == "max" else min
        at = history[watched].index(best(history[watched]))
        return {
            study.objective: history[watched][at],
            "train_loss": history["loss"][at],
            "validation_loss": history["val_loss"][at],
            "last_train_loss": history["loss"][-1],
            "last_validation_loss": history["val_loss"][-1],
            "parameters": model.count_params(),
            "epochs": len(history["loss"]),
            "best_epoch": at + 1,
        }

    def _share(self, fraction: float) -> Split:
        """A part of the training data; a smaller one lies in each larger one."""
        if fraction == 1:
            return self.train
        inputs, targets = self.train
        count = len(keras.tree.flatten(targets)[0])
        order = np.random.default_rng(self.study.seed).permutation(count)
        kept = np.sort(order[: max(1, round(count * fraction))])
        taken = keras.tree.map_structure(lambda values: values[kept], (inputs, targets))
        return taken[0], taken[1]


def _loss(name: str, values: dict[str, Any]) -> Any:
    """The cross entropy that fits an architecture's output."""
    topology = registered(name).topology
    if topology in ("many_to_one", "one_to_one"):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    head = values.get("head", _defaults(name).get("head"))
    return CRFLoss() if head == "crf" else TokenCrossentropy()
