"""`import zoo`: what is reachable, and what it registers."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
import zoo.cells.lstm


@pytest.mark.parametrize("name", zoo.__all__)
def test_every_public_name_is_reachable_and_shown_by_completion(name):
    assert name in dir(zoo)
    assert getattr(zoo, name) is not None


def test_cells_is_the_package_and_still_lists_the_names():
    assert zoo.cells is importlib.import_module("zoo.cells")
    assert zoo.cells.LSTMCell is zoo.cells.lstm.LSTMCell
    with pytest.warns(DeprecationWarning, match="zoo.cell_names"):
        assert zoo.cells() == zoo.cell_names()


def test_a_program_needs_import_zoo_alone_to_load_a_model_and_to_use_a_package(
    tmp_path, monkeypatch
):
    sizes = {"vocabulary_size": 5, "num_classes": 2, "embedding_dim": 2, "units": 2}
    zoo.build("many_to_one", **sizes).save(tmp_path / "model.keras")
    code = (
        "import keras, sys, zoo; print(keras.models.load_model('model.keras').name, "
        "'zoo.tuning' in sys.modules, zoo.tuning.Study.__name__, hasattr(zoo, 'biuld'))"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "many_to_one False Study False\n"
