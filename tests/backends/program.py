"""`python -m tests.backends.program FOLDER`: the cases that FOLDER names, on Keras' backend.

The first process, TensorFlow's, stores weights and results of each case; another backend's loads
these weights, and prints for each case how far its results are from those, as a share of the
largest number. It stores the weights, too, for TensorFlow to load.
"""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.backends import cases


def main(folder: Path) -> None:
    """Runs the cases; prints JSON: the differences of each, and the backends that were imported."""
    backend = keras.backend.backend()
    known, differences = cases.cases(), {}
    for number, name in enumerate(json.loads((folder / "names.json").read_text())):
        weights, stored = folder / f"{number}.tensorflow.weights.h5", folder / f"{number}.npz"
        model = None
        if name not in cases.PARTS:
            model = cases.build(known[name])
            if backend != "tensorflow":
                _blank(model)
                model.load_weights(weights)
            model.save_weights(folder / f"{number}.{backend}.weights.h5")
        found = cases.results(known[name], model) if model else cases.PARTS[name]()
        if backend == "tensorflow":
            np.savez(stored, **found)
        else:
            differences[name] = compared(found, dict(np.load(stored)))
    imported = sorted({"tensorflow", "jax", "torch"} & set(sys.modules))
    print(json.dumps({"differences": differences, "imported": imported, "backend": backend}))


def _blank(model: keras.Model) -> None:
    for weight in model.weights:
        weight.assign(np.ones(weight.shape) * 0.3)


def compared(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, float]:
    """How far each result is from the expected one; -1 for one that is not there in one of both."""
    result = dict.fromkeys(set(found) ^ set(expected), -1.0)
    for name in set(found) & set(expected):
        one, other = (np.asarray(each[name], "float64") for each in (found, expected))
        same = np.array_equal(np.isfinite(one), np.isfinite(other)) and one.shape == other.shape
        finite = np.isfinite(other)
        if not same or not np.array_equal(one[~finite], other[~finite], equal_nan=False):
            result[name] = -1.0
        elif finite.any():
            scale = max(1.0, float(np.abs(other[finite]).max()))
            result[name] = float(np.abs(one[finite] - other[finite]).max()) / scale
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
