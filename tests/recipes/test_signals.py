"""The recipe `signals`: from files of series to labels, through all verbs."""

import json
import wave

import numpy as np
import pytest

from recipes.cli import main
from recipes.data.series.formats.wav import read_wav, write_wav
from recipes.run import Run
from recipes.signals import SignalsRecipe
from recipes.signals.baseline import Summaries
from recipes.training.augmentation import Augmentation
from tests import surface
from tests.recipes.tiny import ask_as_hinted, prepared_in

task = SignalsRecipe()
FAST = ["--units", "4", "--epochs", "6", "--learning-rate", "0.05", "--dropout", "0"]
FAST += ["--buckets", "1", "--no-bidirectional", "--pooling", "last"]


def run(*words):
    return main([str(word) for word in words])


def write_table(path, count=60, columns=2):
    """Rising and falling series around different levels, in long form."""
    rng = np.random.default_rng(3)
    rows = ["id,class,x,y" if columns == 2 else "id,class,x"]
    for number in range(count):
        label, sign = (("up", 1), ("down", -1))[number % 2]
        values = np.linspace(-sign, sign, int(rng.integers(5, 9))) + rng.normal(0, 0.05)
        for value in values:
            numbers = ",".join(f"{value + 10 * k:.4f}" for k in range(columns))
            rows.append(f"s{number},{label},{numbers}")
    path.write_text("\n".join(rows) + "\n")
    return path


COLUMNS = ("--series-column", "id", "--label-column", "class")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    data = write_table(folder / "data.csv")
    words = ("signals", "--data", data, *COLUMNS, *FAST, "--run-dir", folder / "run")
    assert run(*words, "--export-dir", folder / "saved") == 0
    return folder


def test_the_surface_of_the_run_and_of_its_export_is_kept(home):
    surface.assert_run_kept("signals", home / "run", home / "saved")


