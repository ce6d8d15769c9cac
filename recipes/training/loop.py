"""The epochs: steps, validation, early stopping, checkpoints. A seed gives one history."""

import functools
import math
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.config import TrainingConfig
from recipes.training import checkpoint
from recipes.training.batch_step import batch_step
from recipes.training.batches import MEASURED_TOKENS, LabelledBatches, SequenceBatches
from recipes.training.checkpoint import Progression
from recipes.training.optimizers import averaged
from recipes.training.precision import in_float32
from recipes.training.replicas import team_of
from zoo.diagnostics.monitor import Monitor, write_scalars
from zoo.errors import Failure, require_choice
from zoo.fine_tuning.optimizers import Gradual
from zoo.system import durable
from zoo.system.progress import Progress

Validate = Callable[[keras.Model], dict[str, Any]]
RunEpoch = Callable[..., dict[str, float]]  # of a configuration, an epoch, and who watches
Watch = Callable[[float], None]  # gets each step's loss
SMALLER_IS_BETTER = (
    "loss",
    "perplexity",
    "bits_per_character",
    "standardized_mse",
    "standardized_mae",
    "word_error_rate",
    "character_error_rate",
)
LARGER_IS_BETTER = (
    "accuracy",
    "unseen_accuracy",
    "f1_macro",
    "entity_precision",
    "entity_recall",
    "entity_f1",
    "bleu",
    "bleu_lowercase",
    "chrf",
    "exact_match",
)
IMPROVING = 0.001  # share of the score by which an epoch must change it to count as improving


class TrainingError(Failure):
    """Training cannot go on; the sentence says why and what to change."""


def direction_of(name: str) -> str:
    """Whether more of a metric is better, `max`, or less, `min`.

    Raises:
        InputError: It is no metric of quality.

    Example:
        >>> direction_of("perplexity"), direction_of("bleu")
        ('min', 'max')
    """
    require_choice("objective", name, (*SMALLER_IS_BETTER, *LARGER_IS_BETTER))
    return "min" if name in SMALLER_IS_BETTER else "max"


def train(
    model: keras.Model,
    run_epoch: RunEpoch,
    validate: Validate,
    config: TrainingConfig,
    directory: Path,
    progression: Progression,
    pause: float = 0.0,
    monitor: Monitor | None = None,
) -> Progression:
    """Trains until the epochs, the minutes or the patience are used up.

    After each epoch the run's folder holds `history.csv`, TensorBoard logs, the whole state to go
    on from, and the model that validated best (averaged weights, float32), or that of the epoch
    that `config.keep_epoch` asks for, with which training ends.

    Args:
        model: A compiled model.
        run_epoch: Trains one epoch, by its number, from 0 up; returns its metrics.
            Of several processes the first one writes the files and its metrics decide.
        validate: Gives the validation split's metrics; the first one named is the score, larger is
            better but for loss, perplexity and bits per character, of equal ones that of the
            smaller `loss`.
        config: Epochs, minutes, patience, seed.
        directory: The run's folder.
        progression: Where to begin.
        pause: Seconds of finished epochs that an interruption may cost: where they are short, not
            each needs a state to go on from.
        monitor: Measures the gradients; its numbers go to TensorBoard and its advice is printed.

    Returns:
        How far training came.

    Raises:
        TrainingError: The loss is no longer a number.
    """
    states = directory / "checkpoints"
    team = team_of(config.strategy)
    team.begin(model, progression.epoch)
    if team.is_chief:
        if states.exists():
            durable.sweep(states)
        checkpoint.restore_best(states, progression.epoch)
        if progression.history:  # the file may lack the last epoch, or have one too many
            write_history(directory, progression.history)
    served = in_float32(model)
    watch = [lambda _loss: monitor.after_step()] if monitor else []
    saved, written = progression.epoch, time.monotonic()
    while _goes_on(progression, config):
        start = time.monotonic()
        row: dict[str, Any] = {"epoch": progression.epoch + 1}
        try:
            if isinstance(model.optimizer, Gradual):
                model.optimizer.epoch.assign(progression.epoch)
            row |= run_epoch(config, progression.epoch, *watch)
        except TrainingError:
            if monitor and team.is_chief:
                _report(monitor, directory, row["epoch"])
            raise
        with averaged(model):
            if served is not model:
                served.set_weights(model.get_weights())
            metrics = team.agreed(validate(served))
            if _is_kept(metrics, progression, config.keep_epoch):
                _keep(metrics, progression, served if team.is_chief else None, states)
        row |= {f"validation_{name}": value for name, value in metrics.items()}
        row["seconds"] = round(time.monotonic() - start, 1)
        row = team.agreed(row)
        progression.epoch = row["epoch"]
        progression.seconds += row["seconds"]
        progression.history.append(row)
        if team.is_chief:
            if time.monotonic() - written >= pause:
                checkpoint.save(states, model, progression)
                saved, written = progression.epoch, time.monotonic()
            write_history(directory, progression.history)
            write_summary(directory, row)
        print(_line(row, config, best=progression.best_epoch == row["epoch"]), flush=True)
        if monitor and team.is_chief:
            _report(monitor, directory, row["epoch"])
    if team.is_chief and saved != progression.epoch:
        checkpoint.save(states, model, progression)
    return progression


