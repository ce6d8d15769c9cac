"""`train --find-rate`: the loss while the learning rate rises, and which rate that speaks for."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes import plots
from recipes.training.loop import RunEpoch, TrainingError
from recipes.training.replicas import team_of
from zoo.system import durable

STEPS = 300
SPAN = 1000.0  # the rate rises from so much less than --learning-rate to so much more
SMOOTHING = 0.95  # what stays of the mean loss in a step
DIVERGED = 2.0  # times the smallest mean loss: the rate need not rise any further
SHARE = 0.1  # of the rate at the smallest mean loss: where it still falls fast


class _Enough(Exception):
    """The steps are done, or the loss has left for good."""


def steady(config: Any) -> Any:
    """A configuration without decay and warm-up."""
    known = {field.name for field in dataclasses.fields(config)}
    changes = {"decay": "none", "warmup": 0.0}
    return dataclasses.replace(config, **{k: v for k, v in changes.items() if k in known})


def find(model: keras.Model, run_epoch: RunEpoch, config: Any, directory: Path) -> float:
    """Trains a new model of a `steady` configuration for some steps at a rising learning rate.

    The rate goes from a thousandth of `learning_rate` to a thousand times it. Writes
    `learning_rates.csv` and `learning_rates.png` into the run's folder, in which a training may
    begin afterwards. Returns a tenth of the rate at which the mean loss was smallest.

    Source: Smith, arXiv:1506.01186, section 3.3, for the test; the tenth is a rule of thumb.
    """
    team = team_of(config.strategy)
    lowest = config.learning_rate / SPAN
    model.optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(
        lowest, STEPS, SPAN * SPAN
    )
    team.begin(model, 0)
    losses = losses_of(run_epoch, config)
    rates = lowest * (SPAN * SPAN) ** (np.arange(len(losses)) / STEPS)
    means = smoothed(losses)
    best = SHARE * float(rates[means.argmin()])
    if team.is_chief:
        columns = {"learning_rate": rates, "loss": losses, "mean_loss": means}
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        table = [dict(zip(columns, row, strict=True)) for row in rows]
        durable.write_csv(directory / "learning_rates.csv", list(columns), table)
        plots.learning_rates(rates, losses, means, best, directory / "learning_rates.png")
    print(f"--learning-rate {best:.2g}: a tenth of that of the smallest mean loss; see {directory}")
    return best


def losses_of(run_epoch: RunEpoch, config: Any) -> np.ndarray:
    """Each step's loss, up to the last one or until it has diverged."""
    losses: list[float] = []

    def watch(loss: float) -> None:
        if np.isfinite(loss):
            losses.append(loss)
        means = smoothed(losses)
        if len(losses) == STEPS or not np.isfinite(loss) or means[-1] > DIVERGED * means.min():
            raise _Enough

    try:
        for epoch in itertools.count():
            run_epoch(config, epoch, watch)
    except (_Enough, TrainingError):
        pass
    if not losses:
        raise TrainingError("the loss of the first step is no number: check the data")
    return np.array(losses)


def smoothed(losses: Any) -> np.ndarray:
    """The running mean (N,) of losses, whose beginning is not drawn to 0.

    Example:
        >>> smoothed([2.0, 2.0, 2.0]).round(6).tolist()
        [2.0, 2.0, 2.0]
    """
    means, mean = [], 0.0
    for number, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        means.append(mean / (1 - SMOOTHING**number))
    return np.array(means)