def test_order_is_learned_where_means_and_deviations_say_nothing(home):
    metrics = json.loads((home / "run" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] == 1
    assert metrics["test"]["summary_statistics_accuracy"] < 0.9
    assert (home / "run" / "confusion.png").stat().st_size > 1000


def test_the_command_that_a_run_ends_with_answers_an_example(home, capsys):
    assert ask_as_hinted(task, home / "run", home / "saved") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    label, share, path = line.split()
    assert label in ("up", "down") and float(share) > 0.5
    assert path.startswith(str(home / "run" / "examples")) and path.endswith(".csv")
    series = task.load(task.data_of(Run.open(task, home / "run").config)).test[0]
    table = np.genfromtxt(home / "run" / "examples" / "1.csv", delimiter=",", skip_header=1)
    np.testing.assert_allclose(table, series.values)


def test_files_with_one_and_with_several_series_are_answered_in_order(home, tmp_path, capsys):
    up = np.stack([np.linspace(-1, 1, 7), np.linspace(9, 11, 7)], axis=1)
    np.save(tmp_path / "up.npy", up)
    (tmp_path / "two.ts").write_text(
        "@classLabel true up down\n@data\n"
        + "".join(
            ":".join(",".join(map(str, column)) for column in values.T) + f":{label}\n"
            for values, label in ((up[::-1], "down"), (up, "up"))
        )
    )
    words = ("signals", "predict", "--export-dir", home / "saved", "--json")
    assert run(*words, tmp_path / "two.ts", tmp_path / "up.npy") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["label"] for row in rows] == ["down", "up", "up"]
    assert [row["number"] for row in rows] == [1, 2, 1]
    assert [row["series"] for row in rows] == ["1", "2", ""]
    assert rows[1]["probabilities"] == pytest.approx(rows[2]["probabilities"], abs=1e-5)
    assert sum(rows[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_file_of_other_columns_is_one_sentence(home, tmp_path, capsys):
    path = write_table(tmp_path / "one.csv", 2, columns=1)
    words = ("signals", "predict", "--export-dir", home / "saved", "--series-column", "id")
    assert run(*words, "--label-column", "class", path) == 2
    error = capsys.readouterr().err
    assert "one.csv, series 's0': 1 values at each step, expected 2" in error
    assert run("signals", "evaluate", "--run-dir", home / "run", "--data", path) == 2
    assert "series 's0': 1 values at each step, expected 2" in capsys.readouterr().err


def test_other_data_is_measured_and_each_prediction_written(home, tmp_path, capsys):
    data = write_table(tmp_path / "new.csv", 8)
    words = ("signals", "evaluate", "--run-dir", home / "run", "--data", data)
    assert run(*words, "--write-predictions", tmp_path / "out.jsonl") == 0
    assert "accuracy 1.0000" in capsys.readouterr().out
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == [f"s{n}" for n in range(8)]
    assert [row["label"] for row in rows] == [row["prediction"] for row in rows]


def test_missing_values_are_one_sentence_and_with_an_indicator_an_input(tmp_path, capsys, eagerly):
    data = write_table(tmp_path / "data.csv")
    lines = data.read_text().splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ","
    data.write_text("\n".join(lines))
    words = ("signals", "train", "--data", data, *COLUMNS, *FAST, "--test-pattern", "[13]$")
    words += ("--validation-pattern", "[24]$", "--epochs", "1", "--run-dir", tmp_path / "run")
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert "series 's0' has missing values (NaN)" in error and "--missing indicator" in error
    assert run(*words, "--missing", "indicator") == 0
    model = Run.open(task, tmp_path / "run").best_model()
    statistics = model.get_layer("normalization")
    np.testing.assert_allclose(statistics.mean[0, 0], [0, 10], atol=0.1)


def write_waves(folder, rate=8000):
    """High and low tones, each class a folder."""
    rng = np.random.default_rng(4)
    for label, pitch in (("high", 1500), ("low", 300)):
        (folder / label).mkdir(parents=True)
        for number in range(12):
            seconds = np.arange(int(rate * rng.uniform(0.05, 0.08))) / rate
            tone = 0.5 * np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * seconds)
            write_wav(folder / label / f"{number}.wav", tone, rate)
    return folder


def test_a_folder_of_sounds_is_read_as_spectra_and_sounds_are_answered(tmp_path, capsys, eagerly):
    data = write_waves(tmp_path / "sounds", 16000)
    words = ("--data", data, *FAST, "--run-dir", tmp_path / "run", "--mel-bands", "8")
    words += ("--validation-fraction", "0.2", "--test-fraction", "0.2", "--epochs", "1")
    assert run("signals", *words, "--export-dir", tmp_path / "saved") == 0
    opened = Run.open(task, tmp_path / "run")
    assert (opened.config.features, opened.config.speed) == ("log_mel", 0.15)
    capsys.readouterr()
    paths = [data / "low" / "3.wav", tmp_path / "run" / "examples" / "1.wav"]
    words = ("signals", "predict", "--json", "--export-dir", tmp_path / "saved")
    assert run(*words, *paths) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    pipeline = task.pipeline(opened.best_model(), opened.config, tmp_path / "run")
    expected = pipeline.classify([read_wav(path)[0] for path in paths])["probabilities"]
    found = [list(row["probabilities"].values()) for row in rows]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    write_wav(tmp_path / "other.wav", np.zeros(900), 44100)
    assert run(*words, tmp_path / "other.wav") == 2
    assert "44100 samples per second, expected 16000" in capsys.readouterr().err


def test_train_alone_is_changed_at_random(tmp_path):
    config = task.configured(
        {"data": str(write_table(tmp_path / "d.csv")), "noise": 0.1, "series_column": "id"}
        | {"label_column": "class"}
    )
    prepared = prepared_in(task, config, tmp_path / "run")
    found = {split: task.batches(None, config, prepared, split) for split in prepared.batches}
    assert found["train"].augmentation == Augmentation(noise=0.1)
    assert not found["validation"].augmentation.is_active


def test_the_baseline_separates_what_means_and_deviations_separate():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60)
    means, spreads = np.array([0.0, 5.0, 0.0]), np.array([1.0, 1.0, 4.0])
    rows = [rng.normal(means[k], spreads[k], (40, 2)) for k in labels]
    rows[0][3, 1] = np.nan
    simple = Summaries.fit(rows, labels, 3)
    assert (simple.predict(rows) == labels).mean() > 0.99
    shuffled = rng.permutation(labels)
    assert (Summaries.fit(rows, shuffled, 3).predict(rows) == shuffled).mean() < 0.6


def test_a_written_wav_file_is_read_as_it_was(tmp_path):
    values = np.array([0.0, 0.5, -1.0, 0.25, 2.0])
    write_wav(tmp_path / "a.wav", values, 8000)
    found, rate = read_wav(tmp_path / "a.wav")
    np.testing.assert_allclose(found, [0, 0.5, -1, 0.25, 1 - 2**-15])
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (rate, file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
