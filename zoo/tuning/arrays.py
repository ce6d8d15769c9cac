"""`zoo.tuning.search`: the search over an architecture's options on the user's own arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import InputError, nearest
from zoo.options import SCALARS
from zoo.registry import architecture as registered
from zoo.system import durable
from zoo.tuning.fits import Fits, Split
from zoo.tuning.objective import objective_of
from zoo.tuning.report import report
from zoo.tuning.results import Findings
from zoo.tuning.space import Axis, axis_or_value, parse
from zoo.tuning.storage import Records
from zoo.tuning.study import Study
from zoo.tuning.trials import alone, conduct
from zoo.tuning.values import plain, whole

CHOSEN: dict[str, type] = {"learning_rate": float, "batch_size": int}


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        options: The recommended options, for `zoo.build` and, with `learning_rate` and
            `batch_size`, for training.
        sentence: The reason for them.
        findings: The means and spreads of all settings.
        directory: Where `report.md`, `trials.csv` and `best.json` are.
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
    objective: Any = "accuracy",
    direction: str | None = None,
    loss: Any = None,
    algorithm: str = "grid",
    trials: int = 100,
    epochs: int = 10,
    patience: int = 2,
    minutes: float = 0.0,
    seeds: int = 1,
    fractions: Any = (1.0,),
    seed: int = 0,
    learning_rate: Any = 1e-3,
    batch_size: Any = 32,
    **options: Any,
) -> Found:
    """Trains an architecture with many settings and recommends one.

    The same call continues an interrupted search.

    Args:
        name: An architecture, one of `zoo.names()`.
        data: Training and validation, each as inputs and targets for `model.fit`. In token
            ids 0 is padding, whose targets are ignored.
        directory: The study's folder.
        objective: `accuracy`, of tags or tokens over the real ones; `loss`, in nats; the
            name of another metric or loss of Keras, computed from logits; a metric or loss object;
            or a function of targets and predictions. Targets are -1 in the padding.
        direction: `max` if higher is better, `min` if lower is. Keras' own metrics and losses
            need none.
        loss: The training loss; by default the cross entropy that fits the architecture. The
            name of a loss of Keras means that loss of logits. A loss of your own gets the
            unchanged targets.
        algorithm: `grid`, `random`, `bayesian` or `hyperband`.
        trials: Maximum number of settings.
        epochs: Maximum number of epochs of a run.
        patience: Epochs without a better objective before a run stops.
        minutes: Time limit of the whole search; 0 = none.
        seeds: Runs of each setting.
        fractions: Shares of the training data.
        seed: The first seed.
        learning_rate: Adam's; a number, or several as below.
        batch_size: Examples per step; likewise.
        **options: The builder's options: a value; several values as a list, tuple, range or array;
            or `zoo.tuning.space.NOTATION` such as `units="16:128:log"`. For an option that is a
            sequence itself, such as `character_widths`, `[2, 3]` is one value and `[[2], [2, 3]]`
            are two.

    Returns:
        The recommended options and all results.

    Raises:
        InputError: An option is unknown or of another form, there is nothing to search over, or
            the direction of the objective is unknown.

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
    known = registered(name).options.values()
    conditions = {option.name: option.only_if for option in known}
    axes = tuple(
        replace(value, only_if=conditions.get(value.name))
        for value in read.values()
        if isinstance(value, Axis)
    )
    fixed = {option: value for option, value in read.items() if not isinstance(value, Axis)}
    judged = objective_of(objective, direction)
    study = Study(
        name,
        axes,
        fixed,
        judged.name,
        judged.direction,
        algorithm=algorithm,
        trials=trials,
        epochs=epochs,
        minutes=minutes,
        seeds=seeds,
        fractions=fractions,
        seed=seed,
        others={
            option.name: option.default
            for option in known
            if isinstance(option.default, str | int | float)
        },
    )
    measure = Fits(study, data, judged, loss, whole("patience", patience, 0))
    place = Path(directory)
    durable.make_folder(place)
    with alone(place):
        conduct(study, measure, place)
        sentence = report(study, place, f"zoo.build({name!r}, **options)", fixed)
    findings = Findings.of(study, Records(place))
    chosen = findings.recommended(study.fractions[-1])
    return Found({**fixed, **chosen.values}, sentence, findings, place)


def _read(name: str, option: str, value: Any) -> Any:
    """An option's value or axis."""
    options = registered(name).options
    if option not in options and option not in CHOSEN:
        raise InputError(f"{name} has no option {option!r}: {nearest(option, [*options, *CHOSEN])}")
    kind = CHOSEN.get(option) or options[option].kind
    if type(value) is str and kind in SCALARS:
        return parse(option, value, kind)
    if type(value) is str and kind is not None:
        raise InputError(f"{option} must be a {kind.__name__}, or a list of them, got {value!r}")
    several = _several(value, kind)
    found = plain(option, value)
    if not several:
        return _typed(option, kind, found)
    return axis_or_value(option, [_typed(option, kind, part) for part in found])


def _several(value: Any, kind: type | None) -> bool:
    """Whether a value stands for several values of an option.

    A sequence is, unless the option is a sequence itself and the elements are not. Where the option
    may be anything (such as tables of arrays), a list is.
    """
    if kind is None:
        return isinstance(value, list)
    if hasattr(value, "__array__") and hasattr(value, "shape"):
        return len(value.shape) > (1 if kind is list else 0)
    if not isinstance(value, list | tuple | range | set | frozenset | Iterator):
        return False
    if kind is not list or isinstance(value, Iterator):
        return True
    return any(part is None or not _is_scalar(part) for part in value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (*SCALARS, np.generic)) or getattr(value, "ndim", None) == 0


def _typed(option: str, kind: type | None, value: Any) -> Any:
    """Converts a value to the option's type: 4.0 from `np.geomspace` to 4 units, 1 to True."""
    if kind is float and type(value) is int:
        return float(value)
    if kind is bool and type(value) in (int, float) and value in (0, 1):
        return bool(value)
    if kind is int and type(value) is float:
        if abs(value - round(value)) > 1e-6:
            raise InputError(f"{option} must be a whole number, got {value!r}")
        return round(value)
    return value
