"""Who trains one model together: devices of this process, and other processes."""

import functools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import Failure, InputError

EXAMPLE = (
    '\'{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}\''
)


GONE = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)


class WorkerError(Failure):
    """Another process is gone, or does not train the same run."""


class Team:
    """The replicas of one model: one on each device of each process.

    Args:
        kind: `none`, one replica; `mirrored`, one on each device of this process; `multiworker`,
            those of all processes that `TF_CONFIG` names.

    Attributes:
        strategy: What runs a function on each replica and adds up what it gives.
        worker: This process' number, from 0 up.
        replicas: How many there are in all.
        local: How many there are in this process.

    Raises:
        InputError: There are no two devices, `TF_CONFIG` is missing or wrong, or its port is taken.
    """

    def __init__(self, kind: str) -> None:
        self.strategy, self.worker = tf.distribute.get_strategy(), 0
        if kind == "mirrored":
            self.strategy = _mirrored()
        if kind == "multiworker":
            self.strategy, self.worker = _multiworker()
        self.replicas = self.strategy.num_replicas_in_sync
        self.local = len(self.strategy.extended.worker_devices) if kind != "none" else 1
        self.alone = self.local == self.replicas
        form = tf.TensorSpec([None], tf.float64)
        self._of_chief = tf.function(self._from_chief, input_signature=[form], autograph=False)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run's files."""
        return self.worker == 0

    @property
    def first(self) -> int:
        """The number of this process' first replica."""
        return self.worker * self.local

    def place(self) -> int:
        """Within `strategy.run`: which of this process' replicas runs, from 0 up."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return int(tf.get_static_value(number)) - self.first

    def sum(self, value: Any) -> Any:
        """The sum over all replicas of what `strategy.run` gave."""
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)

    def of_chief(self, values: np.ndarray) -> np.ndarray:
        """The chief's values, float64 (N,), in every process; all must ask for them together."""
        if self.alone:
            return values
        with peers():
            return np.asarray(self._of_chief(tf.constant(values, tf.float64)))

    def _from_chief(self, values: Any) -> Any:
        """The sum over all replicas of which the chief's first one alone gives its values."""

        def own() -> Any:
            return values if self.is_chief and self.place() == 0 else tf.zeros_like(values)

        return self.sum(self.strategy.run(own))

    def agreed(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The chief's metrics: times and roundings differ, what follows from them must not."""
        if self.alone:
            return dict(metrics)
        values_of_chief = self.of_chief(np.array(list(metrics.values()), np.float64)).tolist()
        pairs = zip(metrics.items(), values_of_chief, strict=True)
        return {name: type(value)(number) for (name, value), number in pairs}

    @contextmanager
    def chief_first(self) -> Iterator[None]:
        """What the chief writes in a `with` block is there when the others come to it."""
        if not self.is_chief:
            self.of_chief(np.zeros(1))
        yield
        if self.is_chief:
            self.of_chief(np.zeros(1))

    def begin(self, model: keras.Model, epoch: int) -> None:
        """Gives every process the chief's weights, and its own random numbers for dropout.

        Raises:
            WorkerError: The processes begin after different epochs.
        """
        if self.alone:
            return
        start = int(self.of_chief(np.array([epoch], np.float64))[0])
        if start != epoch:
            raise WorkerError(
                f"worker {self.worker} begins after epoch {epoch}, worker 0 after {start}: give a "
                "--run-dir that all of them see"
            )
        for variable in [*model.trainable_variables, *model.optimizer.variables]:
            values = variable.numpy()
            values_of_chief = self.of_chief(values.astype(np.float64).ravel())
            variable.assign(values_of_chief.reshape(values.shape).astype(values.dtype))
        for variable in model.variables:
            if "seed_generator" in variable.path:  # [a seed, how often it was drawn from]
                seed = variable.numpy()
                variable.assign(seed + np.array([7919 * self.worker, 0], seed.dtype))


@functools.cache
def team_of(kind: str) -> Team:
    """The team that trains by a strategy; of several processes it must be made before all else.

    TensorFlow takes up the other processes before its first operation, or not at all.
    """
    return Team(kind)


@contextmanager
def peers() -> Iterator[None]:
    """Turns an operation that failed in another process into one sentence: it is gone."""
    try:
        yield
    except GONE as error:
        raise WorkerError(
            "another worker is gone: start all of them again with --resume"
        ) from error


def _mirrored() -> tf.distribute.Strategy:
    """One replica on each GPU; where there is none, on each logical CPU."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise InputError(
            f"--strategy mirrored needs at least two devices, got {devices[0].name}: leave it out, "
            "or make logical devices by tf.config.set_logical_device_configuration in a --module"
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _multiworker() -> tuple[tf.distribute.Strategy, int]:
    """The strategy of the processes that `TF_CONFIG` names, and this one's number."""
    addresses, worker = _cluster(os.environ.get("TF_CONFIG", ""))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(), worker
    except (RuntimeError, tf.errors.OpError) as error:
        raise InputError(f"worker {worker} cannot begin at {addresses[worker]}: {error}") from error


def _cluster(text: str) -> tuple[list[str], int]:
    """The addresses of the workers and this one's number."""
    if not text:
        raise InputError(
            f"--strategy multiworker needs TF_CONFIG, which is not set: TF_CONFIG={EXAMPLE}"
        )
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    problem = _problem(found)
    if problem:
        raise InputError(
            f"TF_CONFIG must name the workers and which of them this is, such as {EXAMPLE}: "
            f"{problem}, got {text[:300]!r}"
        )
    return found["cluster"]["worker"], int(found["task"]["index"])


def _problem(config: Any) -> str:
    """What is wrong with the content of `TF_CONFIG`; nothing if it will do."""
    if not isinstance(config, dict):
        return "it is no JSON object"
    cluster, task = config.get("cluster"), config.get("task")
    if not isinstance(cluster, dict) or set(cluster) != {"worker"}:
        return "its cluster must be an object with a list of workers and nothing else"
    addresses = cluster["worker"]
    if not isinstance(addresses, list) or not addresses:
        return "its workers must be a list of addresses"
    wrong = [each for each in addresses if not _is_address(each)]
    if wrong:
        return f"each worker must be a text HOST:PORT, not {str(wrong[0])[:60]!r}"
    if len(set(addresses)) < len(addresses):
        return "each worker must have an address of its own"
    if not isinstance(task, dict) or task.get("type") != "worker":
        return "its task must be an object whose type is worker"
    index = task.get("index")
    if isinstance(index, str) and index.isascii() and index.isdigit():
        index = int(index[:9])  # TensorFlow takes a number written as a text
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(addresses):
        return f"the index of its task must be a whole number from 0 to {len(addresses) - 1}"
    return ""


def _is_address(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    host, _, port = value.rpartition(":")
    return bool(host) and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 2**16
