"""KerasTuner's oracles with a journal, from which a search resumes exactly.

KerasTuner's own files are written in place and lack the state of its random numbers. So
they are not read: the journal's events are replayed to a new oracle, which then has the state of
the old one.
"""

import math
import os
import time
from collections.abc import Callable
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.engine.trial import TrialStatus as Status

from zoo.errors import DamagedFile, InputError
from zoo.system.journal import Journal
from zoo.tuning.space import Axis, Space
from zoo.tuning.storage import Records, number
from zoo.tuning.study import Study

ATTEMPTS = 25  # attempts without progress before a trial counts as one that kills its process


class Journalled(keras_tuner.Oracle):
    """An oracle that records its steps and continues where a journal ends.

    Attributes:
        journal: The file of events.
        records: The trials' folders.
        seconds: The time limit of the search; 0 = none.
        broken: Why the journal could not be written, which ends the search.
    """

    journal: Journal
    records: Records
    seconds: float
    broken: OSError | None = None
    _began: float
    _playing = False

    def take_up(self, journal: Journal, records: Records, seconds: float) -> None:
        """Replays a journal's events.

        Raises:
            InputError: The oracle would decide differently: another version wrote the journal.
        """
        self.journal, self.records, self.seconds = journal, records, seconds
        self._playing = True
        for line, event in enumerate(journal.events, 1):
            try:
                self._play(event)
            except InputError:
                raise
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
                raise DamagedFile(
                    f"{journal.path}, line {line}: does not follow from the lines above it "
                    f"({type(error).__name__}: {error}): put back a copy of it, or begin a new "
                    "study"
                ) from error
        self._playing = False
        self._began = time.monotonic() - (journal.events[-1]["elapsed"] if journal.events else 0)
        for worker in list(self.ongoing_trials):
            self.give_up(worker)

    def _play(self, event: dict[str, Any]) -> None:
        name = event["trial"]
        if not math.isfinite(event["elapsed"]):
            raise ValueError(f"elapsed is {event['elapsed']}")
        if event["event"] == "begin":
            int(event["done"])
            trial = self.create_trial(event["worker"])
            if (trial.trial_id, trial.hyperparameters.values) != (name, event["values"]):
                now = trial.hyperparameters.values
                raise InputError(
                    f"{self.journal.path} was written by another version of the search: trial "
                    f"{number(name)} was {event['values']}, and would be {now} "
                    "now; begin a new study"
                )
        elif event["event"] == "report":
            self.update_trial(name, event["figures"])
        elif event["event"] == "end":
            trial = Trial.from_state(self.trials[name].get_state())
            trial.status = event["status"]
            self.end_trial(trial)
        else:
            self.give_up(event["worker"])

    def _write(self, event: str, trial: str, **more: Any) -> None:
        if not self._playing:
            elapsed = round(time.monotonic() - self._began, 3)
            try:
                self.journal.append({"event": event, "trial": trial, "elapsed": elapsed, **more})
            except OSError as error:
                self.broken = error
                raise

    @property
    def elapsed(self) -> float:
        """Seconds of the search, including those before a restart."""
        return time.monotonic() - self._began

    def longest(self) -> float:
        """Seconds of the longest trial so far."""
        started: dict[str, float] = {}
        longest = 0.0
        for event in self.journal.events:
            if event["event"] == "begin":
                started[event["trial"]] = event["elapsed"]
            if event["event"] == "end":
                longest = max(longest, event["elapsed"] - started[event["trial"]])
        return longest

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """Gives a worker its next trial, or stops it if there is no time for another one."""
        if tuner_id in self.ongoing_trials or self._playing:
            return self._start_trial(tuner_id)
        while True:
            if self.seconds and self.elapsed + self.longest() > self.seconds:
                self.tuner_ids.discard(tuner_id)
                return Trial(self.get_space(), trial_id="", status=Status.STOPPED)
            trial = self._start_trial(tuner_id)
            if trial.status != Status.RUNNING or self._attempts(trial.trial_id) <= ATTEMPTS:
                return trial
            self.records.fail(
                trial.trial_id,
                trial.hyperparameters.values,
                f"the process ended {ATTEMPTS} times while it ran: out of memory?",
            )
            trial.status = Status.FAILED
            self.end_trial(trial)

    def _start_trial(self, worker: str) -> Trial:
        known = worker in self.ongoing_trials
        trial = super().create_trial(worker)
        if trial.status == Status.RUNNING and not known and not self._playing:
            name, values = trial.trial_id, trial.hyperparameters.values
            self._write(
                "begin", name, worker=worker, values=values, done=self.records.progress(name)
            )
        return trial

    @keras_tuner.synchronized
    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> Trial:
        """Records a trial's metrics."""
        trial = super().update_trial(trial_id, metrics, step)
        self._write("report", trial_id, figures=dict(metrics))
        return trial

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        """Records a trial as finished or failed, also from a worker that was given up."""
        name, status = trial.trial_id, trial.status
        if name in self._retry_queue:
            self._retry_queue.remove(name)
        super().end_trial(trial)
        self._write("end", name, status=status)

    @keras_tuner.synchronized
    def give_up(self, worker: str) -> None:
        """Takes a trial from a lost worker, so that another one gets it."""
        self.tuner_ids.discard(worker)
        trial = self.ongoing_trials.pop(worker, None)
        if trial is not None:
            self._retry_queue.append(trial.trial_id)
            self._write("lost", trial.trial_id, worker=worker)

    def _attempts(self, trial_id: str) -> int:
        """Number of attempts of a trial since its last progress."""
        started = [
            event["done"]
            for event in self.journal.events
            if event["event"] == "begin" and event["trial"] == trial_id
        ]
        return started.count(started[-1]) if started else 0

    def save(self) -> None:
        """Writes nothing: the journal has the state."""

    def _save_trial(self, trial: Trial) -> None:
        """Writes nothing: the journal has the state."""


