"""In a residual stack the gradient of a lower layer contains that of the layer above it."""

import json

import numpy as np
import pytest

from zoo import __main__ as command
from zoo.diagnostics import deep
from zoo.diagnostics.synthetic.tasks import TASKS


def test_the_gradient_reaches_the_lowest_layer_of_a_residual_stack_alone():
    plain, residual = (
        deep.stack(TASKS["parity"], "elman", each, layers=4, units=8, length=4, updates=0)
        for each in (False, True)
    )
    assert plain.norms.shape == residual.norms.shape == (4,)
    assert plain.norms[0] < residual.norms[0]
    assert residual.norms[0] > residual.norms[-1]  # one path for each layer, and they add up
    assert residual.losses.shape == (0,)


def test_a_point_of_a_curve_is_the_mean_of_ten_losses():
    steps, means = deep._means(np.arange(25.0))
    assert steps.tolist() == [10, 20] and means.tolist() == [4.5, 14.5]
    steps, means = deep._means(np.array([1.0, 2.0]))
    assert steps.tolist() == [2] and means.tolist() == [1.5]


def test_the_command_compares_two_stacks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(deep.training, "train", lambda *arguments: [1.0, 0.5])
    words = ["--layers", "2", "--cell", "min_gru", "--units", "4", "--length", "3"]
    assert command.main(["deep", *words, "--updates", "2", "--out", str(tmp_path)]) == 0
    assert "2 layers of min_gru, K = 4; brackets, T = 3" in capsys.readouterr().out
    assert (tmp_path / "deep.png").read_bytes()[:4] == b"\x89PNG"
    stacks = json.loads((tmp_path / "deep.json").read_text())["stacks"]
    assert len(stacks["plain"]["norms"]) == len(stacks["residual"]["losses"]) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--layers", "0"], "layers must be a positive int, got 0"),
        (["--task", "adding"], "task must be one of brackets, parity, modular_sum"),
        (["--cell", "lstn"], "did you mean 'lstm'"),
    ],
)
def test_wrong_options_are_one_sentence(words, sentence, tmp_path, capsys):
    assert command.main(["deep", "--out", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err
