import csv
from pathlib import Path

import numpy as np
import pytest

from recipes.cli import main
from recipes.origin import OriginRecipe
from recipes.run import Run
from recipes.training import rate_finder
from recipes.training.loop import TrainingError, Watch
from recipes.training.rate_finder import smoothed
from tests.recipes import tiny

task = OriginRecipe()


def test_the_rate_finder_writes_the_losses_and_suggests_a_rate_that_may_be_trained_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rate_finder, "STEPS", 60)
    data = tiny.write_tsv(tmp_path / "reviews.tsv")
    run = tmp_path / "run"
    words = ["origin", "train", *tiny.options(data), "--batch-size", "16", "--epochs", "1"]
    words += ["--decay", "cosine", "--run-dir", str(run)]
    assert main([*words, "--find-rate"]) == 0
    with (run / "learning_rates.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rates = np.array([float(row["learning_rate"]) for row in rows])
    assert 20 < len(rates) <= 60
    assert rates[0] == pytest.approx(1e-6)
    np.testing.assert_allclose(rates[1:] / rates[:-1], 1e6 ** (1 / 60), rtol=1e-6)
    means = np.array([float(row["mean_loss"]) for row in rows])
    assert means.min() < means[0]
    best = 0.1 * rates[means.argmin()]
    assert f"--learning-rate {best:.2g}: " in capsys.readouterr().out
    assert (run / "learning_rates.png").stat().st_size > 1000
    assert not (run / "checkpoints").exists()
    Run.begin(task, {}, run)  # a training may begin in the same folder


def steps_of(losses: list[float]) -> object:
    """An epoch whose steps have these losses."""

    def run_epoch(config: object, epoch: int, watch: Watch) -> None:
        for loss in losses:
            watch(loss)

    return run_epoch


def test_it_ends_when_the_mean_loss_is_twice_the_smallest():
    losses = rate_finder.losses_of(steps_of([1.0] * 20 + [100.0] * 20), None)
    assert len(losses) == 21


def test_it_goes_on_through_as_many_epochs_as_it_needs():
    assert len(rate_finder.losses_of(steps_of([1.0] * 70), None)) == rate_finder.STEPS


def test_a_loss_that_is_no_number_ends_it_and_as_the_first_one_is_an_error():
    assert rate_finder.losses_of(steps_of([1.0, 2.0, np.nan]), None).tolist() == [1.0, 2.0]
    with pytest.raises(TrainingError, match="the loss of the first step is no number"):
        rate_finder.losses_of(steps_of([np.nan]), None)


def test_the_running_mean_is_drawn_to_the_losses_and_not_to_zero():
    means = smoothed([4.0, 2.0])
    assert means[0] == pytest.approx(4.0)
    assert means[1] == pytest.approx((0.95 * 4 + 2) / 1.95)