def _kind(base: type, **options: Any) -> Callable[..., Any]:
    made = type(base.__name__, (Journalled, base), {})
    return lambda **more: made(**options, **more)


oracles = keras_tuner.oracles
KINDS: dict[str, Callable[..., Any]] = {
    "grid": _kind(oracles.GridSearchOracle),
    "random": _kind(oracles.RandomSearchOracle),
    "bayesian": _kind(oracles.BayesianOptimizationOracle),
    "hyperband": _kind(oracles.HyperbandOracle),
}


def oracle(study: Study) -> Any:
    """An oracle of KerasTuner over a study's space; the same seed gives the same trials."""
    limits = {"max_trials": study.settings or study.trials}
    if study.algorithm == "hyperband":
        limits = {"max_epochs": study.epochs}
    made = KINDS[study.algorithm](
        objective=keras_tuner.Objective(study.objective, study.direction),
        hyperparameters=hyperparameters(study.space),
        allow_new_entries=False,
        tune_new_entries=False,
        seed=study.seed + 1,  # KerasTuner replaces 0 by a random seed
        max_consecutive_failed_trials=1_000_000,
        **limits,
    )
    made.verbose = 0
    return made


def hyperparameters(space: Space) -> keras_tuner.HyperParameters:
    """A space as KerasTuner's hyperparameters."""
    found = keras_tuner.HyperParameters()
    axes = {axis.name: axis for axis in space.axes}
    for axis in space.axes:
        if axis.name in space.parents:
            parent, values = space.parents[axis.name]
            labels = [axes[parent].labels[axes[parent].place(value)] for value in values]
            with found.conditional_scope(parent, labels):
                _add(found, axis)
        else:
            _add(found, axis)
    return found


def _add(found: keras_tuner.HyperParameters, axis: Axis) -> None:
    if axis.values:
        labels = list(axis.labels)
        ordered = axis.numeric and not isinstance(labels[0], str)
        found.Choice(axis.name, labels, ordered=ordered, default=labels[0])
    else:
        sampling = "log" if axis.log else "linear"
        found.Float(axis.name, axis.low, axis.high, sampling=sampling)


def as_worker(worker: str, address: str) -> None:
    """Sets the environment by which KerasTuner knows this process: `chief` or a worker."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise InputError(f"address must be HOST:PORT, got {address!r}")
    os.environ["KERASTUNER_TUNER_ID"] = worker
    os.environ["KERASTUNER_ORACLE_IP"] = host
    os.environ["KERASTUNER_ORACLE_PORT"] = port