def _report(monitor: Monitor, directory: Path, epoch: int) -> None:
    """Prints what the monitor measured in an epoch and writes it for TensorBoard."""
    report = monitor.report()
    write_scalars(directory / "tensorboard", epoch, report.scalars())
    print(report.table(), flush=True)
    for sentence in monitor.new_advice(report):
        print(f"warning: {sentence}", flush=True)


def _keep(
    metrics: dict[str, Any], progression: Progression, served: keras.Model | None, states: Path
) -> None:
    """Takes the epoch that was just validated for the best one."""
    progression.best_score = next(iter(metrics.values()))
    progression.best_epoch = progression.epoch + 1
    if served is not None:
        checkpoint.save_best(states, served)


def _is_kept(metrics: dict[str, Any], progression: Progression, wanted: int) -> bool:
    """Whether an epoch is the wanted one or, where none is, validates better than the best so far.

    Of equal scores the smaller loss is better.
    """
    if wanted:
        return progression.epoch + 1 == wanted
    if not progression.best_epoch:
        return True
    best = progression.history[progression.best_epoch - 1]
    name = next(iter(metrics))
    sign = -1 if name in SMALLER_IS_BETTER else 1
    before = sign * best[f"validation_{name}"], -best.get("validation_loss", 0)
    return (sign * metrics[name], -metrics.get("loss", 0)) > before


def _goes_on(progression: Progression, config: TrainingConfig) -> bool:
    if progression.epoch >= (config.keep_epoch or config.epochs):
        return False
    if not config.keep_epoch and progression.epoch - progression.best_epoch >= config.patience:
        print(f"stopped: no better validation score for {config.patience} epochs")
        return False
    if config.minutes and progression.history:
        after = progression.seconds + progression.history[-1]["seconds"]
        if after > config.minutes * 60:
            print(f"stopped: another epoch would end after {config.minutes:g} minutes")
            return False
    return True


def how_to_go_on(
    progression: Progression, config: TrainingConfig, resume: str, repeat: str
) -> str | None:
    """Returns a sentence for a training that ended while validation still improved, else None.

    `resume` is the command that resumes the run, `repeat` the one that trains a new run with its
    options.
    """
    if config.keep_epoch or progression.best_epoch != progression.epoch or progression.epoch < 2:
        return None
    name = next(key for key in progression.history[-1] if key.startswith("validation_"))
    before, last = [row[name] for row in progression.history][-2:]
    if abs(last - before) < IMPROVING * abs(before):
        return None
    if progression.epoch < config.epochs:  # the minutes ran out
        more = f"continue the run with: {resume} --minutes {2 * config.minutes:g}"
    elif config.decay == "none":
        more = f"continue the run with: {resume} --epochs {2 * config.epochs}"
    else:
        more = (
            "the learning rate falls to 0 over all epochs, so train a new run with: "
            f"{repeat} --epochs {2 * config.epochs}"
        )
    return f"validation was still improving in the last epoch; {more}"


