"""The recipe `forecasting`: a user's CSV of sales by shop and day, from the file to a forecast."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf

from recipes.cli import main
from recipes.forecasting import ForecastingRecipe
from recipes.forecasting.batches import WindowBatches
from recipes.run import Run
from tests import surface
from zoo.errors import InputError
from zoo.layers.numeric.forecast_loss import ForecastLoss
from zoo.metrics.forecasting import coverage
from zoo.metrics.naive import seasonal_naive

task = ForecastingRecipe()
FAST = [
    *("--units", "8", "--epochs", "2", "--look-back", "14", "--horizon", "7", "--dropout", "0"),
    *("--segment-length", "7", "--learning-rate", "0.02", "--stride", "2"),
]
COLUMNS = ["--series-column", "shop", "--value-columns", "sales,visitors"]
COLUMNS += ["--covariate-columns", "promotion", "--target-columns", "sales"]


def write_sales(path, shops=("north", "south"), days=120, future=0):
    """Sales by shop and day with a weekly season; promotions double them."""
    rng = np.random.default_rng(4)
    dates = np.datetime64("2024-01-01") + np.arange(days + future)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["shop", "date", "sales", "visitors", "promotion"])
        for number, shop in enumerate(shops):
            for day, date in enumerate(dates):
                promotion = int(rng.random() < 0.2)
                mean = (number + 1) * 100 * (1 + 0.5 * (day % 7 >= 5)) * (1 + promotion)
                sales = [round(mean + rng.normal(0, 3), 1), 7] if day < days else ["", ""]
                writer.writerow([shop, date, *sales, promotion])
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The whole job on a user's file: the folder with run and export, and what was printed."""
    folder = tmp_path_factory.mktemp("sales")
    data = write_sales(folder / "sales.csv")
    words = ["--data", str(data), *COLUMNS, *FAST, "--run-dir", str(folder / "run")]
    assert main(["forecasting", *words, "--export-dir", str(folder / "models")]) == 0
    return folder


def test_the_whole_job_writes_scores_pictures_and_a_model(trained):
    run = trained / "run"
    metrics = json.loads((run / "metrics.json").read_text())
    for split in ("validation", "test"):
        found = metrics[split]
        assert {"mae", "smape", "mase", "msis", "coverage_95", "crps"} <= set(found)
        assert set(found["seasonal_naive"]) >= {"mae", "mase"}
    for name in ("forecasts.png", "coverage.png", "curves.png"):
        assert (run / name).read_bytes().startswith(b"\x89PNG")
    info = json.loads((run / "series.json").read_text())
    assert (info["columns"], info["targets"]) == (["sales", "visitors"], 1)
    assert info["future_columns"][0] == "promotion" and "weekday_sin" in info["future_columns"]
    assert info["season"] == 7
    surface.assert_run_kept("forecasting", run, trained / "models")


