"""The search: in one process, or as a chief that distributes trials to workers."""

import math
import os
import statistics
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
from keras_tuner.engine.trial import TrialStatus as Status

from zoo.errors import InputError
from zoo.system import lock
from zoo.system.journal import Journal
from zoo.tuning.oracles import as_worker, oracle
from zoo.tuning.storage import Measure, Records, Run, number
from zoo.tuning.study import Study
from zoo.tuning.values import in_words, shown

BEAT = 2.0  # seconds between two heartbeats of a worker: each worker changes its own file
PATIENCE = 30.0  # seconds without a heartbeat after which a trial goes to another worker


class StudyError(InputError):
    """A fault that every trial would have: it ends the search."""


class PatientCalls:
    """The calls to a chief; one that fails because the chief ended waits for the next chief.

    Args:
        stub: The object whose attributes are the calls, as gRPC makes it.
    """

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._stub, name)

        def patient(*arguments: Any, **named: Any) -> Any:
            while True:
                try:
                    return call(*arguments, **named)
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                print("the chief has ended: waiting for it to start again", flush=True)
                time.sleep(1)

        return patient


class _Tuner(keras_tuner.engine.base_tuner.BaseTuner):
    """KerasTuner's loop over trials; a trial has one run per fraction and seed."""

    def __init__(self, made: Any, study: Study, measure: Measure, records: Records) -> None:
        self.study, self.measure, self.records = study, measure, records
        super().__init__(made, directory=records.directory, project_name="trials")
        if self._is_worker():
            self.oracle.stub = PatientCalls(self.oracle.stub)

    def pre_create_trial(self) -> None:
        """Waits a moment: a chief without a trial would be polled without pause."""
        if self._is_worker():
            time.sleep(0.1)

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Trains a trial's settings and returns the mean of the objective over the seeds."""
        suggested = trial.hyperparameters.values
        values = _values(self.study, suggested)
        try:
            scores = [self._score(run) for run in self._runs(trial.trial_id, values, suggested)]
        except (OSError, StudyError) as error:  # such as a full disk: not the trial's fault
            raise keras_tuner.errors.FatalError(str(error)) from error
        except Exception as error:
            reason = self._failed(trial.trial_id, values, error)
            raise keras_tuner.errors.FailedTrialError(reason) from error
        return {self.study.objective: statistics.fmean(scores[-self.study.seeds :])}

    def _failed(self, trial: str, values: dict[str, Any], error: Exception) -> str:
        """Records and prints why a trial failed; unexpected errors also leave a traceback."""
        known = isinstance(error, InputError)
        trace = "" if known else "".join(traceback.format_exception(error))
        reason = str(error) if known else _one_line(error)
        self.records.fail(trial, values, reason, trace)
        print(
            f"trial {number(trial)} failed: {reason.rstrip('.')} ({in_words(values)})", flush=True
        )
        return reason

    def _try_run_and_update_trial(self, trial: Any, *arguments: Any, **named: Any) -> None:
        """Replaces KerasTuner's method, which prints the traceback of each failed trial."""
        alone = not self._is_worker()
        try:
            if alone and self.oracle.get_trial(trial.trial_id).metrics.exists(self.study.objective):
                self.run_trial(trial)  # reported before an interruption: its results exist
            else:
                self._run_and_update_trial(trial, *arguments, **named)
            trial.status = Status.COMPLETED
        except keras_tuner.errors.FailedTrialError as error:
            trial.status, trial.message = Status.FAILED, str(error)
        except (keras_tuner.errors.FatalError, OSError):
            raise
        except Exception as error:  # such as a chief that ended during a call
            trial.status, trial.message = Status.INVALID, _one_line(error)
            print(f"trial {number(trial.trial_id)} was not reported: {trial.message}", flush=True)

    def _runs(self, trial: str, values: dict[str, Any], suggested: dict[str, Any]) -> list[Run]:
        study = self.study
        before = suggested.get("tuner/trial_id")
        return [
            Run(
                trial,
                values,
                fraction,
                seed,
                self.records.of_run(trial, fraction, seed),
                suggested.get("tuner/epochs"),
                self.records.of_run(before, fraction, seed) if before else None,
                timed=fraction == study.fractions[-1] and seed == study.seed,
            )
            for fraction in study.fractions
            for seed in range(study.seed, study.seed + study.seeds)
        ]

    def _score(self, run: Run) -> float:
        """The objective of a run, from its record or by training it."""
        found = self.records.result(run.directory)
        if found is None:
            start = time.monotonic()
            found = self.measure(run)
            found["wall_seconds"] = round(time.monotonic() - start, 2)
            score = found[self.study.objective]
            if not math.isfinite(score):
                raise ValueError(f"{self.study.objective} is {score}")
            self.records.finish(run, found)
            print(line(self.study, run, found), flush=True)
        return float(found[self.study.objective])

    def on_trial_end(self, trial: Any) -> None:
        """Reports the trial to the oracle."""
        self.oracle.end_trial(trial)

    def save(self) -> None:
        """Writes nothing: the journal has the state."""


