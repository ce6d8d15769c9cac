"""Recipes on Keras' other backends: they train there, and TensorFlow measures and exports."""

import csv
import json
from importlib.util import find_spec

import pytest

from recipes import registry
from recipes.training import backends
from tests.backends.installed import run
from zoo.errors import InputError

TRAINED = {
    "jax": [("generation", "loss"), ("sentiment", "accuracy"), ("forecasting", "standardized_mse")],
    "torch": [
        *(("pos", "accuracy"), ("signals", "accuracy"), ("translation", "loss")),
        *(("names", "loss"), ("generation", "loss")),
    ],
}
OPTIONS = {"translation": ("--objective", "loss"), "forecasting": ("--train-fraction", "1")}


@pytest.fixture
def on_jax(monkeypatch):
    """As if Keras' backend was JAX."""
    monkeypatch.setattr(backends, "on_tensorflow", lambda: False)
    monkeypatch.setattr(backends.keras.backend, "backend", lambda: "jax")


def test_on_another_backend_what_needs_tensorflow_is_one_sentence(on_jax):
    backends.require_known("sentiment", "train", trains_anywhere=True)
    backends.require_plain("none", 1)
    with pytest.raises(InputError, match="export needs TensorFlow, and Keras' backend is jax"):
        backends.require_known("sentiment", "export", trains_anywhere=True)
    with pytest.raises(InputError, match="names trains on TensorFlow, .* unset KERAS_BACKEND"):
        backends.require_known("names", "train", trains_anywhere=False)
    with pytest.raises(InputError, match="--strategy mirrored needs TensorFlow"):
        backends.require_plain("mirrored", 1)
    with pytest.raises(InputError, match="--accumulate 4 needs TensorFlow"):
        backends.require_plain("none", 4)
    assert backends.graph(len) is len


def test_every_recipe_trains_anywhere():
    assert all(registry.find(name).trains_anywhere for name in registry.BUILTIN)


@pytest.mark.backends
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("backend", TRAINED)
def test_a_run_of_another_backend_is_measured_and_exported_by_tensorflow(backend, tmp_path):
    if find_spec(backend) is None:
        pytest.fail(f"{backend} is not installed: run `make test-backends`")
    for name, metric in TRAINED[backend]:
        folder = tmp_path / name
        words = ("--train-fraction", "0.05", "--epochs", "1", "--run-dir", str(folder))
        more = OPTIONS.get(name, ())
        trained = run(None, backend, "recipes", "train", name, *words, *more)
        assert trained.returncode == 0, trained.stderr
        measured = run(None, "tensorflow", "recipes", "evaluate", name, "--run-dir", str(folder))
        assert measured.returncode == 0, measured.stderr
        with (folder / "history.csv").open() as file:
            (row,) = csv.DictReader(file)
        found = json.loads((folder / "metrics.json").read_text())["validation"][metric]
        assert found == pytest.approx(float(row[f"validation_{metric}"]), abs=1e-5), name
    words = ("--run-dir", str(folder), "--export-dir", str(tmp_path / "exports"))
    exported = run(None, "tensorflow", "recipes", "export", name, *words)
    assert exported.returncode == 0 and "same answers" in exported.stdout, exported.stderr