def over_batches(model: keras.Model, batches: LabelledBatches) -> RunEpoch:
    """What trains an epoch of a compiled model over a split in batches."""
    step_of = functools.cache(partial(batch_step, model, batches))  # it is traced once

    def run(config: TrainingConfig, epoch: int, watch: Watch | None = None) -> dict[str, float]:
        compiling = step_of.cache_info().currsize == 0
        progress = Progress(f"epoch {epoch + 1}/{config.epochs}", len(batches), compiling)
        take = step_of(config.strategy, config.accumulate)
        steps = (
            (take(inputs, labels), batches.weight(labels))
            for inputs, labels, _ in batches((config.seed, epoch))
        )
        return mean_metrics(steps, partial(_check_loss, config, epoch), progress, watch)

    return run


def mean_metrics(
    steps: Iterable[tuple[Mapping[str, float], int]],
    check: Callable[[float, int], None],
    progress: Progress,
    watch: Watch | None = None,
    unit: str = "",
) -> dict[str, float]:
    """Takes the steps of an epoch and averages their metrics, measured while the model trains.

    Args:
        steps: The metrics of each step, `loss` among them, and its weight; taken one by one.
        check: Called with each step's loss and its number, from 1 up; raises to end training.
        progress: Shows the means so far.
        watch: Called with each loss before it is checked.
        unit: What the weights count, such as `tokens`, to measure them per second as well.
    """
    totals: dict[str, float] = {}
    start, seen = time.monotonic(), 0
    try:
        for number, (metrics, weight) in enumerate(steps, 1):
            loss = float(metrics["loss"])
            if watch:
                watch(loss)
            check(loss, number)
            seen += weight
            for name, value in metrics.items():
                totals[name] = totals.get(name, 0.0) + float(value) * weight
            shown = [f"{name} {total / seen:.4f}" for name, total in totals.items()]
            if unit:
                shown.append(f"{seen / (time.monotonic() - start):,.0f} {unit}/s")
            progress.update(number, "  ".join(shown))
    finally:
        progress.done()
    means = {name: total / seen for name, total in totals.items()}
    if unit:
        means[f"{unit}_per_second"] = seen / (time.monotonic() - start)
    return means


def _check_loss(config: TrainingConfig, epoch: int, loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} in epoch {epoch + 1}, step {step}: training has diverged; lower "
            f"--learning-rate (now {config.learning_rate:g}) or set --clip-norm (now "
            f"{config.clip_norm:g})"
        )


def _line(row: dict[str, Any], config: TrainingConfig, best: bool) -> str:
    shown = [
        f"{name.replace('_', ' ')} {value:.4f}"
        for name, value in row.items()
        if isinstance(value, float) and name != "seconds"
    ]
    end = "  (best)" if best else ""
    return f"epoch {row['epoch']}/{config.epochs}  {'  '.join(shown)}  {row['seconds']:.0f} s{end}"


def write_history(directory: Path, history: list[dict[str, Any]]) -> None:
    """Writes `history.csv`: a line for each epoch."""
    durable.write_csv(directory / "history.csv", list(history[0]), history)


def write_summary(directory: Path, row: dict[str, Any]) -> None:
    """Writes an epoch's metrics for TensorBoard into `tensorboard`."""
    scalars = {name: value for name, value in row.items() if isinstance(value, float)}
    write_scalars(directory / "tensorboard", row["epoch"], scalars)


def predict(model: keras.Model, batches: SequenceBatches) -> np.ndarray:
    """The model's outputs for a split, in the split's order: (N, ...)."""
    outputs: list[Any] = [None] * len(batches.encoded)
    for token_ids, _, members in batches(most=MEASURED_TOKENS):
        for member, output in zip(members, model.predict_on_batch(token_ids), strict=True):
            outputs[member] = output
    return np.stack(outputs)