def _one_line(error: Exception) -> str:
    """A failure in one line: its type and the first line of its message."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no text'}"


def _values(study: Study, suggested: dict[str, Any]) -> dict[str, Any]:
    """The suggested values in the types of the axes, which the network changes."""
    found: dict[str, Any] = {}
    for axis in study.space.axes:
        if axis.name in suggested and study.space.active(axis.name, found):
            found[axis.name] = axis.value(suggested[axis.name])
    return found


def line(study: Study, run: Run, metrics: dict[str, Any]) -> str:
    """A finished run in one line."""
    settings = "  ".join(f"{name} {shown(value)}" for name, value in run.values.items())
    share = f"  fraction {run.fraction:g}" if len(study.fractions) > 1 else ""
    seed = f"  seed {run.seed}" if study.seeds > 1 else ""
    score = f"{study.objective} {metrics[study.objective]:.4f}"
    trial = f"trial {number(run.trial)}{of_all(study)}"
    return f"{trial}  {settings}{share}{seed}: {score}  {metrics['wall_seconds']:.0f} s"


def of_all(study: Study) -> str:
    """The number of trials for a message, ` of 12`; "" if it is unknown."""
    return f" of {study.settings}" if study.settings else ""


def conduct(study: Study, measure: Measure, directory: Path) -> None:
    """Searches in this process, from the start or from an interruption.

    `measure` trains one run and returns its metrics, with the objective; it may continue from files
    in the run's folder.

    Raises:
        InputError: The folder holds another study.
        StudyError: A fault that every trial would have.
        OSError: The disk is full; finished runs are kept.
    """
    with alone(directory):
        _search(study, measure, directory, _taken_up(study, directory))


def alone(directory: Path) -> AbstractContextManager[None]:
    """Keeps other searches out of a study's folder; the workers of a chief share it."""
    return lock.hold(directory, "the study", "wait until it ends, or give another folder")


def _search(study: Study, measure: Measure, directory: Path, made: Any) -> None:
    tuner = _Tuner(made, study, measure, Records(directory))
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None


def _taken_up(study: Study, directory: Path) -> Any:
    """The study's oracle in its state after the last event of the journal."""
    if (directory / "study.json").exists():
        if Study.load(directory) != study:
            raise InputError(
                f"{directory} holds another study: continue it with --resume, or give another "
                "folder"
            )
    else:
        study.save(directory)
    made = oracle(study)
    made.take_up(Journal(directory / "journal.jsonl"), Records(directory), study.minutes * 60)
    return made


def lead(study: Study, directory: Path, address: str, patience: float = PATIENCE) -> None:
    """Distributes trials to workers until all are done, as the chief at HOST:PORT.

    A worker without a heartbeat for `patience` seconds loses its trial.
    """
    with alone(directory):
        made = _taken_up(study, directory)
        as_worker("chief", address)
        ended = threading.Event()
        watch = threading.Thread(
            target=_watch_workers, args=(made, directory, patience, ended), daemon=True
        )
        watch.start()
        try:
            _search(study, _no_measure, directory, made)
        finally:
            ended.set()
            watch.join()


def _no_measure(run: Run) -> dict[str, Any]:
    raise RuntimeError(f"a chief trains nothing, and was asked for trial {number(run.trial)}")


def follow(study: Study, measure: Measure, directory: Path, worker: str, address: str) -> None:
    """Runs the trials of the chief at HOST:PORT until there are none left.

    The study and its folder are the chief's; the worker's name is unique.
    """
    if "chief" in worker:
        raise InputError(f"a worker cannot be called {worker!r}: choose a name without 'chief'")
    with lock.hold(directory / "workers" / worker, "the worker", "give this one another name"):
        as_worker(worker, address)
        ended = threading.Event()
        threading.Thread(target=_live, args=(directory, worker, ended), daemon=True).start()
        try:
            _search(study, measure, directory, oracle(study))
        finally:
            ended.set()


def _live(directory: Path, worker: str, ended: threading.Event) -> None:
    """Changes the worker's file every few seconds, until `ended`."""
    path = _heartbeat_file(directory, worker)
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    while not ended.is_set():
        part = path.with_suffix(".part")  # not synced: it is useless after a power cut
        part.write_text(f"{os.getpid()} {count}")
        os.replace(part, path)
        count += 1
        ended.wait(BEAT)


def _watch_workers(made: Any, directory: Path, patience: float, ended: threading.Event) -> None:
    """Gives up workers whose file has not changed for too long."""
    seen: dict[str, tuple[str, float]] = {}
    while not ended.wait(min(1.0, patience / 4)):
        if made.broken:  # KerasTuner's server would keep answering with errors
            print(f"failed: {made.broken}", file=sys.stderr, flush=True)
            os._exit(1)
        for worker in {*made.ongoing_trials, *made.tuner_ids}:
            path = _heartbeat_file(directory, worker)
            sign = path.read_text() if path.exists() else ""
            if worker not in seen or seen[worker][0] != sign:
                seen[worker] = sign, time.monotonic()
            elif time.monotonic() - seen[worker][1] > patience:
                print(f"worker {worker} gives no sign of life: its trial is given out again")
                made.give_up(worker)
                del seen[worker]


def _heartbeat_file(directory: Path, worker: str) -> Path:
    return directory / "workers" / f"{worker}.txt"
