"""Several devices and several processes give what one process gives; all in fresh processes."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipes import registry as recipe_registry
from recipes.cli import main
from recipes.training import checkpoint, replicas
from recipes.training.replicas import Team
from tests.recipes import tiny
from zoo import registry
from zoo.errors import InputError

ROOT = Path(__file__).parents[3]
SECONDS = 400  # for the processes of a run to end
# a user's module: a model that is quick to trace, and a worker that ends as by kill -9
BAG = """
import json, os, signal
import keras
import zoo
from recipes.training.replicated_step import SharedStep
from zoo import masking
from zoo.layers import MeanPooling, TokenEmbedding

@zoo.register(topology="many_to_one")
def bag(*, vocabulary_size, num_classes, embedding_dim=8, cell="", units=0, num_layers=0,
        bidirectional=False, merge_mode="", pooling="", dropout=0.0, recurrent_dropout=0.0,
        word_dropout=0.0):
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    vectors = TokenEmbedding(vocabulary_size, embedding_dim, name="embedding")(token_ids)
    pooled = MeanPooling(name="pooling")(vectors, masking.padding_mask(token_ids))
    return keras.Model(token_ids, keras.layers.Dense(num_classes, name="logits")(pooled))

take, steps = SharedStep.__call__, []

def counted(self, shards):
    steps.append(len(steps))
    worker, step = map(int, os.environ["DIES_AT"].split(":"))
    if len(steps) == step and json.loads(os.environ["TF_CONFIG"])["task"]["index"] == worker:
        os.kill(os.getpid(), signal.SIGKILL)
    return take(self, shards)

if "DIES_AT" in os.environ:
    SharedStep.__call__ = counted
"""


@pytest.fixture
def bag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The options that take the module in, in this process and in others."""
    monkeypatch.setattr(recipe_registry, "modules_of_user", [])
    (tmp_path / "bag.py").write_text(BAG, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield ["--module", "bag"]
    if sys.modules.pop("bag", None):
        registry.unregister("bag")


def command(directory: Path, *more: str) -> list[str]:
    """Six epochs of 16 steps; the last batch has three rows."""
    data = tiny.write_tsv(directory / "reviews.tsv")
    return ["sentiment", "train", *tiny.options(data), *tiny.FAST, "--average", "0.5", *more]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def workers(words: list[str], **variables: str) -> list[tuple[int, str]]:
    """Runs a command in two processes on loopback; the status and the output of each."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    running = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        cluster = json.dumps({"cluster": {"worker": addresses}, "task": task})
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "recipes", *words, "--strategy", "multiworker"],
                cwd=ROOT,
                env={**os.environ, "TF_CONFIG": cluster, **variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    try:
        outputs = [process.communicate(timeout=SECONDS)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    return [(process.returncode, text) for process, text in zip(running, outputs, strict=True)]


def state(run: Path) -> tuple[list[list[float]], list[np.ndarray]]:
    """The history but for its times, and the weights and the optimizer's values."""
    with (run / "history.csv").open(encoding="utf-8") as file:
        rows = [
            {k: float(v) for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)
        ]
    stored = checkpoint.load(run / "checkpoints")
    assert stored is not None
    model = stored[0]
    values = [*model.trainable_variables, *model.optimizer.variables]
    return [list(row.values()) for row in rows], [value.numpy() for value in values]


@pytest.mark.sweep
@pytest.mark.timeout(2 * SECONDS)
def test_mirrored_on_two_devices_trains_as_one_does(tmp_path: Path):
    words = [sys.executable, "-m", "tests.recipes.training.mirrored_run", str(tmp_path / "run")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["steps"] >= 8
    assert found["losses"] < 1e-5 and found["weights"] < 1e-5, found


def same_state(run: Path, other: Path) -> None:
    """Compares the figures of all epochs, the weights and the optimizer's values."""
    one, two = state(run), state(other)
    np.testing.assert_allclose(one[0], two[0], atol=1e-5)
    for value, expected in zip(one[1], two[1], strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-5)


def killed(words: list[str], run: Path, worker: int) -> None:
    """Trains in two processes of which one dies in the third epoch."""
    ended = workers([*words, "--run-dir", str(run)], DIES_AT=f"{worker}:40")
    expected = [1, 1]
    expected[worker] = -signal.SIGKILL
    assert [status for status, _ in ended] == expected, ended
    last = ended[1 - worker][1].strip().splitlines()[-1]
    assert last == "failed: another worker is gone: start all of them again with --resume"
    kept = checkpoint.load(run / "checkpoints")
    assert kept is not None and kept[1].epoch == 2


@pytest.mark.sweep
@pytest.mark.timeout(2 * SECONDS)
def test_a_worker_is_killed_the_other_ends_and_one_process_goes_on_to_the_same_result(
    tmp_path: Path, bag: list[str]
):
    words = command(tmp_path, *bag, "--architecture", "bag")
    assert main([*words, "--run-dir", str(tmp_path / "alone")]) == 0
    run = tmp_path / "shared"
    killed(words, run, worker=1)
    resume = ["sentiment", "train", "--resume", *bag, "--run-dir", str(run)]
    assert main([*resume, "--strategy", "none"]) == 0
    same_state(run, tmp_path / "alone")


@pytest.mark.slow
@pytest.mark.timeout(6 * SECONDS)
def test_after_each_workers_death_both_go_on_and_train_as_one_process_does(
    tmp_path: Path, bag: list[str]
):
    words = command(tmp_path, "--cell", "gru")
    assert main([*words, "--run-dir", str(tmp_path / "alone")]) == 0
    for worker in range(2):
        run = tmp_path / f"shared_{worker}"
        killed([*words, *bag], run, worker)
        resumed = workers(["sentiment", "train", "--resume", "--run-dir", str(run)])
        assert [status for status, _ in resumed] == [0, 0], resumed
        assert all("resumed after epoch 2" in text for _, text in resumed)
        same_state(run, tmp_path / "alone")
        assert (run / "curves.png").exists() and (run / "metrics.json").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "needs TF_CONFIG, which is not set"),
        ("{", "must name the workers and which of them this is"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "got '{"),
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps"}}', "got '{"),
    ],
)
def test_a_cluster_that_is_not_told_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, text: Any, sentence: str
):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="TF_CONFIG") as error:
        Team("multiworker")
    assert sentence in str(error.value)


