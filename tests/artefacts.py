"""The pipeline of a run, saved and loaded again: what is stored of it."""

import json
import tempfile
from pathlib import Path

import numpy as np

import zoo


def assert_stored(run: Path) -> None:
    """Asserts that a run's pipeline is stored as name, options and weights, and comes back.

    The weights are equal but for their rounding to float16.
    """
    made = zoo.load(run)
    with tempfile.TemporaryDirectory() as place:
        folder = made.save(Path(place) / "saved")
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        again = zoo.load(folder)
    assert "file" not in content["model"], "the model is stored as a Keras file"
    assert type(again) is type(made) and again.options == made.options
    paths = {name: path.get_config() for name, path in made.text_paths.items()}
    assert {name: path.get_config() for name, path in again.text_paths.items()} == paths
    by_path = [sorted(each.model.weights, key=lambda w: w.path) for each in (made, again)]
    for one, other in zip(*by_path, strict=True):
        np.testing.assert_allclose(other, one, rtol=2**-11, atol=2**-24, err_msg=one.path)
