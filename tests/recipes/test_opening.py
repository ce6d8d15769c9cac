"""Runs are measured: `train --monitor`, and the commands that take a run with `--run`."""

import json

import numpy as np
import pytest
import tensorflow as tf

from recipes import cli, opening
from tests.recipes import tiny
from zoo import __main__ as zoo_command
from zoo.diagnostics import opening as by_name
from zoo.diagnostics.gradients import gradient_flow

LANGUAGE = [
    *("--level", "character"),
    *("--units", "5", "--embedding-dim", "4", "--epochs", "1", "--limit", "8000", "--buckets", "1"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A monitored run of a classifier, its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    data = tiny.write_tsv(folder.parent / "reviews.tsv")
    words = [*tiny.options(data), *tiny.FAST, "--epochs", "2", "--pooling", "attention"]
    assert cli.main(["train", "sentiment", *words, "--monitor", "--run-dir", str(folder)]) == 0
    return folder


@pytest.mark.sweep
def test_a_monitored_run_writes_its_gradients_for_tensorboard(run):
    names = set()
    for path in (run / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            names |= {value.tag for value in event.summary.value}
    assert {"gradient_norm", "clipped", "gradient_norm/encoder/forward_0/cell"} <= names
    assert "monitor" not in json.loads((run / "config.json").read_text())


def test_the_loss_of_a_run_is_that_of_its_recipe(run):
    batch = by_name.batch_of(run)
    loss = float(batch.loss(batch.model(batch.inputs)))
    opened = opening.run_of(run)
    prepared = opened.load_data()
    inputs, labels, *_ = next(iter(prepared.batches["validation"]()))
    logits = np.asarray(batch.model(inputs), float)
    each = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]
    assert loss == pytest.approx(each.mean(), rel=1e-4)
    flow = gradient_flow(batch.model, batch.inputs, batch.loss)[0]
    assert flow.norms.max() > 0


@pytest.mark.parametrize("main", [cli.main, zoo_command.main])
def test_both_programs_show_a_run(run, main, tmp_path, capsys):
    words = ["--run", str(run), "--out", str(tmp_path)]
    assert main(["gates", *words, "--sentence", "order 7 was awful"]) == 0
    shown = capsys.readouterr().out
    assert "nearest tokens" in shown and "'awful'" in shown
    numbers = json.loads((tmp_path / "gates.json").read_text())["models"][str(run)]
    assert sum(numbers["attention"]["weights"][0]) == pytest.approx(1, rel=1e-4)


def test_gradients_and_connectivity_take_a_run(run, tmp_path, capsys):
    words = ["--run", str(run), "--out", str(tmp_path)]
    assert cli.main(["gradients", *words]) == 0
    assert "forward_0" in capsys.readouterr().out
    assert cli.main(["connectivity", *words, "--sentence", "order 7 was awful"]) == 0
    numbers = json.loads((tmp_path / "connectivity.json").read_text())["models"][str(run)]
    assert np.shape(numbers["connectivity"]) == (1, 4)


@pytest.mark.sweep
def test_a_language_model_has_a_loss_and_units(tmp_path, capsys):
    folder = tmp_path / "run"
    assert cli.main(["train", "generation", *LANGUAGE, "--run-dir", str(folder)]) == 0
    batch = by_name.batch_of(folder)
    loss = float(batch.loss(batch.model(batch.inputs)))
    history = (folder / "history.csv").read_text().splitlines()[1].split(",")
    assert 0 < loss < 1.5 * float(history[1])
    words = ["--run", str(folder), "--out", str(tmp_path)]
    assert cli.main(["units", *words]) == 0
    assert "place in line" in capsys.readouterr().out


def test_a_folder_of_no_known_recipe_is_one_sentence(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"recipe": "sentimant"}')
    assert cli.main(["gates", "--run", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "did you mean 'sentiment'" in capsys.readouterr().err