TWO = '{"cluster": {"worker": ["a:1", "[::1]:22"]}, "task": {"type": "worker", "index": INDEX}}'
TASK = '"task": {"type": "worker", "index": 0}}'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "it is no JSON object"),
        ("null", "it is no JSON object"),
        ("[" * 100_000, "it is no JSON object"),
        ("{}", "its cluster must be an object"),
        ('{"cluster": ["a:1"], ' + TASK, "its cluster must be an object"),
        ('{"cluster": "a:1", ' + TASK, "its cluster must be an object"),
        ('{"cluster": {}, ' + TASK, "its cluster must be an object"),
        ('{"cluster": {"worker": "a:1"}, ' + TASK, "its workers must be a list of addresses"),
        ('{"cluster": {"worker": []}, ' + TASK, "its workers must be a list of addresses"),
        ('{"cluster": {"worker": {"a:1": 0}}, ' + TASK, "its workers must be a list"),
        ('{"cluster": {"worker": ["a:1", 7]}, ' + TASK, "a text HOST:PORT, not '7'"),
        ('{"cluster": {"worker": ["a"]}, ' + TASK, "a text HOST:PORT, not 'a'"),
        ('{"cluster": {"worker": ["a:x"]}, ' + TASK, "a text HOST:PORT, not 'a:x'"),
        ('{"cluster": {"worker": ["a:70000"]}, ' + TASK, "a text HOST:PORT, not 'a:70000'"),
        ('{"cluster": {"worker": ["a:1", "a:1"]}, ' + TASK, "an address of its own"),
        ('{"cluster": {"worker": ["a:1"]}}', "its task must be an object"),
        ('{"cluster": {"worker": ["a:1"]}, "task": "worker"}', "its task must be an object"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"index": 0}}', "whose type is worker"),
        *[
            (TWO.replace("INDEX", index), "must be a whole number from 0 to 1")
            for index in ("2", "-1", "null", '"one"', "0.5", "true", "[0]", '{"a": 1}', "1e999")
        ],
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}', "the index of its task"),
    ],
)
def test_a_malformed_cluster_is_refused_with_what_is_wrong_in_it(text: str, sentence: str):
    with pytest.raises(InputError) as error:
        replicas._cluster(text)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 700


@pytest.mark.parametrize("index", ["1", '"1"'])
def test_a_cluster_is_read(index: str):
    assert replicas._cluster(TWO.replace("INDEX", index)) == (["a:1", "[::1]:22"], 1)


def test_mirrored_on_one_device_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="needs at least two devices, got /device:CPU:0"):
        Team("mirrored")


def test_a_process_that_is_alone_agrees_with_itself():
    replicas = Team("none")
    assert replicas.is_chief and replicas.alone
    assert replicas.agreed({"loss": 0.5, "epoch": 3}) == {"loss": 0.5, "epoch": 3}