def test_a_file_is_answered_with_numbers_and_a_picture(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    new = write_sales(trained / "new.csv", shops=("west",), days=40, future=7)
    words = ["forecasting", "predict", str(new), "--export-dir", str(trained / "models")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "west sales"
    assert lines[1].split() == ["time", "median", "95", "%", "80", "%"]
    assert [line.split()[0] for line in lines[2:9]] == [f"2024-02-{day}" for day in range(10, 17)]
    assert lines[9] == "picture: forecast.png"
    assert (trained / "forecast.png").read_bytes().startswith(b"\x89PNG")
    assert main([*words, "--json", "--picture", "other.png"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (found,) = answer["series"]
    forecast = found["forecasts"]["sales"]
    assert forecast["forecast"] == forecast["quantiles"]["0.5"]
    assert np.all(np.diff(list(forecast["quantiles"].values()), axis=0) >= 0)
    assert (trained / "other.png").exists()


def test_each_file_has_a_picture_of_its_own(trained, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    files = [write_sales(tmp_path / f"{n}.csv", ("west",), 40 + n, future=7) for n in (1, 2)]
    words = ["forecasting", "predict", *map(str, files), "--export-dir", str(trained / "models")]
    assert main([*words, "--picture", "fan.png"]) == 0
    printed = capsys.readouterr().out
    assert "picture: fan.png" in printed and "picture: fan-2.png" in printed
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["fan-2.png", "fan.png"]


def test_the_example_of_a_run_is_answered_as_hinted(trained, capsys, monkeypatch):
    monkeypatch.chdir(trained)
    words = ["forecasting", "predict", str(trained / "run" / "example.csv")]
    assert main([*words, "--export-dir", str(trained / "models")]) == 0
    out = capsys.readouterr().out
    assert "north sales" in out and "south sales" in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("visitors", "guests"), "bad.csv:1: there is no column 'visitors'"),
        (("2024-02-03,", "2024-02-02,"), "bad.csv:35: the time 2024-02-02 of series 'west'"),
        ((",7,1\n", ",7,\n"), "bad.csv:11: column 'promotion': a covariate is missing"),
    ],
)
def test_a_file_that_cannot_be_answered_is_one_sentence(trained, change, message, capsys, tmp_path):
    new = write_sales(tmp_path / "bad.csv", shops=("west",), days=40, future=7)
    new.write_text(new.read_text().replace("\r\n", "\n").replace(*change))
    words = ["forecasting", "predict", str(new), "--export-dir", str(trained / "models")]
    assert main([*words, "--picture", ""]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_other_data_is_measured(trained, capsys):
    other = write_sales(trained / "other.csv", shops=("east",), days=60)
    words = ["evaluate", "--run-dir", str(trained / "run"), "--data", str(other)]
    assert main(["forecasting", *words]) == 0
    assert "seasonal_naive (" in capsys.readouterr().out
    (written,) = (trained / "run" / "evaluations").iterdir()
    found = json.loads(written.read_text())
    with open(other) as file:
        sales = np.array([float(row["sales"]) for row in csv.DictReader(file)])
    before = np.mean(np.abs(sales[7:14] - sales[:7]))  # the 14 steps before what is measured
    assert found["mase"] == pytest.approx(found["mae"] / before, rel=1e-5)


def test_a_score_that_no_series_has_is_left_out(tmp_path):
    _, splits, prepared = windows_in(tmp_path, value_columns="sales")
    measure, windows = prepared.text_path, prepared.batches["test"].encoded
    quantiles = windows.batch().targets[..., None] + np.arange(-2.0, 3)
    found = measure.scores(windows, quantiles, [0.025, 0.1, 0.5, 0.9, 0.975], [3, 3])
    assert found["unscaled_series"] == len(windows)
    assert not {"mase", "msis"} & set(found) and "mase" not in found["seasonal_naive"]
    assert found["mae"] == pytest.approx(0, abs=1e-4)


@pytest.mark.sweep
def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tmp_path, eagerly):
    data = write_sales(tmp_path / "sales.csv", days=80)
    options = {"data": str(data), "series_column": "shop", "units": 4, "epochs": 2}
    options |= {"look_back": 7, "horizon": 7, "segment_length": 7, "stride": 4, "decay": "none"}
    whole = Run.begin(task, options, tmp_path / "whole")
    whole.train()
    part = Run.begin(task, {**options, "epochs": 1}, tmp_path / "part")
    part.train()
    again = Run.resume(task, {"epochs": 2}, tmp_path / "part")
    again.train()
    for one, other in zip(
        whole.best_model().get_weights(), again.best_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.sweep
def test_a_backtest_trains_on_what_comes_before_each_origin_and_is_not_done_twice(
    tmp_path, eagerly, capsys
):
    data = write_sales(tmp_path / "sales.csv", days=80)
    options = {"data": str(data), "series_column": "shop", "units": 3, "epochs": 1, "folds": 2}
    options |= {"look_back": 7, "horizon": 7, "segment_length": 7, "stride": 7, "decay": "none"}
    run = Run.begin(task, options, tmp_path / "run")
    run.train()
    run.evaluate()
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())["backtest"]
    results = [
        json.loads((tmp_path / "run" / "folds" / fold / "result.json").read_text())
        for fold in ("1", "2")
    ]
    assert found["folds"] == 2
    assert found["mae"] == pytest.approx(np.mean([each["mae"] for each in results]))
    assert found["mae_spread"] == pytest.approx(np.std([r["mae"] for r in results], ddof=1))
    naive = [each["seasonal_naive"]["mase"] for each in results]
    assert found["seasonal_naive"]["mase"] == pytest.approx(np.mean(naive))
    assert "fold 2 of 2" in capsys.readouterr().out
    run.evaluate()
    assert "fold" not in capsys.readouterr().out.replace("folds", "")


@pytest.mark.sweep
def test_an_ensemble_is_trained_resumed_and_exported_as_one_model(tmp_path, eagerly, capsys):
    data = write_sales(tmp_path / "sales.csv", days=80)
    options = {"data": str(data), "series_column": "shop", "units": 3, "epochs": 1, "members": 2}
    options |= {"look_back": 7, "horizon": 7, "segment_length": 7, "stride": 7}
    run = Run.begin(task, options, tmp_path / "run")
    run.train()
    assert "member 2 of 2" in capsys.readouterr().out
    members = run.best_model().members
    assert len(members) == 2
    weights = [each.get_layer("outputs").get_weights()[0] for each in members]
    assert np.abs(weights[0] - weights[1]).max() > 0
    parameters = json.loads((tmp_path / "run" / "metrics.json").read_text())["parameters"]
    assert parameters == sum(each.count_params() for each in members)
    Run.resume(task, {}, tmp_path / "run").train()
    again = Run.open(task, tmp_path / "run").best_model().members
    assert len(again) == 2
    np.testing.assert_array_equal(again[1].get_layer("outputs").get_weights()[0], weights[1])
    other = Run.begin(task, options | {"members": 1, "seed": 1}, tmp_path / "other")
    other.train()  # ensembles of the seeds 0 and 1 share no model
    apart = other.best_model().get_layer("outputs").get_weights()[0] - np.stack(weights)
    assert np.abs(apart).max(axis=(1, 2)).min() > 0.001


def windows_in(tmp_path, **options):
    data = write_sales(tmp_path / "sales.csv")
    config = task.configured(
        {"data": str(data), "series_column": "shop", "look_back": 14, "horizon": 7, **options}
    )
    splits = task.load(task.data_of(config))
    return config, splits, task.prepare(task.data_of(config), splits, tmp_path)


def test_labels_are_values_and_weights_and_nothing_comes_from_the_future(tmp_path):
    config, splits, prepared = windows_in(tmp_path, value_columns="sales", loss_scale="series")
    batches = prepared.batches["train"]
    inputs, labels = batches.batch(np.array([0]))
    sales = splits.found.data.series[0].values[:, 0]
    np.testing.assert_allclose(inputs["values"][0, :, 0], sales[:14], rtol=1e-6)
    np.testing.assert_allclose(labels[0, :, 0, 0], sales[14:21], rtol=1e-6)
    border = splits.found.borders.train[0]
    past = sales[:border]
    np.testing.assert_allclose(
        labels[0, :, 0, 1], 1 / np.mean(np.abs(past[7:] - past[:-7])), rtol=1e-5
    )
    last = batches.encoded.positions[batches.encoded.series == 0].max()
    assert last + 7 == border
    assert prepared.batches["validation"].encoded.positions.min() == border


def test_training_on_all_reaches_to_the_end_of_validation(tmp_path):
    _, splits, prepared = windows_in(tmp_path, value_columns="sales", train_on_all=True)
    windows = prepared.batches["train"].encoded
    assert windows.positions.max() + 7 == splits.found.borders.validation[0]


def test_an_epoch_may_have_fewer_windows_drawn_anew(tmp_path):
    _, _, prepared = windows_in(tmp_path, value_columns="sales", epoch_windows=10, batch_size=4)
    batches = prepared.batches["train"]
    assert isinstance(batches, WindowBatches) and len(batches) == 3
    draws = [np.concatenate([members for *_, members in batches((0, e))]) for e in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert len(set(draws[0])) == 10 and set(draws[0]) != set(draws[2])


def test_scores_are_those_of_the_windows_and_the_baseline_is_the_last_season(tmp_path):
    _, splits, prepared = windows_in(tmp_path, value_columns="sales")
    measure, windows = prepared.text_path, prepared.batches["test"].encoded
    targets = windows.batch().targets.astype(float)
    quantiles = targets[..., None] + np.array([-2.0, -1, 1, 2, 3])
    levels = [0.025, 0.1, 0.5, 0.9, 0.975]
    found = measure.scores(windows, quantiles, levels, splits.found.borders.validation)
    assert found["mae"] == pytest.approx(1)
    assert found["standardized_mae"] == pytest.approx(1 / measure.deviation[0], rel=1e-5)
    assert found["coverage_95"] == 1
    series = splits.found.data.series[int(windows.series[0])].values[:, 0]
    position = int(windows.positions[0])
    naive = seasonal_naive(series[:position], 7, 7)
    np.testing.assert_array_equal(measure.naive(windows)[0, :, 0], naive)
    np.testing.assert_array_equal(naive, series[position - 7 : position])
    assert coverage(targets[..., 0], targets[..., 0], targets[..., 0]).min() == 1


def test_the_loss_is_the_weighted_quantile_loss_over_known_values():
    loss = ForecastLoss("quantiles", [0.1, 0.5])
    values = np.array([[[2.0], [np.nan]], [[4.0], [1.0]]], "float32")
    weights = np.array([[[3.0], [0.0]], [[1.0], [1.0]]], "float32")
    quantiles = np.array([[[[1.0, 1]], [[0, 0]]], [[[5.0, 4]], [[1, 3]]]], "float32")
    found = loss(np.stack([values, weights], -1), quantiles)
    each = [2 * 3 * (0.1 + 0.5) / 2, 2 * 0.9 / 2, 2 * 1.0 / 2]
    assert float(found) == pytest.approx(sum(each) / 3)
    alone = ForecastLoss("quantiles", [0.5])(values, quantiles[..., 1:])
    assert float(alone) == pytest.approx((1 + 0 + 2) / 3)
    squared = ForecastLoss("quantiles", [0.5], squared=True)
    assert float(squared(values, quantiles[..., 1:])) == pytest.approx((1 + 0 + 4) / 3)
    weighted = squared(np.stack([values, weights], -1), quantiles[..., 1:])
    assert float(weighted) == pytest.approx((9 + 0 + 4) / 3)
    with pytest.raises(InputError, match="squared error is of one number"):
        ForecastLoss("normal", squared=True)
    normal = ForecastLoss("normal")(values, tf.constant([[[[1.0, 2]], [[0, 1]]]] * 2))
    z = np.array([0.5, 1.5, 1.0])
    logs = np.log([2, 2, 1.0]) + 0.5 * np.log(2 * np.pi)
    assert float(normal) == pytest.approx(np.mean(z**2 / 2 + logs), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 500}, "horizon|steps"),
        ({"target_columns": "sale"}, "target_columns has 'sale'.*did you mean 'sales'"),
        ({"loss_scale": "window"}, "loss_scale must be"),
        ({"loss": "mse"}, "loss must be one of auto, squared"),
        ({"season": -1}, "season must be at least 0"),
        ({"decoder": "recurrent"}, "draws from a distribution"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(options, message, tmp_path):
    data = write_sales(tmp_path / "sales.csv", days=60)
    given = {"data": str(data), "series_column": "shop", "look_back": 7, "horizon": 7, **options}
    with pytest.raises(InputError, match=message):
        Run.begin(task, given, tmp_path / "run").load_data()
