"""Every backend of Keras gives what TensorFlow gives: outputs, losses and steps of training.

The default run compares some cases on JAX, in a process that cannot import TensorFlow. `make
test-backends` compares all of them on JAX and on PyTorch.
"""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from tests.backends import cases, installed

KNOWN = cases.cases()
CLOSE = 1e-5
FEW = [name for name, case in KNOWN.items() if case.in_default_run]
ALL = [*KNOWN, *cases.PARTS]


def stored(folder, names):
    """A folder with the results of TensorFlow."""
    (folder / "names.json").write_text(json.dumps(names))
    process = installed.run(None, "tensorflow", "tests.backends.program", str(folder))
    assert process.returncode == 0, process.stderr
    return folder


def compared(process, backend, names):
    """Asserts that a process on another backend found the same; returns what it printed."""
    assert process.returncode == 0, process.stderr
    printed = json.loads(process.stdout.splitlines()[-1])
    assert printed["backend"] == backend and list(printed["differences"]) == names
    for name, found in printed["differences"].items():
        wrong = {key: value for key, value in found.items() if not 0 <= value < CLOSE}
        assert found and not wrong, f"{name} on {backend}: {wrong}"
    return printed


def same_weights(folder, names, backend):
    """Asserts that TensorFlow loads the weights that the other backend wrote."""
    for number, name in enumerate(names):
        if name in cases.PARTS:
            continue
        model, other = cases.build(KNOWN[name]), cases.build(KNOWN[name])
        for weight in other.weights:
            weight.assign(np.ones(weight.shape))
        other.load_weights(folder / f"{number}.{backend}.weights.h5")
        for one, two in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(one.numpy(), two.numpy(), err_msg=f"{name}: {one.path}")


def test_jax_alone_gives_what_tensorflow_gives(tmp_path):
    folder = stored(tmp_path, FEW)
    (tmp_path / "site").mkdir()
    place = installed.linked(tmp_path / "site")
    process = installed.run(place, "jax", "tests.backends.program", str(folder))
    assert compared(process, "jax", FEW)["imported"] == ["jax"]
    same_weights(folder, FEW[:2], "jax")


def test_without_tensorflow_what_needs_it_says_so(tmp_path):
    place = installed.linked(tmp_path)
    for words, sentence in {
        ("zoo", "list"): "many_to_one",
        ("zoo", "describe", "lstm"): "Gers",
    }.items():
        process = installed.run(place, "jax", *words)
        assert process.returncode == 0 and sentence in process.stdout, process.stderr
    process = installed.run(place, "jax", "zoo", "convert", "names")
    assert process.returncode == 2 and "TensorFlow" in process.stderr, process.stderr


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A folder with TensorFlow's results of all cases."""
    return stored(tmp_path_factory.mktemp("all"), ALL)


@pytest.mark.backends
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_all_cases_on_each_backend(backend, reference):
    if find_spec(backend) is None:
        pytest.fail(f"{backend} is not installed: run `make test-backends`")
    process = installed.run(None, backend, "tests.backends.program", str(reference))
    compared(process, backend, ALL)
    same_weights(reference, ALL, backend)
